"""Activities as rows: loading what is stored as drafts, writing new ones, replacing changed ones.

Every write also marks the dirty metric cells and queues the activity for the CRM, in the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, literal_column, select, tuple_
from sqlmodel import Session, SQLModel, col

from autocapture.model.activities import (
    Activity,
    ActivityAlias,
    ActivityText,
    Match,
    Participant,
    Participation,
)
from autocapture.model.created import AddressDetail
from autocapture.model.draft import Draft, Link, Matched, Part, Party, Sign
from autocapture.model.ledger import OutboxEntry
from autocapture.model.measures import DirtyCell
from autocapture.store.bulk import (
    delete_where_in,
    execute_many,
    in_chunks,
    insert_missing_tuples,
    insert_tuples,
    table_of,
    update_rows,
)
from autocapture.store.lookup import Lookup
from autocapture.values import value

_ACTIVITY = (
    "id", "dedupe_key", "kind", "occurred_at", "ends_at", "duration_s", "direction", "nature", "status", "subject",
    "external", "thread_id", "series_id", "fingerprint", "booked_at", "moved_count", "evidence",
    "remark", "deal_key", "meeting_id", "review", "business", "known_at", "changed_at",
)  # fmt: skip
_LOADED = _ACTIVITY[:-1]
_PARTICIPANT = ("activity_id", "role", "address", "name", "response", "resource", "user_id", "contact_id")
_PARTICIPATION = ("activity_id", "user_id", "local_date", "role", "counts", "share", "booked_date")
_MATCH = ("activity_id", "target", "target_id", "method", "weight", "evidence", "rule_version")
_OUTBOX = ("activity_id", "version", "pushed_version", "queued_at")


def _children(model: type[SQLModel], names: Sequence[str], *order: str) -> Lookup:
    """The rows that hang on activities, the activity's id first."""
    table = table_of(model)
    columns = [table.c[name] for name in names]
    return Lookup(
        lambda among: (
            select(*columns)
            .where(among(table.c.activity_id, "ids"))
            .order_by(*[table.c[name] for name in order])
        )
    )


def _of_group(column: str) -> Lookup:
    return Lookup(lambda among: select(_STORED.id).where(among(_STORED[column], "groups")))


_STORED, _ALIAS = table_of(Activity).c, table_of(ActivityAlias).c
_KNOWN = Lookup(lambda among: select(*[_STORED[name] for name in _LOADED]).where(among(_STORED.id, "ids")))
_OF_GROUP = {column: _of_group(column) for column in ("thread_id", "series_id")}
_PARTICIPANTS = _children(Participant, _PARTICIPANT, "role", "address")
_PARTICIPATIONS = _children(Participation, _PARTICIPATION, "user_id")
_MATCHES = _children(Match, _MATCH)
_ALIASES = Lookup(lambda among: select(_ALIAS.key, _ALIAS.activity_id).where(among(_ALIAS.key, "keys")))
_ALIKE = Lookup(
    lambda among: select(_STORED.fingerprint, _STORED.id).where(among(_STORED.fingerprint, "prints"))
)


@value(frozen=True, slots=True)
class Stored:
    """An activity with everything that hangs on it. A stored draft has no thread keys: they live in `ThreadKey`.

    `matched` is how it is stored, `NOT_YET` of one that is new or has changed.
    """

    activity_id: int
    draft: Draft
    matched: Matched
    known_at: datetime
    thread_id: int | None = None
    series_id: int | None = None
    meeting_id: int | None = None
    """The meeting of which a call is a part; `series_id` is then that one's."""


NOT_YET = Matched(())
"""How an activity is matched that `workflows.matching` has not seen yet."""


def load(session: Session, activity_ids: Collection[int]) -> dict[int, Stored]:
    """The stored activities among these ids."""
    if not activity_ids:
        return {}
    return _assemble(session, _KNOWN(session, ids=activity_ids))


def load_group(
    session: Session, column: str, values: Collection[int], *, but: Collection[int] = frozenset()
) -> dict[int, Stored]:
    """The stored activities of these threads (`thread_id`) or series (`series_id`), without those of the ids `but`."""
    if not values:
        return {}
    found = _OF_GROUP[column](session, groups=values)
    return load(session, [activity_id for (activity_id,) in found if activity_id not in but])


