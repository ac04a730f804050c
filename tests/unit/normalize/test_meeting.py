from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.unit.cast import NOON, ORGANIZATION, RUTH, SAM, TINA

from autocapture.model.directory import Colleague
from autocapture.model.draft import Draft
from autocapture.normalize.meeting import draft_meetings
from autocapture.normalize.same_meeting import CalendarCopy
from autocapture.records import Attendee, EventRecord, Recurrence, Response

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
ROOM = Attendee("room@venue.example", resource=True, response="accepted")


def guest(email: str = "anna@nordwind.example", response: Response = "accepted") -> Attendee:
    return Attendee(email, response=response)


def event(*guests: Attendee, organizer: str | None = "ruth@ours.example", **given: Any) -> EventRecord:
    starts = given.pop("starts_at", NOON)
    return EventRecord(
        given.pop("uid", "u1"),
        starts,
        given.pop("ends_at", starts + HOUR),
        given.pop("title", "Demo"),
        organizer=Attendee(organizer) if organizer else None,
        attendees=guests or (guest(),),
        **given,
    )


def copy(record: EventRecord, owner: Colleague = RUTH, **given: Any) -> CalendarCopy:
    return CalendarCopy(owner, record, given.pop("first_seen_at", NOON - 20 * DAY), **given)


def meetings(*copies: CalendarCopy, now: datetime = NOON + DAY) -> list[Draft]:
    return draft_meetings(
        copies, ORGANIZATION, window_start=NOON - 90 * DAY, window_end=NOON + 90 * DAY, now=now
    )


def only(*copies: CalendarCopy, now: datetime = NOON + DAY) -> Draft:
    (found,) = meetings(*copies, now=now)
    return found


def users(of: Draft) -> dict[int, tuple[str, float]]:
    return {part.user_id: (part.role, part.share) for part in of.parts}


def told(of: Draft) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(sign.sign, sign.says, sign.grade, sign.who) for sign in of.evidence]


def test_one_meeting_in_two_calendars_is_one_activity_with_each_ones_own_response() -> None:
    sam = guest("sam@ours.example", "needs_action")
    mine = event(guest(), sam, sequence=2)
    his = event(
        guest(), replace(sam, response="tentative"), title="Old title", sequence=2, starts_at=NOON + HOUR
    )
    found = only(copy(mine), copy(his, SAM))
    assert (found.subject, found.occurred_at, found.status) == ("Demo", NOON, "held")
    assert {p.address: p.response for p in found.parties if p.role == "attendee"} == {
        "anna@nordwind.example": "accepted",
        "sam@ours.example": "tentative",
    }
    assert users(found) == {1: ("organizer", 0.5), 2: ("attendee", 0.5)}
    assert (found.direction, found.duration_s, found.series_key) == ("outbound", 3600, "u1")


def test_an_organizer_who_declined_their_own_meeting_gets_no_credit_for_it() -> None:
    record = event(guest("ruth@ours.example", "declined"), guest("sam@ours.example"), guest())
    assert users(only(copy(record), copy(record, SAM))) == {2: ("attendee", 1.0)}


def test_without_the_organizers_copy_the_highest_sequence_tells_the_time() -> None:
    ours = (guest("ruth@ours.example"), guest("sam@ours.example"))
    old = event(*ours, organizer="anna@nordwind.example", sequence=1)
    new = event(*ours, organizer="anna@nordwind.example", sequence=2, starts_at=NOON + HOUR)
    found = only(copy(old), copy(new, SAM))
    assert (found.occurred_at, found.direction) == (NOON + HOUR, "inbound")


