"""Input metrics: what reps do, counted from captured activities. Definitions: METRICS 1.1, rules R1–R20."""

from __future__ import annotations

from sqlalchemy import ColumnElement, String, and_, func, literal, or_, select

from autocapture.measure.declare import Cohort, Duration, Example, Simple
from autocapture.measure.examples import ANN, BOB, LEE
from autocapture.measure.examples import activity as given
from autocapture.measure.examples import lead as given_lead
from autocapture.measure.facts import (
    ACTIVITIES,
    ASSIGNED_LEADS,
    AUTHORED,
    BOOKINGS,
    LEADS,
    activity,
    lead,
    participation,
    user,
)
from autocapture.measure.sql import AS_OF
from autocapture.measure.touches import (
    AUTHORS,
    REPLY_WINDOW,
    first_touch,
    has_reply,
    is_first_of_thread,
    is_follow_up,
    is_retry,
    participant,
)

CONNECTED_SECONDS = 60
"""A call is connected when it was answered and lasted so long (METRICS R12)."""

_is_email = activity.c.kind == "email"
_is_human = activity.c.nature == "human"
_outbound = activity.c.direction == "outbound"
_sent = and_(
    _is_email,
    _outbound,
    _is_human,
    activity.c.external,
    participation.c.role == "sender",
    participation.c.counts,
)
_with_guests = and_(activity.c.kind == "meeting", activity.c.external, participation.c.counts)
_is_cancelled = func.coalesce(activity.c.status, "") == "cancelled"
_outbound_call = and_(activity.c.kind == "call", _outbound, activity.c.external, participation.c.counts)


def _may_come() -> ColumnElement[bool]:
    """At least one guest has not declined."""
    guest = participant.alias("guest")
    return (
        select(guest.c.address)
        .where(
            guest.c.activity_id == activity.c.id,
            guest.c.user_id.is_(None),
            guest.c.resource.is_(False),
            func.coalesce(guest.c.response, "") != "declined",
        )
        .correlate(activity)
        .exists()
    )


emails_sent = Simple(
    name="emails_sent",
    title="Emails sent",
    unit="count",
    level="input",
    facts=AUTHORED,
    where=_sent,
    rules=("R1", "R6", "R11", "R14"),
    doc=(
        "Emails a rep wrote to at least one person outside, by the day they were sent. One message is counted once, whatever "
        "number of mailboxes saw it. Automatic replies, mass mailings and internal mail are not counted."
    ),
    additive=("user", "team", "time"),
    rolled_up=True,
    examples=(
        Example(
            "Two mails to a customer; an automatic reply, a mass mailing and a mail to colleagues do not count",
            (
                *given(1, "email", "11-09 10:00", [ANN]),
                *given(2, "email", "11-10 10:00", [BOB]),
                *given(3, "email", "11-10 11:00", [ANN], nature="auto"),
                *given(4, "email", "11-10 12:00", [ANN], nature="bulk"),
                *given(5, "email", "11-10 13:00", [ANN], external=False, contacts=()),
            ),
            2,
        ),
        Example(
            "Sunday 23:30 in New York is Monday in UTC, and still Sunday for Bob",
            given(1, "email", "11-16 04:30", [BOB]),
            1,
        ),
    ),
)

emails_received = Simple(
    name="emails_received",
    title="Emails received",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(_is_email, activity.c.direction == "inbound", _is_human, participation.c.counts),
    rules=("R1", "R6", "R10", "R11", "R14"),
    doc=(
        "Emails that people outside wrote to a rep, who is among those addressed (not merely copied). A mail to two reps "
        "counts once for each of them and once for their team and the company, so reps may add up to more than the team."
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "One mail to Ann and Bob is one for the company",
            (
                *given(1, "email", "11-09 10:00", [ANN, BOB], direction="inbound"),
                *given(2, "email", "11-10 10:00", [ANN], direction="inbound", counts=False),
            ),
            1,
        ),
        Example(
            "and one for Bob",
            given(1, "email", "11-09 10:00", [ANN, BOB], direction="inbound"),
            1,
            {"user": "bob@us.example"},
        ),
    ),
)

