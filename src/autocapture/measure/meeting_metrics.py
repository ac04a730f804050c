"""Input metrics of meetings: booked, held, called off. Definitions: METRICS 1.1, rule R10."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select

from autocapture.measure.declare import Example, Simple
from autocapture.measure.examples import ANN, BOB
from autocapture.measure.examples import activity as given
from autocapture.measure.facts import ACTIVITIES, BOOKINGS, activity, participation
from autocapture.measure.sql import AS_OF
from autocapture.measure.touches import is_cancelled, participant

_with_guests = and_(activity.c.kind == "meeting", activity.c.external, participation.c.counts)


def _may_come() -> ColumnElement[bool]:
    """A guest is coming, or none has declined: as a meeting is judged when it has ended (`normalize.meeting`)."""
    return or_(_any_guest("accepted", "tentative"), ~_any_guest("declined"))


def _any_guest(*responses: str) -> ColumnElement[bool]:
    guest = participant.alias("guest")
    return (
        select(guest.c.address)
        .where(
            guest.c.activity_id == activity.c.id,
            guest.c.user_id.is_(None),
            guest.c.resource.is_(False),
            guest.c.response.in_(responses),
        )
        .correlate(activity)
        .exists()
    )


_LONGEST = timedelta(days=8)
"""By then a meeting that began is over."""
_MEETING_RULES = ("R1", "R6", "R10", "R14")
_MEETING_DOC = (
    " One meeting counts once for each attending rep and once for their team and the company, so reps may add up to more than "
    "the team. Internal, private and all-day events are not meetings."
)

meetings_scheduled = Simple(
    name="meetings_scheduled",
    title="Meetings scheduled",
    unit="count",
    level="input",
    facts=BOOKINGS,
    where=and_(_with_guests, ~is_cancelled),
    rules=_MEETING_RULES,
    counted_from=("event",),
    doc=(
        "Meetings with guests from outside whose invitation was first sent or seen in the period, by the rep's day of that "
        "moment, whoever organises them. Meetings cancelled since are left out, moved ones stay one meeting."
        + _MEETING_DOC
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "Booked this week for the next; one booked last week for this one, and one cancelled since, do not count",
            (
                *given(1, "meeting", "11-17 10:00", [ANN], booked="11-12 09:00", status="planned"),
                *given(2, "meeting", "11-12 10:00", [ANN], booked="11-05 09:00", status="held"),
                *given(3, "meeting", "11-18 10:00", [ANN], booked="11-12 09:00", status="cancelled_by_us"),
            ),
            1,
        ),
    ),
)

meetings_held = Simple(
    name="meetings_held",
    title="Meetings held",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(
        _with_guests,
        func.coalesce(activity.c.ends_at, activity.c.occurred_at) <= AS_OF,
        or_(activity.c.status == "held", and_(activity.c.status == "planned", _may_come())),
    ),
    rules=_MEETING_RULES,
    counted_from=("event",),
    doc=(
        "Meetings with guests from outside that have ended, were not cancelled, and to which a guest was coming. Dated by "
        "the rep's day on which they began. That a meeting took place is inferred: a planned one counts as held once its "
        "end has passed. Guests who never answered the invitation are taken to have come, unless one of them declined and "
        "none accepted; a call in the slot between a rep and a guest shows that it took place, and a mail that somebody "
        "missed it that it did not. One of which nobody knows counts only where the setting meetings.unknown_count says so."
        + _MEETING_DOC
    ),
    additive=("time",),
    rolled_up=True,
    settled_after=_LONGEST,
    examples=(
        Example(
            "Ann and Bob meet Kim: one meeting for the company; one that was cancelled, one that Kim declined, one to which Kim "
            "did not come and one of which nobody knows do not count",
            (
                *given(1, "meeting", "11-10 15:00", [ANN, BOB], status="held"),
                *given(2, "meeting", "11-11 15:00", [ANN], status="cancelled_by_us"),
                *given(3, "meeting", "11-12 15:00", [ANN], status="planned", response="declined"),
                *given(4, "meeting", "11-12 16:00", [ANN], status="no_show"),
                *given(5, "meeting", "11-12 17:00", [ANN], status="unknown"),
            ),
            1,
        ),
        Example(
            "The same meeting is one for Bob",
            given(1, "meeting", "11-10 15:00", [ANN, BOB], status="held"),
            1,
            {"user": "bob@us.example"},
        ),
        Example(
            "A planned meeting whose end has passed counts as held",
            given(1, "meeting", "11-10 15:00", [ANN], status="planned", response="accepted"),
            1,
        ),
    ),
)

meetings_cancelled = Simple(
    name="meetings_cancelled",
    title="Meetings cancelled",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(_with_guests, is_cancelled),
    direction="down",
    rules=_MEETING_RULES,
    counted_from=("event",),
    doc=(
        "Meetings with guests from outside that were called off, or that every guest declined, dated by the rep's day on "
        "which they would have begun, once that moment has passed. A moved meeting is not cancelled."
        + _MEETING_DOC
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "One of two meetings is called off",
            (
                *given(1, "meeting", "11-10 15:00", [ANN], status="held"),
                *given(2, "meeting", "11-11 15:00", [ANN], status="cancelled_by_them"),
            ),
            1,
        ),
    ),
)

MEETING_METRICS = (meetings_scheduled, meetings_held, meetings_cancelled)
