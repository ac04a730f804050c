"""How fast calendars with many series are expanded into meetings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from autocapture.formats.recurrence import occurrences
from autocapture.model.directory import Colleague, Organization
from autocapture.normalize.meeting import draft_meetings
from autocapture.normalize.same_meeting import CalendarCopy
from autocapture.records import Attendee, EventRecord, Recurrence
from autocapture.workflows.meetings import FUTURE, PAST

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
_ZONE = ZoneInfo("Europe/Berlin")
_RULES = (
    "FREQ=WEEKLY;BYDAY=MO",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=MONTHLY;BYDAY=1WE",
    "FREQ=MONTHLY;BYMONTHDAY=15",
    "FREQ=WEEKLY;COUNT=30",
    "FREQ=YEARLY",
)
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Expanded:
    """Occurrences a second: expanded alone, and made meetings whose state and people are decided. Medians of some rounds."""

    events: int
    series: int
    occurrences: int
    expanded_per_second: float
    meetings_per_second: float


def measure_series(*, events: int = 10_000, series: int = 500) -> Expanded:
    """One calendar, two years of it, `series` of its `events` recurring."""
    records = [_event(number, recurring=number < series) for number in range(events)]
    owner = Colleague(1, "rep@ours.example", "Rep", "Europe/Berlin", "DE")
    organization = Organization({1: owner}, {owner.email: 1}, frozenset({"ours.example"}))
    window = {"window_start": NOW - PAST, "window_end": NOW + FUTURE}
    alone, whole, found = [], [], 0
    for _ in range(_ROUNDS):
        began = time.process_time()
        found = sum(len(occurrences([record], **window)) for record in records)
        between = time.process_time()
        for record in records:
            copy = CalendarCopy(owner, record, NOW)
            draft_meetings([copy], organization, **window, now=NOW)
        alone.append(found / (between - began))
        whole.append(found / (time.process_time() - between))
    return Expanded(events, series, found, median(alone), median(whole))


def _event(number: int, *, recurring: bool) -> EventRecord:
    """Within the year before and after; every fifth series has an instance that was moved, and one that was taken out."""
    starts = (NOW - timedelta(days=350) + timedelta(hours=3 * (number % 5_600))).astimezone(_ZONE)
    uid = f"event-{number}@ours.example"
    people = (
        Attendee("rep@ours.example", response="accepted"),
        Attendee(f"buyer{number}@customer.example", response="accepted"),
    )
    recurrence: Recurrence | None = None
    overrides: tuple[EventRecord, ...] = ()
    if recurring:
        excluded = (starts + timedelta(weeks=2),) if number % 5 == 0 else ()
        recurrence = Recurrence((_RULES[number % len(_RULES)],), excluded=excluded)
        if number % 5 == 0:
            overrides = (_single(uid, starts + timedelta(hours=1), people, original=starts),)
    return EventRecord(
        uid,
        starts,
        starts + timedelta(minutes=30),
        title="Review",
        organizer=people[0],
        attendees=people,
        recurrence=recurrence,
        overrides=overrides,
    )


def _single(uid: str, starts: datetime, people: tuple[Attendee, ...], *, original: datetime) -> EventRecord:
    return EventRecord(
        uid,
        starts,
        starts + timedelta(minutes=30),
        recurrence_id=original,
        title="Review",
        organizer=people[0],
        attendees=people,
    )
