"""Input metrics of calls: attempts and connections. Definitions: METRICS 1.1, rule R12."""

from __future__ import annotations

from sqlalchemy import and_

from autocapture.measure.declare import Example, Simple
from autocapture.measure.examples import ANN, LEE
from autocapture.measure.examples import activity as given
from autocapture.measure.facts import ACTIVITIES, activity, participation
from autocapture.measure.touches import CONNECTED_SECONDS, is_connected, is_retry

_outbound_call = and_(
    activity.c.kind == "call",
    activity.c.direction == "outbound",
    activity.c.external,
    participation.c.counts,
)

calls_made = Simple(
    name="calls_made",
    title="Calls made",
    unit="count",
    level="input",
    facts=ACTIVITIES,
    where=and_(_outbound_call, ~is_retry()),
    rules=("R1", "R6", "R10", "R12", "R14"),
    counted_from=("call",),
    doc=(
        "Calls that a rep attempted to somebody outside, answered or not, by the rep's day. Dialling the same number again "
        "within two minutes on the same day is one attempt, unless it was connected in between. A transferred call counts for "
        "both reps and once for their team. A call that was talked in the slot of a meeting with the same person is counted with "
        "the meeting."
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
            "Whoever calls back right after a connection makes another call",
            (
                *given(1, "call", "11-09 10:00", [ANN], status="answered", duration_s=61),
                *given(2, "call", "11-09 10:02", [ANN], status="answered", duration_s=70),
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
    where=and_(_outbound_call, is_connected(activity)),
    rules=("R1", "R6", "R10", "R12", "R14"),
    counted_from=("call",),
    doc=(
        f"Calls to somebody outside that were answered and lasted at least {CONNECTED_SECONDS} seconds, by the rep's day. "
        "Voicemail, busy and failed calls are attempts only. A transferred call counts for both reps and once for their team. "
        "A call that was talked in the slot of a meeting with the same person is counted with the meeting."
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

CALL_METRICS = (calls_made, calls_connected)