def _assemble(session: Session, rows: Sequence[Any]) -> dict[int, Stored]:
    ids = [row[0] for row in rows]
    parties: dict[int, list[Party]] = defaultdict(list)
    if not rows:
        return {}
    for row in _PARTICIPANTS(session, ids=ids):
        parties[row[0]].append(Party(*row[1:]))
    parts: dict[int, list[Part]] = defaultdict(list)
    for row in _PARTICIPATIONS(session, ids=ids):
        parts[row[0]].append(Part(*row[1:]))
    links: dict[int, list[Link]] = defaultdict(list)
    for row in _MATCHES(session, ids=ids):
        links[row[0]].append(Link(*row[1:]))
    return {row[0]: _stored(row, parties[row[0]], parts[row[0]], links[row[0]]) for row in rows}


def _stored(row: Any, parties: Sequence[Party], parts: Sequence[Part], links: Sequence[Link]) -> Stored:
    (
        activity_id, dedupe_key, kind, occurred_at, ends_at, duration_s, direction, nature, status, subject,
        external, thread_id, series_id, fingerprint, booked_at, moved_count, evidence,
        remark, deal_key, meeting_id, review, business, known_at,
    ) = row  # fmt: skip
    draft = Draft(
        dedupe_key=dedupe_key,
        kind=kind,
        occurred_at=occurred_at,
        direction=direction,
        parties=tuple([_without_contact(party) for party in parties]),
        parts=tuple(parts),
        ends_at=ends_at,
        duration_s=duration_s,
        nature=nature,
        status=status,
        subject=subject,
        external=external,
        fingerprint=fingerprint,
        booked_at=booked_at,
        moved_count=moved_count,
        evidence=_signs(evidence) if evidence else (),
        remark=remark,
        deal_key=deal_key,
    )
    matched = Matched(tuple(parties), tuple(links), review, business)
    return Stored(activity_id, draft, matched, known_at, thread_id, series_id, meeting_id)


def _without_contact(party: Party) -> Party:
    if party.contact_id is None:
        return party
    return Party(party.role, party.address, party.name, party.response, party.resource, party.user_id)


def add(session: Session, new: Sequence[tuple[Stored, Matched]], now: datetime) -> None:
    """Writes activities that are not stored yet, matched like this."""
    rows = [_activity_row(item, matched, now) for item, matched in new]
    insert_tuples(session, Activity, _ACTIVITY, rows)
    _write_children(session, new)
    _queue(session, [item for item, _ in new], now)


def change(session: Session, changed: Sequence[tuple[Stored, Stored, Matched]], now: datetime) -> None:
    """Replaces stored activities (before, after, how that is matched); the days they left are dirty too."""
    if not changed:
        return
    _delete_children(session, [after.activity_id for _, after, _ in changed])
    activity = table_of(Activity)
    for _, after, matched in changed:
        row = dict(zip(_ACTIVITY, _activity_row(after, matched, now), strict=True))
        session.execute(activity.update().where(activity.c.id == row.pop("id")).values(row))
    _write_children(session, [(after, matched) for _, after, matched in changed])
    mark_dirty(session, (cell for before, _, _ in changed for cell in _cells(before.draft.parts)))
    _queue(session, [after for _, after, _ in changed], now)


def remove(session: Session, gone: Sequence[Stored]) -> None:
    """Deletes activities that must not be kept (an occurrence that its series no longer has, an item turned private)."""
    ids = [item.activity_id for item in gone]
    _delete_children(session, ids)
    for model, column in (
        (ActivityText, "activity_id"),
        (OutboxEntry, "activity_id"),
        (ActivityAlias, "activity_id"),
        (AddressDetail, "activity_id"),
    ):
        delete_where_in(session, model, column, ids)
    delete_where_in(session, Activity, "id", ids)
    mark_dirty(session, (cell for item in gone for cell in _cells(item.draft.parts)))


def mark_dirty(session: Session, cells: Iterable[tuple[int, date]]) -> None:
    """The rollups of these users' days are to be computed anew."""
    insert_missing_tuples(session, DirtyCell, ("user_id", "local_date"), sorted(set(cells)))


def aliases(session: Session, keys: Collection[int]) -> dict[int, int]:
    """Activity ids by the alias keys (rewritten Message-IDs) that are known for them."""
    return dict(_ALIASES(session, keys=keys))


def with_fingerprints(session: Session, fingerprints: Collection[int]) -> dict[int, list[int]]:
    """Ids of stored activities by fingerprint."""
    found: dict[int, list[int]] = defaultdict(list)
    for fingerprint, activity_id in _ALIKE(session, prints=fingerprints):
        found[fingerprint].append(activity_id)
    return found


