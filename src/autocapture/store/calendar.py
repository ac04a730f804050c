"""Calendar resources as each calendar holds them: the source from which meetings are derived, again and again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlmodel import Session, col

from autocapture.formats.recurrence import original_key
from autocapture.formats.time_zones import WrittenZone, zone_of
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import CalendarItem
from autocapture.model.ledger import LedgerEntry
from autocapture.records import Attendee, EventRecord, Recurrence
from autocapture.store.bulk import among, in_chunks, rows_of, table_of, upsert


@dataclass(frozen=True, slots=True)
class Copy:
    """One calendar's copy of a resource, with the user whose calendar it is and the bound of that account's backfill."""

    channel_id: int
    source_id: str
    series_id: int
    user_id: int
    since: date | None
    record: EventRecord
    first_seen_at: datetime
    gone_at: datetime | None
    moves: Mapping[str, tuple[str, ...]]
    """By original start, empty for an event that does not recur: when it began before, in ISO 8601, oldest first."""


def save(session: Session, rows: Sequence[tuple[int, str, int, EventRecord]], now: datetime) -> None:
    """Stores (channel id, source id, series id, record); an item that had left is back. When it began before stays known."""
    ids = sorted({source_id for _, source_id, _, _ in rows})
    before = {
        (channel_id, source_id): data
        for channel_id in {row[0] for row in rows}
        for source_id, data in rows_of(
            session,
            select(_ITEM.source_id, _ITEM.data).where(
                _ITEM.channel_id == channel_id, among(session, _ITEM.source_id, ids)
            ),
        )
    }
    upsert(
        session,
        CalendarItem,
        [
            {
                "channel_id": channel_id,
                "source_id": source_id,
                "series_id": series_id,
                "data": _with_moves(record, before.get((channel_id, source_id))),
                "first_seen_at": now,
                "gone_at": None,
            }
            for channel_id, source_id, series_id, record in rows
        ],
        keep=("first_seen_at",),
    )


_ITEM = table_of(CalendarItem).c
_MOVES = "began_before"


def _with_moves(record: EventRecord, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The record as JSON, with the starts that what it tells of had when it was read before, oldest first."""
    data = record_to_json(record)
    if before is None:
        return data
    starts, former = _starts(record), _starts(record_from_json(before))
    moves: dict[str, list[str]] = {}
    for key, start in starts.items():
        history = [*before.get(_MOVES, {}).get(key, ())]
        if key in former and former[key] != start:
            history.append(former[key])
        if history:
            moves[key] = history
    return {**data, _MOVES: moves} if moves else data


def _starts(record: EventRecord) -> dict[str, str]:
    """When each instance begins that the resource tells of by itself: empty text for an event that does not recur, else its
    original start. Of private ones nothing is kept."""
    told = [each for each in (record, *record.overrides) if not each.private]
    return {
        "" if each.recurrence_id is None else original_key(each.recurrence_id).isoformat(): original_key(
            each.starts_at
        ).isoformat()
        for each in told
        if each.recurrence is None
    }


def copies(session: Session, series_ids: Collection[int]) -> list[Copy]:
    """Every stored copy of these series, in a fixed order."""
    found: list[Copy] = []
    for chunk in in_chunks(sorted(series_ids)):
        rows = session.execute(
            select(
                CalendarItem,
                col(Account.user_id),
                func.coalesce(col(Account.kept_since), col(Account.since)),
            )
            .join(Channel, col(Channel.id) == col(CalendarItem.channel_id))
            .join(Account, col(Account.id) == col(Channel.account_id))
            .where(col(CalendarItem.series_id).in_(chunk))
            .order_by(col(CalendarItem.channel_id), col(CalendarItem.source_id))
        )
        found.extend(
            Copy(
                item.channel_id,
                item.source_id,
                item.series_id,
                user_id,
                since,
                record_from_json(item.data),
                item.first_seen_at,
                item.gone_at,
                {key: tuple(starts) for key, starts in item.data.get(_MOVES, {}).items()},
            )
            for item, user_id, since in rows
        )
    return found


def series_of(session: Session, channel_id: int, source_ids: Sequence[str]) -> dict[str, int]:
    """The series to which these items of one channel belong, of those that are kept."""
    item = table_of(CalendarItem).c
    statement = select(item.source_id, item.series_id).where(
        item.channel_id == channel_id, among(session, item.source_id, source_ids)
    )
    return dict(rows_of(session, statement))


def shown_as(session: Session, series_ids: Collection[int]) -> dict[tuple[int, str], tuple[int, int]]:
    """The resources of these series that the ledger names as showing another one, since their UID stands for several
    meetings: by channel and source id, the series of the UID and the one that is shown."""
    return _shown_as(session, CalendarItem, series_ids)


def series_of_shown(session: Session, shown: Collection[int]) -> set[int]:
    """The series, as the UIDs tell them, of meetings that are stored under these."""
    apart = {own: series for series, own in _shown_as(session, LedgerEntry, shown).values()}
    return {apart.get(each, each) for each in shown}