def test_the_order_of_the_copies_does_not_matter() -> None:
    base = (guest(), guest("sam@ours.example"), guest("tina@ours.example", "declined"))
    copies = [
        copy(event(*base, sequence=1)),
        copy(event(*base, sequence=3), SAM),
        copy(event(*base, starts_at=NOON + HOUR), TINA, gone=True),
        copy(event(*base, recurrence_id=NOON, starts_at=NOON + 2 * HOUR), SAM),
    ]
    expected = meetings(*copies)
    assert all(meetings(*order) == expected for order in permutations(copies))


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        (("accepted",), "held"),
        (("tentative", "declined"), "held"),
        (("needs_action",), "held"),
        (("unknown", "needs_action"), "held"),
        (("declined",), "cancelled_by_them"),
        (("declined", "declined"), "cancelled_by_them"),
        (("declined", "needs_action"), "unknown"),
    ],
)
def test_the_outsiders_responses_tell_whether_it_was_held(responses: Sequence[Response], status: str) -> None:
    guests = [guest(f"p{number}@nordwind.example", each) for number, each in enumerate(responses)]
    assert only(copy(event(*guests, ROOM))).status == status


def test_who_called_a_meeting_off_is_told_by_who_organises_it() -> None:
    ours = event(status="cancelled")
    theirs = event(guest("ruth@ours.example"), organizer="anna@nordwind.example", status="cancelled")
    for record, state in ((ours, "cancelled_by_us"), (theirs, "cancelled_by_them")):
        for now in (NOON - DAY, NOON + DAY):
            found = only(copy(record), now=now)
            assert (found.status, told(found)[0]) == (state, ("cancelled", state, "firm", ()))


def test_a_meeting_that_left_the_calendars_was_called_off_by_its_organizer_as_far_as_one_can_tell() -> None:
    theirs = event(guest("ruth@ours.example"), organizer="anna@nordwind.example")
    found = only(copy(theirs, gone=True, gone_at=NOON - HOUR))
    assert told(found)[0] == ("left_calendars", "cancelled_by_them", "weak", ())
    found = only(copy(event(), gone=True, gone_at=NOON - HOUR))
    assert told(found)[0] == ("left_calendars", "cancelled_by_us", "fair", ())
    declined = event(guest("ruth@ours.example", "declined"), organizer="anna@nordwind.example")
    assert only(copy(declined, gone=True, gone_at=NOON - HOUR)).status == "cancelled_by_us"


@pytest.mark.parametrize(
    ("response", "sign", "grade"),
    [
        ("accepted", "accepted", "fair"),
        ("tentative", "tentative", "weak"),
        ("needs_action", "silence", "weak"),
    ],
)
def test_that_a_meeting_was_held_is_told_with_what_it_stands_on(
    response: Response, sign: str, grade: str
) -> None:
    found = only(copy(event(guest(response=response))))
    who = () if sign == "silence" else ("anna@nordwind.example",)
    assert (found.status, told(found)) == ("held", [(sign, "held", grade, who)])


def test_a_meeting_is_planned_until_it_ends() -> None:
    assert only(copy(event()), now=NOON + HOUR - timedelta(seconds=1)).status == "planned"
    assert only(copy(event()), now=NOON + HOUR).status == "held"


def test_a_customer_who_invites_takes_part() -> None:
    found = only(copy(event(guest("ruth@ours.example"), organizer="anna@nordwind.example")))
    assert (found.status, users(found)) == ("held", {1: ("attendee", 1.0)})


def test_a_rep_who_declines_gets_no_part_and_one_who_steps_in_does() -> None:
    record = event(guest(), guest("sam@ours.example", "declined"), guest("tina@ours.example"))
    assert set(users(only(copy(record)))) == {1, 3}


def test_when_everybody_of_ours_declined_it_is_called_off_by_us() -> None:
    record = event(guest("ruth@ours.example", "declined"), organizer="anna@nordwind.example")
    for now in (NOON - DAY, NOON + DAY):
        found = only(copy(record), now=now)
        assert (found.status, found.parts) == ("cancelled_by_us", ())
    assert told(found)[0] == ("declined_by_us", "cancelled_by_us", "firm", ("ruth@ours.example",))


