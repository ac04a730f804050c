"""Activities as rows: loading what is stored as drafts, writing new ones, replacing changed ones.

Every write also marks the dirty metric cells and queues the activity for the CRM, in the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, literal_column, select, tuple_
from sqlmodel import Session, SQLModel, col

from autocapture.model.activities import (
    Activity,
    ActivityAlias,
    ActivityText,
    Match,
    Participant,
    Participation,
)
from autocapture.model.draft import Draft, Link, Matched, Part, Party
from autocapture.model.ledger import OutboxEntry
from autocapture.model.measures import DirtyCell
from autocapture.store.bulk import delete_where_in, execute_many, in_chunks, insert, insert_missing, table_of
from autocapture.store.engine import insert_for


@dataclass(frozen=True, slots=True)
class Stored:
    """An activity with everything that hangs on it. A stored draft has no thread keys: they live in `ThreadKey`."""

    activity_id: int
    draft: Draft
    matched: Matched
    known_at: datetime
    thread_id: int | None = None
    series_id: int | None = None


def load(session: Session, activity_ids: Collection[int]) -> dict[int, Stored]:
    """The stored activities among these ids."""
    found: dict[int, Stored] = {}
    for chunk in in_chunks(sorted(activity_ids)):
        rows = session.execute(select(table_of(Activity)).where(col(Activity.id).in_(chunk))).all()
        if rows:
            found.update(_assemble(session, rows))
    return found


def load_group(session: Session, column: str, values: Collection[int]) -> dict[int, Stored]:
    """The stored activities of these threads (`thread_id`) or series (`series_id`)."""
    ids: set[int] = set()
    for chunk in in_chunks(sorted(values)):
        ids.update(session.scalars(select(col(Activity.id)).where(col(getattr(Activity, column)).in_(chunk))))
    return load(session, ids)


def _assemble(session: Session, rows: Sequence[Row[Any]]) -> dict[int, Stored]:
    ids = [row.id for row in rows]
    parties: dict[int, list[Party]] = defaultdict(list)
    participants = select(table_of(Participant)).where(col(Participant.activity_id).in_(ids))
    for p in session.execute(participants.order_by(col(Participant.role), col(Participant.address))):
        parties[p.activity_id].append(
            Party(p.role, p.address, p.name, p.response, p.resource, p.user_id, p.contact_id)
        )
    parts: dict[int, list[Part]] = defaultdict(list)
    participations = select(table_of(Participation)).where(col(Participation.activity_id).in_(ids))
    for q in session.execute(participations.order_by(col(Participation.user_id))):
        parts[q.activity_id].append(Part(q.user_id, q.local_date, q.role, q.counts, q.share, q.booked_date))
    links: dict[int, list[Link]] = defaultdict(list)
    for m in session.execute(select(table_of(Match)).where(col(Match.activity_id).in_(ids))):
        links[m.activity_id].append(Link(m.target, m.target_id, m.method, m.weight, m.evidence))
    return {
        row.id: Stored(
            activity_id=row.id,
            draft=_draft(row, tuple(parties[row.id]), tuple(parts[row.id])),
            matched=Matched(tuple(parties[row.id]), tuple(links[row.id]), row.review),
            known_at=row.known_at,
            thread_id=row.thread_id,
            series_id=row.series_id,
        )
        for row in rows
    }


def _draft(row: Row[Any], parties: tuple[Party, ...], parts: tuple[Part, ...]) -> Draft:
    return Draft(
        dedupe_key=row.dedupe_key,
        kind=row.kind,
        occurred_at=row.occurred_at,
        direction=row.direction,
        parties=tuple(replace(party, contact_id=None) for party in parties),
        parts=parts,
        ends_at=row.ends_at,
        duration_s=row.duration_s,
        nature=row.nature,
        status=row.status,
        subject=row.subject,
        external=row.external,
        fingerprint=row.fingerprint,
        booked_at=row.booked_at,
        moved_count=row.moved_count,
    )


def add(session: Session, new: Sequence[Stored], now: datetime) -> None:
    """Writes activities that are not stored yet."""
    insert(session, Activity, [_activity_row(item, now) for item in new])
    _write_children(session, new)
    _queue(session, new, now)


def change(session: Session, changed: Sequence[tuple[Stored, Stored]], now: datetime) -> None:
    """Replaces stored activities (before, after); the days they left are dirty too."""
    if not changed:
        return
    ids = [after.activity_id for _, after in changed]
    _delete_children(session, ids)
    activity = table_of(Activity)
    for _, after in changed:
        row = _activity_row(after, now)
        session.execute(activity.update().where(activity.c.id == row.pop("id")).values(row))
    _write_children(session, [after for _, after in changed])
    mark_dirty(session, (cell for before, _ in changed for cell in _cells(before.draft.parts)))
    _queue(session, [after for _, after in changed], now)


def remove(session: Session, gone: Sequence[Stored]) -> None:
    """Deletes activities that must not be kept (an occurrence that its series no longer has, an item turned private)."""
    ids = [item.activity_id for item in gone]
    _delete_children(session, ids)
    for model, column in (
        (ActivityText, "activity_id"),
        (OutboxEntry, "activity_id"),
        (ActivityAlias, "activity_id"),
    ):
        delete_where_in(session, model, column, ids)
    delete_where_in(session, Activity, "id", ids)
    mark_dirty(session, (cell for item in gone for cell in _cells(item.draft.parts)))


def mark_dirty(session: Session, cells: Iterable[tuple[int, date]]) -> None:
    """The rollups of these users' days are to be computed anew."""
    insert_missing(
        session,
        DirtyCell,
        [{"user_id": user_id, "local_date": local_date} for user_id, local_date in sorted(set(cells))],
    )


