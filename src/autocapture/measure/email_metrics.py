"""Input metrics of mail: what reps wrote, got, and had answered. Definitions: METRICS 1.1, rules R11, R16."""

from __future__ import annotations

from sqlalchemy import and_

from autocapture.measure.declare import Cohort, Example, Simple
from autocapture.measure.examples import ANN, BOB
from autocapture.measure.examples import activity as given
from autocapture.measure.facts import ACTIVITIES, AUTHORED, activity, participation
from autocapture.measure.touches import REPLY_WINDOW, has_reply, is_first_of_thread

_is_email = activity.c.kind == "email"
_is_human = activity.c.nature == "human"
_sent = and_(
    _is_email,
    activity.c.direction == "outbound",
    _is_human,
    activity.c.external,
    participation.c.role == "sender",
    participation.c.counts,
)

emails_sent = Simple(
    name="emails_sent",
    title="Emails sent",
    unit="count",
    level="input",
    facts=AUTHORED,
    where=_sent,
    rules=("R1", "R6", "R11", "R14"),
    counted_from=("email",),
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
    counted_from=("email",),
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
    counted_from=("email",),
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

EMAIL_METRICS = (emails_sent, emails_received, reply_rate)