def test_private_copies_tell_nothing() -> None:
    private = event(private=True, title="Secret")
    assert meetings(copy(private)) == []
    found = only(copy(private), copy(event(guest(), guest("sam@ours.example"), title="Demo"), SAM))
    assert found.subject == "Demo"
    series = event(
        recurrence=Recurrence(("FREQ=DAILY;COUNT=2",)), overrides=(event(private=True, recurrence_id=NOON),)
    )
    assert [each.occurred_at for each in meetings(copy(series))] == [NOON + DAY]


def test_rooms_and_colleagues_make_no_meeting_with_customers() -> None:
    assert meetings(copy(event(guest("sam@ours.example"), ROOM))) == []


def test_hidden_guests_leave_the_holder_of_the_copy_as_one() -> None:
    found = only(copy(event(guest("all-hands@nordwind.example"), organizer="anna@nordwind.example"), SAM))
    assert users(found) == {2: ("attendee", 1.0)}


def test_a_meeting_on_a_colleagues_calendar_is_not_its_viewers() -> None:
    found = only(copy(event(guest("ruth@ours.example"), organizer="anna@nordwind.example"), SAM))
    assert users(found) == {1: ("attendee", 1.0)}


def weekly(**given: Any) -> EventRecord:
    starts = datetime(2026, 3, 16, 9, tzinfo=BERLIN)
    return event(starts_at=starts, recurrence=Recurrence(("FREQ=WEEKLY;COUNT=4",)), **given)


def test_a_series_keeps_its_hour_when_the_clocks_change() -> None:
    found = meetings(copy(weekly()), now=datetime(2026, 3, 27, tzinfo=UTC))
    assert [each.occurred_at.hour for each in found] == [8, 8, 7, 7]
    assert [each.status for each in found] == ["held", "held", "planned", "planned"]
    assert len({each.dedupe_key for each in found}) == 4
    assert {each.series_key for each in found} == {"u1"}


def test_a_moved_instance_stays_the_same_meeting_at_its_new_time() -> None:
    original = datetime(2026, 3, 23, 9, tzinfo=BERLIN)
    moved = event(recurrence_id=original, starts_at=original + DAY)
    before = {each.dedupe_key for each in meetings(copy(weekly()))}
    found = meetings(copy(weekly(overrides=(moved,))))
    assert {each.dedupe_key for each in found} == before
    assert [(each.occurred_at, each.moved_count) for each in found][1] == (original + DAY, 1)
    assert meetings(copy(weekly()), copy(moved)) == found


def test_a_meeting_that_was_moved_again_and_back_was_moved_so_often() -> None:
    original = datetime(2026, 3, 23, 9, tzinfo=BERLIN)
    key, later = original.astimezone(UTC).isoformat(), (original + DAY).astimezone(UTC).isoformat()
    moved = event(recurrence_id=original, starts_at=original + 2 * DAY)
    again = copy(weekly(overrides=(moved,)), moves={key: (later,)})
    assert [each.moved_count for each in meetings(again)] == [0, 2, 0, 0]
    back = copy(weekly(overrides=(replace(moved, starts_at=original),)), SAM, moves={key: (later,)})
    assert [each.moved_count for each in meetings(back)] == [0, 2, 0, 0]
    single = copy(event(), moves={"": ((NOON - DAY).isoformat(), (NOON - HOUR).isoformat())})
    assert [each.moved_count for each in meetings(single)] == [2]


def test_a_cancelled_instance_is_cancelled_and_a_cancelled_series_whole() -> None:
    original = datetime(2026, 3, 23, 9, tzinfo=BERLIN)
    gone = event(recurrence_id=original, starts_at=original, status="cancelled")
    found = meetings(copy(weekly(overrides=(gone,))), now=NOON + 60 * DAY)
    assert [each.status for each in found] == ["held", "cancelled_by_us", "held", "held"]
    whole = meetings(copy(weekly(status="cancelled")), now=NOON + 60 * DAY)
    assert {each.status for each in whole} == {"cancelled_by_us"}