reply_rate = Cohort(
    name="reply_rate",
    title="Reply rate",
    unit="rate",
    level="input",
    facts=AUTHORED,
    where=and_(_sent, is_first_of_thread()),
    event=has_reply(),
    window=REPLY_WINDOW,
    rules=("R1", "R2", "R6", "R11", "R16"),
    doc=(
        "Of the threads that a rep started in the period, the share in which a person outside answered within 14 days. A "
        "cohort: a reply counts for the day the thread was started, so the last 14 days may still rise (provisional). "
        "Out-of-office messages are no reply. A thread is started by the sender of its first captured mail. "
        "Null when no thread was started."
    ),
    examples=(
        Example(
            "Three threads: one answered in two days, one after 15 days, one only by an automatic reply",
            (
                *given(1, "email", "11-09 10:00", [ANN], thread_id=1),
                *given(2, "email", "11-11 10:00", [ANN], thread_id=1, direction="inbound"),
                *given(3, "email", "11-09 11:00", [ANN], thread_id=3),
                *given(4, "email", "11-24 11:01", [ANN], thread_id=3, direction="inbound"),
                *given(5, "email", "11-09 12:00", [ANN], thread_id=5),
                *given(6, "email", "11-09 12:01", [ANN], thread_id=5, direction="inbound", nature="auto"),
            ),
            1 / 3,
        ),
        Example(
            "An answer in a thread that the customer started is no new thread",
            (
                *given(1, "email", "11-09 10:00", [ANN], thread_id=1, direction="inbound"),
                *given(2, "email", "11-09 11:00", [ANN], thread_id=1),
            ),
            None,
        ),
    ),
)

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
    where=and_(_with_guests, ~_is_cancelled),
    rules=_MEETING_RULES,
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
                *given(3, "meeting", "11-18 10:00", [ANN], booked="11-12 09:00", status="cancelled"),
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
    doc=(
        "Meetings with guests from outside that have ended, were not cancelled, and were not declined by every guest. Dated by "
        "the rep's day on which they began. That a meeting took place is inferred: a planned one counts as held once its "
        "end has passed, unless something says otherwise; a guest who never answered the invitation is taken to have come."
        + _MEETING_DOC
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "Ann and Bob meet Kim: one meeting for the company; a cancelled one and one that Kim declined do not count",
            (
                *given(1, "meeting", "11-10 15:00", [ANN, BOB], status="held"),
                *given(2, "meeting", "11-11 15:00", [ANN], status="cancelled"),
                *given(3, "meeting", "11-12 15:00", [ANN], status="planned", response="declined"),
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
    where=and_(_with_guests, _is_cancelled),
    direction="down",
    rules=_MEETING_RULES,
    doc=(
        "Meetings with guests from outside that were called off, dated by the rep's day on which they would have begun, "
        "once that moment has passed. A moved meeting is not cancelled." + _MEETING_DOC
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "One of two meetings is called off",
            (
                *given(1, "meeting", "11-10 15:00", [ANN], status="held"),
                *given(2, "meeting", "11-11 15:00", [ANN], status="cancelled"),
            ),
            1,
        ),
    ),
)

calls_made = Simple(
    name="calls_made",
    title="Calls made",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(_outbound_call, ~is_retry()),
    rules=("R1", "R6", "R10", "R12", "R14"),
    doc=(
        "Calls that a rep attempted to somebody outside, answered or not, by the rep's day. Dialling the same number again "
        "within two minutes on the same day is one attempt. A transferred call counts for both reps and once for their team."
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "Three attempts on Kim, the second within two minutes, and one inbound call",
            (
                *given(1, "call", "11-09 10:00", [ANN], status="no_answer"),
                *given(2, "call", "11-09 10:01", [ANN], status="busy"),
                *given(3, "call", "11-09 10:30", [ANN], status="answered", duration_s=200),
                *given(
                    4, "call", "11-09 11:00", [ANN], status="answered", duration_s=200, direction="inbound"
                ),
            ),
            2,
        ),
        Example(
            "Two numbers within two minutes are two attempts",
            (
                *given(1, "call", "11-09 10:00", [ANN], status="no_answer"),
                *given(2, "call", "11-09 10:01", [ANN], status="no_answer", contacts=[LEE]),
            ),
            2,
        ),
    ),
)

calls_connected = Simple(
    name="calls_connected",
    title="Calls connected",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(_outbound_call, activity.c.status == "answered", activity.c.duration_s >= CONNECTED_SECONDS),
    rules=("R1", "R6", "R10", "R12", "R14"),
    doc=(
        f"Calls to somebody outside that were answered and lasted at least {CONNECTED_SECONDS} seconds, by the rep's day. "
        "Voicemail, busy and failed calls are attempts only. A transferred call counts for both reps and once for their team."
    ),
    additive=("time",),
    rolled_up=True,
    examples=(
        Example(
            "60 seconds are a connection, 59 are not, voicemail never is",
            (
                *given(1, "call", "11-09 10:00", [ANN], status="answered", duration_s=60),
                *given(2, "call", "11-09 11:00", [ANN], status="answered", duration_s=59),
                *given(3, "call", "11-09 12:00", [ANN], status="voicemail", duration_s=90),
            ),
            1,
        ),
    ),
)

