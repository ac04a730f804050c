"""Input metrics across channels: who was followed up, and how soon leads were answered. METRICS 1.1, 1.2, rules R13, R17."""

from __future__ import annotations

from sqlalchemy import and_, func

from autocapture.measure.declare import Duration, Example, Simple
from autocapture.measure.examples import ANN, BOB, LEE
from autocapture.measure.examples import activity as given
from autocapture.measure.examples import lead as given_lead
from autocapture.measure.facts import (
    ASSIGNED_LEADS,
    AUTHORS,
    LEADS,
    TOUCHES,
    activity,
    lead,
    participation,
)
from autocapture.measure.touches import first_touch, is_cancelled, is_follow_up

follow_ups = Simple(
    name="follow_ups",
    title="Follow-ups",
    unit="count",
    level="input",
    facts=TOUCHES,
    where=and_(
        activity.c.direction == "outbound",
        activity.c.nature == "human",
        activity.c.external,
        participation.c.role.in_(AUTHORS),
        participation.c.counts,
        ~is_cancelled,
        is_follow_up(),
    ),
    rules=("R1", "R6", "R13"),
    counted_from=("email", "event", "call"),
    doc=(
        "Outbound mails, calls and meetings to a person whom the same rep had turned to before and who had not answered "
        "the rep since. Touches of one day on one channel to the same person are one. People are the same when contact or "
        "address is. An activity to several people counts once, if it follows up with any of them. Any mail "
        "or call from the person to the rep starts the count anew. Meetings are dated by their beginning "
        "and belong to the rep who organises them."
    ),
    additive=("time",),
    rolled_up=True,
    looks_back=True,
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
    holder=lead.c.owner_id,
    clock="business",
    direction="down",
    rules=("R1", "R6", "R8", "R17"),
    counted_from=("email", "event", "call"),
    doc=(
        "Median working time from the assignment of a lead (its creation, where it was never assigned) to the first mail, "
        "call or invitation that anybody of ours sends to the lead's contact. Working time is that of the rep who holds "
        "the lead, in the rep's zone: the imported working hours, else Monday to Friday 09:00–17:00, without the public "
        "holidays of the place they name, else of the country of the rep's locale. Days away count: somebody holds the lead. The "
        "whole wait is charged to that rep. What that rep sent since the lead was created, before it was assigned, answers it "
        "at once; what others sent before the assignment does not. Leads without an answer count as waiting until now "
        "(Kaplan–Meier median), and are never left out. Automatic mail is no answer. Null while fewer than half have been "
        "answered. The period holds the leads assigned in it. Numerator: leads answered; denominator: all."
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
            "Who writes to a lead and is then assigned it did not let it wait",
            (
                *given_lead(1, "11-09 09:00", assigned="11-09 10:00"),
                *given(1, "email", "11-09 09:30", [ANN]),
            ),
            0,
        ),
        Example(
            "What a colleague wrote before the assignment is no answer to it: two hours",
            (
                *given_lead(1, "11-09 09:00", assigned="11-09 10:00"),
                *given(1, "email", "11-09 09:30", [BOB]),
                *given(2, "email", "11-09 12:00", [ANN]),
            ),
            7200,
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
    examples=(
        Example(
            "Sunday 23:30 UTC is Monday in Amsterdam",
            (*given_lead(1, "11-09 09:00"), *given_lead(2, "11-15 23:30"), *given_lead(3, "11-08 23:30")),
            2,
        ),
    ),
)

OUTREACH_METRICS = (follow_ups, lead_response_time, leads_created)