def test_what_left_every_calendar_before_it_began_is_cancelled_and_what_was_over_stays() -> None:
    record = event(guest(), guest("sam@ours.example"))
    for gone_at, status in ((NOON - HOUR, "cancelled_by_us"), (NOON + 2 * HOUR, "held")):
        found = only(copy(record, gone=True, gone_at=gone_at), copy(record, SAM, gone=True, gone_at=gone_at))
        assert found.status == status
    assert only(copy(record, gone=True), now=NOON - DAY).status == "cancelled_by_us"
    assert only(copy(record, gone=True), now=NOON + DAY).status == "held"


def test_a_rep_who_took_it_out_of_their_calendar_beforehand_gets_no_part() -> None:
    record = event(guest(), guest("sam@ours.example"))
    assert set(users(only(copy(record), copy(record, SAM, gone=True, gone_at=NOON - HOUR)))) == {1}
    assert set(users(only(copy(record), copy(record, SAM, gone=True, gone_at=NOON + HOUR)))) == {1, 2}


def test_a_series_that_was_changed_since_a_copy_left_is_told_as_it_is_now() -> None:
    left = copy(weekly(), gone=True, gone_at=NOON)
    moved = replace(weekly(), starts_at=weekly().starts_at + HOUR, ends_at=weekly().ends_at + HOUR)
    newer = copy(replace(moved, sequence=1), SAM)
    assert meetings(left, newer) == meetings(newer)
    assert len(meetings(left, copy(moved, SAM))) == 8, "which of the two is newer cannot be known"


def test_an_instance_that_is_private_where_it_still_is_is_told_by_no_copy_that_left() -> None:
    instance = weekly().starts_at + 7 * DAY
    alone = event(recurrence_id=instance, starts_at=instance, private=True)
    left = copy(weekly(), gone=True, gone_at=NOON + 60 * DAY)
    assert [draft.occurred_at.day for draft in meetings(left)] == [16, 23, 30, 6]
    for there in (copy(weekly(overrides=(alone,)), SAM), copy(alone, SAM)):
        assert [draft.occurred_at.day for draft in meetings(left, there)] == [16, 30, 6]


def test_an_all_day_meeting_begins_at_its_owners_midnight() -> None:
    record = event(starts_at=date(2026, 3, 10), ends_at=date(2026, 3, 11))
    found = only(copy(record))
    assert found.occurred_at == datetime(2026, 3, 9, 23, tzinfo=UTC)
    assert found.parts[0].local_date == date(2026, 3, 10)


def test_what_takes_whole_days_counts_for_nobody() -> None:
    record = event(guest(), guest("sam@ours.example"), starts_at=date(2026, 3, 10), ends_at=date(2026, 3, 11))
    assert [(part.user_id, part.counts, part.share) for part in only(copy(record)).parts] == [
        (1, False, 0.0),
        (2, False, 0.0),
    ]


def test_booked_is_when_it_was_created_else_first_seen_on_each_ones_own_day() -> None:
    seen = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    record = event(guest(), guest("sam@ours.example"))
    found = only(copy(record, first_seen_at=seen))
    assert found.booked_at == seen
    assert {part.user_id: part.booked_date for part in found.parts} == {
        1: date(2026, 3, 2),
        2: date(2026, 3, 1),
    }
    assert only(copy(replace(record, created_at=seen - DAY), first_seen_at=seen)).booked_at == seen - DAY


def test_a_calendar_whose_rule_cannot_be_read_leaves_the_word_to_the_others() -> None:
    broken = event(guest(), guest("sam@ours.example"), recurrence=Recurrence(("FREQ=SECONDLY",)))
    assert meetings(copy(broken)) == []
    assert only(copy(broken), copy(event(guest(), guest("sam@ours.example")), SAM)).occurred_at == NOON