follow_ups = Simple(
    name="follow_ups",
    title="Follow-ups",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(
        _outbound,
        _is_human,
        activity.c.external,
        participation.c.role.in_(AUTHORS),
        participation.c.counts,
        ~_is_cancelled,
        is_follow_up(),
    ),
    rules=("R1", "R6", "R13"),
    doc=(
        "Outbound mails, calls and meetings to a person whom the same rep had turned to before and who had not answered "
        "the rep since. Touches of one day on one channel to the same person are one. People are the same when contact or "
        "address is. An activity to several people counts once, if it follows up with any of them. Any mail "
        "or call from the person to the rep starts the count anew. Meetings are dated by their beginning "
        "and belong to the rep who organises them."
    ),
    additive=("time",),
    examples=(
        Example(
            "Mail, a second the same day, then a call and a mail on later days: two follow-ups",
            (
                *given(1, "email", "11-09 10:00", [ANN]),
                *given(2, "email", "11-09 14:00", [ANN]),
                *given(3, "call", "11-10 10:00", [ANN], status="no_answer"),
                *given(4, "email", "11-12 10:00", [ANN]),
            ),
            2,
        ),
        Example(
            "After an answer the next mail is no follow-up; neither is another rep's",
            (
                *given(1, "email", "11-09 10:00", [ANN]),
                *given(2, "email", "11-10 10:00", [ANN], direction="inbound"),
                *given(3, "email", "11-11 10:00", [ANN]),
                *given(4, "email", "11-12 10:00", [BOB]),
            ),
            0,
        ),
    ),
)

lead_response_time = Duration(
    name="lead_response_time",
    title="Lead response time",
    unit="seconds",
    level="input",
    facts=ASSIGNED_LEADS,
    where=lead.c.id.is_not(None),
    begun=func.coalesce(lead.c.assigned_at, lead.c.created_at),
    ended=first_touch(),
    zone=func.coalesce(user.c.time_zone, literal("UTC", String())),
    locale=func.coalesce(user.c.locale, literal("", String())),
    clock="business",
    direction="down",
    rules=("R1", "R6", "R8", "R17"),
    doc=(
        "Median working time from the assignment of a lead (its creation, where it was never assigned) to the first mail, "
        "call or invitation that anybody of ours sends to the lead's contact. Working time is Monday to Friday 09:00–17:00 "
        "in the zone of the rep who holds the lead, without public holidays where the rep's locale names a country; the "
        "whole wait is charged to that rep. Leads without an answer count as waiting until now (Kaplan–Meier median), and "
        "are never left out. Automatic mail is no answer. Null while fewer than half have been answered. The period holds "
        "the leads assigned in it. Numerator: leads answered; denominator: all."
    ),
    examples=(
        Example(
            "Monday 10:00 to 11:30 in Amsterdam is 90 minutes",
            (
                *given_lead(1, "11-09 08:00", assigned="11-09 09:00"),
                *given(1, "email", "11-09 10:30", [ANN]),
            ),
            5400,
        ),
        Example(
            "Friday 16:30 to Monday 09:30 is one hour",
            (
                *given_lead(1, "11-13 15:30"),
                *given(1, "call", "11-16 08:30", [ANN], status="no_answer"),
            ),
            3600,
        ),
        Example(
            "One answered after an hour, two not yet: no median",
            (
                *given_lead(1, "11-09 09:00"),
                *given(1, "email", "11-09 10:00", [ANN]),
                *given_lead(2, "11-10 09:00", contact=LEE),
                *given_lead(3, "11-10 10:00", contact=LEE),
            ),
            None,
        ),
    ),
)

leads_created = Simple(
    name="leads_created",
    title="Leads created",
    unit="count",
    level="input",
    facts=LEADS,
    where=lead.c.id.is_not(None),
    rules=("R1", "R6", "R8", "R14"),
    doc=(
        "New leads by the day they were created, in the zone of the rep who holds them (UTC where nobody does). They count for "
        "the rep who holds them now."
    ),
    additive=("user", "team", "time"),
    captured=False,
    examples=(
        Example(
            "Sunday 23:30 UTC is Monday in Amsterdam",
            (*given_lead(1, "11-09 09:00"), *given_lead(2, "11-15 23:30"), *given_lead(3, "11-08 23:30")),
            2,
        ),
    ),
)

ACTIVITY_METRICS = (
    emails_sent,
    emails_received,
    reply_rate,
    meetings_scheduled,
    meetings_held,
    meetings_cancelled,
    calls_made,
    calls_connected,
    follow_ups,
    lead_response_time,
    leads_created,
)