def _shown_as(
    session: Session, where: type[CalendarItem] | type[LedgerEntry], series_ids: Collection[int]
) -> dict[tuple[int, str], tuple[int, int]]:
    item, entry = table_of(CalendarItem), table_of(LedgerEntry)
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for chunk in in_chunks(sorted(series_ids)):
        rows = session.execute(
            select(item.c.channel_id, item.c.source_id, item.c.series_id, entry.c.series_id)
            .join(entry, (entry.c.channel_id == item.c.channel_id) & (entry.c.source_id == item.c.source_id))
            .where(table_of(where).c.series_id.in_(chunk), entry.c.series_id != item.c.series_id)
        )
        found.update({(channel_id, source_id): (of_uid, own) for channel_id, source_id, of_uid, own in rows})
    return found


def leave(session: Session, channel_id: int, source_ids: Sequence[str], at: datetime | None) -> None:
    """The items left the calendar at `at`, or (None) are back."""
    table = table_of(CalendarItem)
    for chunk in in_chunks(source_ids):
        session.execute(
            table.update()
            .where(table.c.channel_id == channel_id, table.c.source_id.in_(chunk))
            .values(gone_at=at)
        )


def forget(session: Session, channel_id: int, source_ids: Sequence[str]) -> None:
    """Deletes copies that must not be kept any longer (they turned private, or an exclusion names them)."""
    table = table_of(CalendarItem)
    for chunk in in_chunks(source_ids):
        session.execute(table.delete().where(table.c.channel_id == channel_id, table.c.source_id.in_(chunk)))


def recurring(session: Session) -> set[int]:
    """Series that have a recurrence rule, whose window of derived meetings moves on with time."""
    rule = func.json_extract(col(CalendarItem.data), "$.recurrence.rules")
    if session.get_bind().dialect.name == "postgresql":
        rule = func.json_extract_path_text(col(CalendarItem.data), "recurrence", "rules")
    return set(session.scalars(select(col(CalendarItem.series_id)).where(rule.is_not(None)).distinct()))


def record_to_json(record: EventRecord) -> dict[str, Any]:
    data: dict[str, Any] = {
        "uid": record.uid,
        "starts_at": record.starts_at.isoformat(),
        "ends_at": record.ends_at.isoformat(),
        "time_zone": record.time_zone,
        "title": record.title,
        "sequence": record.sequence,
        "status": record.status,
        "transparent": record.transparent,
        "private": record.private,
        "purpose": record.purpose,
        "attendees": [_attendee_to_json(attendee) for attendee in record.attendees],
    }
    if record.organizer:
        data["organizer"] = _attendee_to_json(record.organizer)
    for name in ("recurrence_id", "created_at", "modified_at"):
        if (value := getattr(record, name)) is not None:
            data[name] = value.isoformat()
    if record.recurrence:
        if isinstance(record.starts_at, datetime) and isinstance(record.starts_at.tzinfo, WrittenZone):
            data["zone"] = record.starts_at.tzinfo.text
        data["recurrence"] = {
            "rules": list(record.recurrence.rules),
            "dates": [when.isoformat() for when in record.recurrence.dates],
            "excluded": [when.isoformat() for when in record.recurrence.excluded],
        }
    if record.overrides:
        data["overrides"] = [record_to_json(override) for override in record.overrides]
    return data


def record_from_json(data: Mapping[str, Any]) -> EventRecord:
    zone = _zone(data.get("time_zone")) or zone_of(data.get("zone", ""))
    recurrence = data.get("recurrence")
    return EventRecord(
        uid=data["uid"],
        starts_at=_instant(data["starts_at"], zone),
        ends_at=_instant(data["ends_at"], zone),
        title=data["title"],
        recurrence_id=_instant(data["recurrence_id"], zone) if "recurrence_id" in data else None,
        sequence=data["sequence"],
        status=data["status"],
        organizer=Attendee(**data["organizer"]) if "organizer" in data else None,
        attendees=tuple(Attendee(**attendee) for attendee in data["attendees"]),
        time_zone=data.get("time_zone"),
        private=data["private"],
        transparent=data["transparent"],
        purpose=data["purpose"],
        recurrence=Recurrence(
            tuple(recurrence["rules"]),
            tuple(_instant(when, zone) for when in recurrence["dates"]),
            tuple(_instant(when, zone) for when in recurrence["excluded"]),
        )
        if recurrence
        else None,
        created_at=_moment(data.get("created_at")),
        modified_at=_moment(data.get("modified_at")),
        overrides=tuple(record_from_json(override) for override in data.get("overrides", ())),
    )


def _attendee_to_json(attendee: Attendee) -> dict[str, Any]:
    return {
        "email": attendee.email,
        "name": attendee.name,
        "response": attendee.response,
        "optional": attendee.optional,
        "resource": attendee.resource,
    }


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _instant(text: str, zone: tzinfo | None) -> datetime | date:
    """A date stays a date; an instant returns to its event's zone, since a series keeps wall-clock time over a DST change."""
    if len(text) == len("2026-11-21"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(zone) if zone else moment


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