def _write_children(session: Session, items: Sequence[tuple[Stored, Matched]]) -> None:
    parties = [
        (
            item.activity_id, party.role, party.address, party.name,
            party.response, party.resource, party.user_id, party.contact_id,
        )
        for item, matched in items
        for party in matched.parties
    ]  # fmt: skip
    insert_tuples(session, Participant, _PARTICIPANT, parties)
    parts = [
        (
            item.activity_id, part.user_id, part.local_date, part.role,
            part.counts, part.share, part.booked_date,
        )
        for item, _ in items
        for part in item.draft.parts
    ]  # fmt: skip
    insert_tuples(session, Participation, _PARTICIPATION, parts)
    _write_matches(session, items)
    mark_dirty(session, (cell for item, _ in items for cell in _cells(item.draft.parts)))


def _write_matches(session: Session, items: Iterable[tuple[Stored, Matched]]) -> None:
    links = [
        (
            item.activity_id, link.target, link.target_id, link.method,
            link.weight, link.evidence, link.rules,
        )
        for item, matched in items
        for link in matched.links
    ]  # fmt: skip
    insert_tuples(session, Match, _MATCH, links)


def rematch(session: Session, changed: Sequence[tuple[Stored, Matched]], now: datetime) -> None:
    """Stores new matches of activities that are otherwise unchanged."""
    if not changed:
        return
    delete_where_in(session, Match, "activity_id", [item.activity_id for item, _ in changed])
    _write_matches(session, changed)
    judged = [(item.activity_id, matched.review, matched.business, now) for item, matched in changed]
    update_rows(session, Activity, ("id",), ("review", "business", "changed_at"), judged)
    recognised = [row for item, matched in changed for row in _recognised(item, matched)]
    update_rows(session, Participant, ("activity_id", "role", "address"), ("contact_id",), recognised)
    _queue(session, [item for item, _ in changed], now)
    mark_dirty(session, (cell for item, _ in changed for cell in _cells(item.draft.parts)))


def _recognised(item: Stored, matched: Matched) -> Iterator[tuple[Any, ...]]:
    """The parties who turned out to be somebody else."""
    before = {(party.role, party.address): party.contact_id for party in item.matched.parties}
    for party in matched.parties:
        if before.get((party.role, party.address)) != party.contact_id:
            yield item.activity_id, party.role, party.address, party.contact_id


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
    rows = [(item.activity_id, 1, 0, now) for item in items]
    execute_many(session, _once_more, table_of(OutboxEntry), _OUTBOX, rows)


def _once_more(insert_of: Any, table: Table, _names: tuple[str, ...]) -> Any:
    """An entry that waits already stands for one more change."""
    statement = insert_of(table)
    one: ColumnElement[int] = literal_column("1")  # no parameter of its own
    again = {"version": table.c.version + one, "queued_at": statement.excluded.queued_at}
    return statement.on_conflict_do_update(index_elements=["activity_id"], set_=again)


def _cells(parts: Iterable[Part]) -> Iterable[tuple[int, date]]:
    for part in parts:
        yield part.user_id, part.local_date
        if part.booked_date is not None:
            yield part.user_id, part.booked_date


def _activity_row(item: Stored, matched: Matched, now: datetime) -> tuple[Any, ...]:
    draft = item.draft
    return (
        item.activity_id, draft.dedupe_key, draft.kind, draft.occurred_at, draft.ends_at, draft.duration_s,
        draft.direction, draft.nature, draft.status, draft.subject, draft.external, item.thread_id, item.series_id,
        draft.fingerprint, draft.booked_at, draft.moved_count,
        [_as_row(sign) for sign in draft.evidence] or None, draft.remark, draft.deal_key, item.meeting_id,
        matched.review, matched.business, item.known_at, now,
    )  # fmt: skip


def _signs(rows: Iterable[Mapping[str, Any]]) -> tuple[Sign, ...]:
    return tuple(
        [
            Sign(row["sign"], row["says"], row["grade"], tuple(row.get("who", ())), row.get("activity"))
            for row in rows
        ]
    )


def _as_row(sign: Sign) -> dict[str, Any]:
    row: dict[str, Any] = {"sign": sign.sign, "says": sign.says, "grade": sign.grade}
    if sign.who:
        row["who"] = list(sign.who)
    if sign.activity_id is not None:
        row["activity"] = sign.activity_id
    return row
