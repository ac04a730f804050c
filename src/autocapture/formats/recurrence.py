"""The instances of a calendar series within a window, derived from its master and its exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from heapq import merge

from autocapture.errors import RecordUnusable
from autocapture.formats.rules import Rule, expand, most_in_two_years, parse_rule
from autocapture.records import EventRecord

OCCURRENCES_LIMIT = 1_000
"""Instances derived of one series; a longer series gives its first ones of the window."""

ATTENDANCES_LIMIT = 125_000
"""Occurrences of a series in two years, times its people. A weekly meeting of 1,100 people stays below it, and so does a
daily one of 170; an event of up to 125 people is never refused. Each attendance is a row, and all rows of a series are
written in one transaction."""

Key = datetime | date | None

_MARGIN = timedelta(days=2)  # more than any two zones differ


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One instance of an event.

    `key` is its original start, in UTC or as a date, and stays when the instance is moved; None for an event
    that does not recur. `starts_at` and `ends_at` (exclusive) are in UTC, or dates for all-day events.
    `event` describes it: the master or the exception. `cancelled` holds for a cancelled instance and for
    every instance of a cancelled series.
    """

    key: Key
    starts_at: datetime | date
    ends_at: datetime | date
    event: EventRecord
    cancelled: bool


def occurrences(
    records: Sequence[EventRecord], *, window_start: datetime, window_end: datetime
) -> list[Occurrence]:
    """The instances that start in [window_start, window_end), by start; at most `OCCURRENCES_LIMIT`.

    `records` are those of one UID: a master or none, with its overrides, and exceptions delivered by
    themselves. A date stands for its midnight in UTC. The start of a master is an instance even where its
    rule would not produce it (RFC 5545, 3.8.2.4). An exception counts although EXDATE names its original
    start. Raises RecordUnusable for a rule that `parse_rule` or `expand` refuses.
    """
    master = next((record for record in records if record.recurrence_id is None), None)
    exceptions = _exceptions(records, master)
    cancelled = master is not None and master.status == "cancelled"
    found = [
        _occurrence(exception, exception.starts_at, key, cancelled=cancelled)
        for key, exception in exceptions.items()
    ]
    found = [each for each in found if window_start <= _instant(each.starts_at) < window_end]
    if master is not None:
        for key, starts_at in _generated(master, window_start, window_end):
            if len(found) >= OCCURRENCES_LIMIT:
                break
            if key not in exceptions:
                found.append(_occurrence(master, starts_at, key, cancelled=cancelled))
    return sorted(found, key=lambda each: _instant(each.starts_at))[:OCCURRENCES_LIMIT]


def most_attendances(event: EventRecord) -> int:
    """At most so many participants come of the event in two years; a quick bound, far above what most series give."""
    times = 1 if event.recurrence is None else OCCURRENCES_LIMIT
    return times * (len(event.attendees) + 1) + sum(len(each.attendees) + 1 for each in event.overrides)


def refuse_crowd(event: EventRecord) -> None:
    """Raises RecordUnusable, in plain words, for a series so frequent and so large that it would be stored as more than
    `ATTENDANCES_LIMIT` participants.

    Independent of the present day, so an event is judged the same whenever it is read.
    """
    parties = len({each.email.lower() for each in event.attendees}) + (event.organizer is not None)
    if event.recurrence is None or parties * OCCURRENCES_LIMIT <= ATTENDANCES_LIMIT:
        return
    start = event.starts_at
    local = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    counted = len(event.recurrence.dates)
    for rule in event.recurrence.rules:
        counted += most_in_two_years(parse_rule(rule), local)
    meetings = min(counted, OCCURRENCES_LIMIT)
    if meetings * parties > ATTENDANCES_LIMIT:
        raise RecordUnusable(
            f"it takes place {meetings:,} times in two years with {parties:,} people each:"
            f" more than {ATTENDANCES_LIMIT:,} attendances"
        )


def original_key(recurrence_id: datetime | date) -> datetime | date:
    """The key of an instance: its original start in UTC, or its date."""
    return recurrence_id.astimezone(UTC) if isinstance(recurrence_id, datetime) else recurrence_id


def _exceptions(records: Iterable[EventRecord], master: EventRecord | None) -> dict[Key, EventRecord]:
    """Exceptions by key; of two for one instance the higher SEQUENCE, then the later one.

    Some calendars name an instance of a timed event by its date, or one of an all-day event by a time: its form is
    made that of the master.
    """
    found: dict[Key, EventRecord] = {}
    for record in (each for carrier in records for each in (carrier, *carrier.overrides)):
        if record.recurrence_id is None:
            continue
        key = original_key(_like(record.recurrence_id, master.starts_at if master else record.recurrence_id))
        if key not in found or record.sequence >= found[key].sequence:
            found[key] = record
    return found