def aliases(session: Session, keys: Collection[int]) -> dict[int, int]:
    """Activity ids by the alias keys (rewritten Message-IDs) that are known for them."""
    found: dict[int, int] = {}
    for chunk in in_chunks(sorted(keys)):
        rows = session.execute(
            select(col(ActivityAlias.key), col(ActivityAlias.activity_id)).where(
                col(ActivityAlias.key).in_(chunk)
            )
        )
        found.update((key, activity_id) for key, activity_id in rows)
    return found


def with_fingerprints(session: Session, fingerprints: Collection[int]) -> dict[int, list[int]]:
    """Ids of stored activities by fingerprint."""
    found: dict[int, list[int]] = defaultdict(list)
    for chunk in in_chunks(sorted(fingerprints)):
        rows = session.execute(
            select(col(Activity.fingerprint), col(Activity.id)).where(col(Activity.fingerprint).in_(chunk))
        )
        for fingerprint, activity_id in rows:
            found[fingerprint].append(activity_id)
    return found


def _write_children(session: Session, items: Sequence[Stored]) -> None:
    insert(session, Participant, [row for item in items for row in _participant_rows(item)])
    insert(
        session,
        Participation,
        [
            {
                "activity_id": item.activity_id,
                "user_id": part.user_id,
                "local_date": part.local_date,
                "role": part.role,
                "counts": part.counts,
                "share": part.share,
                "booked_date": part.booked_date,
            }
            for item in items
            for part in item.draft.parts
        ],
    )
    insert(
        session, Match, [row for item in items for row in match_rows(item.activity_id, item.matched.links)]
    )
    mark_dirty(session, (cell for item in items for cell in _cells(item.draft.parts)))


def match_rows(activity_id: int, links: Iterable[Link]) -> list[dict[str, Any]]:
    return [
        {
            "activity_id": activity_id,
            "target": link.target,
            "target_id": link.target_id,
            "weight": link.weight,
            "method": link.method,
            "evidence": dict(link.evidence),
            "rule_version": 1,
        }
        for link in links
    ]


def rematch(session: Session, changed: Sequence[tuple[Stored, Matched]], now: datetime) -> None:
    """Stores new matches of activities that are otherwise unchanged."""
    if not changed:
        return
    activity, participant = table_of(Activity), table_of(Participant)
    delete_where_in(session, Match, "activity_id", [item.activity_id for item, _ in changed])
    insert(
        session,
        Match,
        [row for item, matched in changed for row in match_rows(item.activity_id, matched.links)],
    )
    for item, matched in changed:
        session.execute(
            activity.update()
            .where(activity.c.id == item.activity_id)
            .values(review=matched.review, changed_at=now)
        )
        before = {(party.role, party.address): party.contact_id for party in item.matched.parties}
        for party in matched.parties:
            if before.get((party.role, party.address)) != party.contact_id:
                session.execute(
                    participant.update()
                    .where(
                        participant.c.activity_id == item.activity_id,
                        participant.c.role == party.role,
                        participant.c.address == party.address,
                    )
                    .values(contact_id=party.contact_id)
                )
    _queue(session, [item for item, _ in changed], now)
    mark_dirty(session, (cell for item, _ in changed for cell in _cells(item.draft.parts)))


def _delete_children(session: Session, ids: Sequence[int]) -> None:
    models: tuple[type[SQLModel], ...] = (Participant, Match)
    for model in models:
        delete_where_in(session, model, "activity_id", ids)
    keys = (col(Participation.user_id), col(Participation.local_date), col(Participation.activity_id))
    for chunk in in_chunks(ids):
        rows = session.execute(select(*keys).where(col(Participation.activity_id).in_(chunk))).all()
        for part in in_chunks([tuple(row) for row in rows]):
            session.execute(delete(Participation).where(tuple_(*keys).in_(part)))


def _queue(session: Session, items: Sequence[Stored], now: datetime) -> None:
    if not items:
        return
    statement = insert_for(session)(table_of(OutboxEntry))
    one: ColumnElement[int] = literal_column("1")  # no parameter of its own
    again = {"version": table_of(OutboxEntry).c.version + one, "queued_at": statement.excluded.queued_at}
    execute_many(
        session,
        statement.on_conflict_do_update(index_elements=["activity_id"], set_=again),
        table_of(OutboxEntry),
        [{"activity_id": i.activity_id, "version": 1, "pushed_version": 0, "queued_at": now} for i in items],
    )


def _cells(parts: Iterable[Part]) -> Iterable[tuple[int, date]]:
    for part in parts:
        yield part.user_id, part.local_date
        if part.booked_date is not None:
            yield part.user_id, part.booked_date


def _activity_row(item: Stored, now: datetime) -> dict[str, Any]:
    draft = item.draft
    return {
        "id": item.activity_id,
        "dedupe_key": draft.dedupe_key,
        "kind": draft.kind,
        "occurred_at": draft.occurred_at,
        "ends_at": draft.ends_at,
        "duration_s": draft.duration_s,
        "direction": draft.direction,
        "nature": draft.nature,
        "status": draft.status,
        "subject": draft.subject,
        "external": draft.external,
        "thread_id": item.thread_id,
        "series_id": item.series_id,
        "fingerprint": draft.fingerprint,
        "booked_at": draft.booked_at,
        "moved_count": draft.moved_count,
        "review": item.matched.review,
        "known_at": item.known_at,
        "changed_at": now,
    }


def _participant_rows(item: Stored) -> list[Mapping[str, Any]]:
    return [
        {
            "activity_id": item.activity_id,
            "role": party.role,
            "address": party.address,
            "name": party.name,
            "response": party.response,
            "user_id": party.user_id,
            "contact_id": party.contact_id,
            "resource": party.resource,
        }
        for party in item.matched.parties
    ]
