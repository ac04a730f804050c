"""Matching what a batch touches: threads and series whole, whose activities are evidence for each other.

A backfill runs newest first, so a reply is often stored before the mail it answers. Whatever joins a thread or series
therefore has all of it matched anew: the links do not depend on the order of arrival.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.match import match, reaches_deals
from autocapture.match.named import keys_in, may_give_key
from autocapture.match.references import references_in
from autocapture.match.rules import shipped_rules
from autocapture.model.activities import Activity
from autocapture.model.directory import Directory, Organization
from autocapture.model.draft import Matched
from autocapture.model.matching import Occurrence
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.bulk import in_chunks
from autocapture.store.directory import load_directory, with_named, with_references
from autocapture.store.engine import reading, take_turn, writing
from autocapture.workflows import collector
from autocapture.workflows.kept_out import without_kept_out
from autocapture.workflows.lines import calls_around, with_lines
from autocapture.workflows.own_words import texts_of, with_text
from autocapture.workflows.people import our_people
from autocapture.workflows.rules_in_force import require_in_force

BATCH = 1_000


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
    neighbours = _neighbours(session, touched, but={**fresh, **after}.keys())
    members = {**neighbours, **fresh, **after}
    results = _match_all(session, organization, list(members.values()))
    in_order = sorted(new, key=attrgetter("activity_id"))  # as the indexes have them
    activities.add(session, [(item, results[item.activity_id]) for item in in_order], now)
    activities.change(session, [(before, item, results[item.activity_id]) for before, item in changed], now)
    activities.rematch(session, _differing(neighbours.values(), results), now)
    if calls := calls_around(session, [*touched, *(before for before, _ in changed)]) - members.keys():
        rematch(session, organization, calls, now)


def rematch_everything(app: Application) -> int:
    """Matches every stored activity anew, as of its own time, in batches; the number of activities that changed.

    Run after an import: companies, contacts and deals may have appeared, changed or merged since.
    """
    with reading(app.engine) as session:
        pending = list(session.scalars(select(col(Activity.id)).order_by(col(Activity.id))))
    return rematch_in_batches(app, pending)


def rematch_in_batches(app: Application, activity_ids: Sequence[int]) -> int:
    """Matches these anew, with their threads and series, in batches; the number of activities that changed."""
    if not activity_ids:
        return 0
    changed = 0
    organization = our_people(app)
    done: set[int] = set()
    for chunk in in_chunks(activity_ids, BATCH):
        with collector.at_rest(), writing(app.engine) as session:
            take_turn(session)
            left = [key for key in chunk if key not in done]
            members, count = _rematched(session, organization, left, app.clock.now())
            changed += count
            done.update(members)
    return changed


def rematch(session: Session, organization: Organization, ids: Collection[int], now: datetime) -> int:
    """Matches these stored activities anew, with everything of their threads and series; the number that changed."""
    return _rematched(session, organization, ids, now)[1]


def _rematched(
    session: Session, organization: Organization, ids: Collection[int], now: datetime
) -> tuple[Collection[int], int]:
    members, found = differing(session, organization, ids)
    activities.rematch(session, found, now)
    return members.keys(), len(found)


def differing(
    session: Session, organization: Organization, ids: Collection[int]
) -> tuple[dict[int, Stored], list[tuple[Stored, Matched]]]:
    """These stored activities with everything of their threads and series, and those of them that are matched otherwise now, with
    how; nothing is written."""
    batch = activities.load(session, ids)
    members = {**_neighbours(session, list(batch.values()), but=batch.keys()), **batch}
    return members, _differing(members.values(), _match_all(session, organization, list(members.values())))


def _neighbours(session: Session, items: Collection[Stored], *, but: Collection[int]) -> dict[int, Stored]:
    """What else is stored of their threads and series."""
    threads = {item.thread_id for item in items if item.thread_id is not None}
    series = {item.series_id for item in items if item.series_id is not None}
    return {
        **activities.load_group(session, "thread_id", threads, but=but),
        **activities.load_group(session, "series_id", series, but=but),
    }


def _match_all(session: Session, organization: Organization, items: Sequence[Stored]) -> dict[int, Matched]:
    if organization.rules_batch is not None:
        require_in_force(session, organization.rules_batch)
    groups, directory = groups_of(session, organization, items)
    results: dict[int, Matched] = {}
    for group in groups:
        results.update(match(group, directory))
    return results if organization.keeps_out is None else without_kept_out(items, results, directory)


def groups_of(
    session: Session, organization: Organization, items: Sequence[Stored]
) -> tuple[list[list[Occurrence]], Directory]:
    """Stored activities as `match` is asked about them, thread by thread and series by series, with what is known of those who
    take part."""
    handles = {party.address for item in items for party in item.draft.parties if party.user_id is None}
    directory = load_directory(
        session,
        organization,
        handles,
        {item.activity_id: [each for each in (item.thread_id, item.series_id) if each] for item in items},
    )
    directory = with_lines(session, directory, items)
    texts = _texts(session, directory, items)
    directory = with_named(session, directory, _keys(items, texts, organization))
    directory = _with_references(session, directory, items, texts)
    groups: dict[int, list[Occurrence]] = defaultdict(list)
    for item in items:
        key = item.activity_id
        groups[_group(item)].append(Occurrence(key, item.draft, texts.get(key), item.meeting_id))
    return list(groups.values()), directory


def _with_references(
    session: Session, directory: Directory, items: Sequence[Stored], texts: Mapping[int, str]
) -> Directory:
    """With the deals of our people to which these activities refer by number."""
    found = [(item, references_in(item.draft, texts.get(item.activity_id))) for item in items]
    referring = [(item, references) for item, references in found if references]
    if not referring:
        return directory
    ours = {
        party.user_id for item, _ in referring for party in item.draft.parties if party.user_id is not None
    }
    return with_references(session, directory, frozenset().union(*[each for _, each in referring]), ours)


def _keys(items: Sequence[Stored], texts: Mapping[int, str], organization: Organization) -> set[str]:
    """The keys of deals that these activities give."""
    rules = organization.matching or shipped_rules()
    if not rules.deal_links and not any(
        may_give_key(address) for address in {each.address for item in items for each in item.draft.parties}
    ):
        return set()
    return {
        key for item in items for key in keys_in(item.draft, texts.get(item.activity_id), organization, rules)
    }


def _texts(session: Session, directory: Directory, items: Sequence[Stored]) -> Mapping[int, str]:
    """What was written in those mails that may be about a deal."""
    read = directory.organization.read_text
    if read is None or not directory.deals:
        return {}
    kept = with_text(session, [item.activity_id for item in items if item.draft.kind == "email"])
    about = [
        item.activity_id
        for item in items
        if item.activity_id in kept and reaches_deals(item.draft, directory)
    ]
    return texts_of(session, read, about)


def _group(item: Stored) -> int:
    return item.thread_id or item.series_id or item.activity_id


def _differing(items: Iterable[Stored], results: dict[int, Matched]) -> list[tuple[Stored, Matched]]:
    return [
        (item, results[item.activity_id])
        for item in items
        if (now := results[item.activity_id]) != item.matched and _differs(now, item.matched)
    ]


def _differs(one: Matched, other: Matched) -> bool:
    """Whether two answers differ in more than the order of parties and links, the version of the rules, or a rounding."""
    return (
        (one.review, one.business) != (other.review, other.business)
        or _contacts(one) != _contacts(other)
        or _links(one) != _links(other)
    )


def _contacts(matched: Matched) -> Mapping[object, int | None]:
    return {(party.role, party.address): party.contact_id for party in matched.parties}


def _links(matched: Matched) -> Mapping[object, object]:
    return {
        (link.target, link.target_id): (link.method, round(link.weight, 9), dict(link.evidence))
        for link in matched.links
    }