def _occurrence(event: EventRecord, starts_at: datetime | date, key: Key, *, cancelled: bool) -> Occurrence:
    begins = original_key(starts_at)
    return Occurrence(key, begins, begins + _length(event), event, cancelled or event.status == "cancelled")


def _length(event: EventRecord) -> timedelta:
    """How long the event takes: exactly for a timed event (RFC 5545, 3.8.5.3), in days for an all-day one."""
    starts_at, ends_at = event.starts_at, event.ends_at
    if isinstance(starts_at, datetime) and isinstance(ends_at, datetime):
        return ends_at.astimezone(UTC) - starts_at.astimezone(UTC)
    return date(ends_at.year, ends_at.month, ends_at.day) - date(
        starts_at.year, starts_at.month, starts_at.day
    )


def _generated(
    master: EventRecord, window_start: datetime, window_end: datetime
) -> Iterator[tuple[Key, datetime | date]]:
    """(key, start) of what the master itself produces in the window, ascending, without duplicates and
    exclusions.
    """
    recurrence = master.recurrence
    if recurrence is None or not (recurrence.rules or recurrence.dates):
        if window_start <= _instant(master.starts_at) < window_end:
            yield None, master.starts_at
        return
    zone = master.starts_at.tzinfo if isinstance(master.starts_at, datetime) else None
    rules = [
        _rule_starts(parse_rule(rule), master.starts_at, window_start, window_end)
        for rule in recurrence.rules
    ]
    listed = sorted(
        (_like(each, master.starts_at) for each in (master.starts_at, *recurrence.dates)), key=_instant
    )
    excluded = {original_key(each) for each in recurrence.excluded}
    previous: datetime | date | None = None
    for starts_at in merge(listed, *rules, key=_instant):
        key = original_key(starts_at)
        local_day = starts_at.astimezone(zone).date() if isinstance(starts_at, datetime) else starts_at
        # Some calendars exclude instances of timed events by their date alone.
        if key == previous or key in excluded or local_day in excluded:
            continue
        if window_start <= _instant(starts_at) < window_end:
            previous = key
            yield key, starts_at


def _rule_starts(
    rule: Rule, start: datetime | date, window_start: datetime, window_end: datetime
) -> Iterator[datetime | date]:
    """The starts that one rule gives, in the event's wall-clock time, so that 9:00 stays 9:00 when the
    clocks change.
    """
    timed = isinstance(start, datetime)
    zone = start.tzinfo if isinstance(start, datetime) else None
    local = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    first = _local(window_start, zone) - _MARGIN
    last = _local(window_end, zone) + _MARGIN
    produced = 0
    for wall in expand(rule, local, first=first, last=last):
        if produced == 0 and wall != local and rule.count is not None:
            produced += 1  # the start counts although the rule does not produce it (RFC 5545, 3.3.10)
        produced += 1
        if rule.count is not None and produced > rule.count:
            return
        # of an hour that comes twice, the start tells which one it means; a rule can only mean the first
        aware = start if isinstance(start, datetime) and wall == local else wall.replace(tzinfo=zone)
        if rule.until is not None and _is_past(rule, wall, aware):
            return
        yield aware if timed else wall.date()


def _is_past(rule: Rule, wall: datetime, aware: datetime) -> bool:
    """Whether this start lies after UNTIL, which is a date (inclusive), a wall-clock time or an instant in
    UTC.
    """
    until = rule.until
    if until is None:
        return False
    if until.is_date or aware.tzinfo is None:
        return wall.date() > until.moment.date()
    if until.utc:
        return aware.astimezone(UTC) > until.moment.replace(tzinfo=UTC)
    return wall > until.moment


def _local(instant: datetime, zone: tzinfo | None) -> datetime:
    return instant.astimezone(zone or UTC).replace(tzinfo=None)


def _like(moment: datetime | date, start: datetime | date) -> datetime | date:
    """`moment` in the form of `start`: a date listed for a timed event means its usual time on that day."""
    if isinstance(start, datetime) and not isinstance(moment, datetime):
        return datetime.combine(moment, start.timetz())
    if not isinstance(start, datetime) and isinstance(moment, datetime):
        return moment.date()
    return moment


def _instant(moment: datetime | date) -> datetime:
    """An order over both forms: a date stands for its midnight in UTC."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)
