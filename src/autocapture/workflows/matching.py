"""Matching what a batch touches: threads and series whole, in the order in which they happened.

A backfill runs newest first, so a reply is often stored before the mail it answers. Whatever joins a thread or series
therefore has all of it matched anew, oldest first, each activity with its predecessors as precedents: the links do not
depend on the order of arrival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.match import Past, match
from autocapture.model.activities import Activity
from autocapture.model.directory import Organization, Precedent
from autocapture.model.draft import Matched
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.bulk import in_chunks
from autocapture.store.directory import load_directory
from autocapture.store.engine import reading, take_turn, writing
from autocapture.workflows.people import our_people

BATCH = 500


def place(
    session: Session,
    organization: Organization,
    *,
    new: Sequence[Stored],
    changed: Sequence[tuple[Stored, Stored]],
    now: datetime,
) -> None:
    """Matches new and changed activities, with everything of their threads and series, and stores what differs."""
    fresh = {item.activity_id: item for item in new}
    after = {item.activity_id: item for _, item in changed}
    touched = [*new, *after.values()]
    neighbours = _neighbours(session, touched)
    members = {**neighbours, **fresh, **after}
    results = _match_all(session, organization, list(members.values()))
    in_order = sorted(new, key=attrgetter("activity_id"))  # as the indexes have them
    activities.add(session, [(item, results[item.activity_id]) for item in in_order], now)
    activities.change(session, [(before, item, results[item.activity_id]) for before, item in changed], now)
    bystanders = [item for key, item in neighbours.items() if key not in fresh and key not in after]
    activities.rematch(session, _differing(bystanders, results), now)


def rematch_everything(app: Application) -> int:
    """Matches every stored activity anew, as of its own time, in batches; the number of activities that changed.

    Run after an import: companies, contacts and deals may have appeared, changed or merged since.
    """
    with reading(app.engine) as session:
        pending = list(session.scalars(select(col(Activity.id)).order_by(col(Activity.id))))
    if not pending:
        return 0
    changed = 0
    organization = our_people(app)
    done: set[int] = set()
    for chunk in in_chunks(pending, BATCH):
        with writing(app.engine) as session:
            take_turn(session)
            batch = activities.load(session, [key for key in chunk if key not in done])
            members = {**_neighbours(session, list(batch.values())), **batch}
            results = _match_all(session, organization, list(members.values()))
            differing = _differing(members.values(), results)
            activities.rematch(session, differing, app.clock.now())
            changed += len(differing)
            done.update(members)
    return changed


def _neighbours(session: Session, items: Collection[Stored]) -> dict[int, Stored]:
    threads = {item.thread_id for item in items if item.thread_id is not None}
    series = {item.series_id for item in items if item.series_id is not None}
    return {
        **activities.load_group(session, "thread_id", threads),
        **activities.load_group(session, "series_id", series),
    }


def _match_all(session: Session, organization: Organization, items: Sequence[Stored]) -> dict[int, Matched]:
    handles = {party.address for item in items for party in item.draft.parties if party.user_id is None}
    directory = load_directory(
        session,
        organization,
        handles,
        {item.activity_id: [each for each in (item.thread_id, item.series_id) if each] for item in items},
    )
    sizes = Counter(map(_group, items))
    pasts = {group: Past() for group, size in sizes.items() if size > 1}
    precedents = {group: past.precedents for group, past in pasts.items()}
    directory = replace(directory, precedents=precedents)
    results: dict[int, Matched] = {}
    for item in sorted(items, key=_chronology):
        matched = match(item.draft, directory, item.thread_id, item.series_id)
        results[item.activity_id] = matched
        if matched.links and (past := pasts.get(_group(item))) is not None:
            past.add(_precedent(item, matched))
    return results


def _group(item: Stored) -> int:
    return item.thread_id or item.series_id or item.activity_id


def _chronology(item: Stored) -> tuple[datetime, int]:
    return item.draft.occurred_at, item.activity_id


def _precedent(item: Stored, matched: Matched) -> Precedent:
    return Precedent(
        activity_id=item.activity_id,
        occurred_at=item.draft.occurred_at,
        deals=tuple((link.target_id, link.weight) for link in matched.links if link.target == "deal"),
        companies=tuple(link.target_id for link in matched.links if link.target == "company"),
        external_handles=frozenset(
            party.address for party in matched.parties if party.user_id is None and not party.resource
        ),
        subject=item.draft.subject,
        undecided=matched.review is not None,
    )


def _differing(items: Iterable[Stored], results: dict[int, Matched]) -> list[tuple[Stored, Matched]]:
    return [
        (item, results[item.activity_id])
        for item in items
        if (now := results[item.activity_id]) != item.matched
        and _comparable(now) != _comparable(item.matched)
    ]


def _comparable(matched: Matched) -> tuple[object, ...]:
    contacts = {(p.role, p.address): p.contact_id for p in matched.parties}
    links = {(k.target, k.target_id): (k.method, round(k.weight, 9), dict(k.evidence)) for k in matched.links}
    return contacts, links, matched.review, matched.business
