"""Conditions on what happened around an activity: retries, replies, earlier touches. SQL only, used by the declarations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select

from autocapture.measure.facts import activity, lead, participation
from autocapture.measure.sql import AS_OF, KNOWN_AT, later, table

participant = table("participant")

RETRY_SECONDS = 120
REPLY_WINDOW = timedelta(days=14)
TO = ("to", "cc", "bcc", "attendee", "callee")
FROM = ("from", "caller")
AUTHORS = ("sender", "caller", "organizer")

is_cancelled = func.coalesce(activity.c.status, "") == "cancelled"


def is_retry() -> ColumnElement[bool]:
    """The same person dialled the same number within two minutes before, on the same local day."""
    before, mine = activity.alias("before"), participation.alias("before_by")
    dialled, number = participant.alias("dialled"), participant.alias("dialled_before")
    return (
        select(before.c.id)
        .select_from(mine.join(before, before.c.id == mine.c.activity_id))
        .join(number, and_(number.c.activity_id == before.c.id, number.c.role == "callee"))
        .join(
            dialled,
            and_(
                dialled.c.activity_id == activity.c.id,
                dialled.c.role == "callee",
                dialled.c.address == number.c.address,
            ),
        )
        .where(
            mine.c.user_id == participation.c.user_id,
            mine.c.local_date == participation.c.local_date,
            mine.c.counts,
            before.c.kind == "call",
            before.c.direction == "outbound",
            before.c.occurred_at >= later(activity.c.occurred_at, literal(-RETRY_SECONDS)),
            _earlier(before),
        )
        .correlate(activity, participation)
        .exists()
    )


def is_first_of_thread() -> ColumnElement[bool]:
    """No mail of the thread is older. A mail without a thread is its own."""
    before = activity.alias("before")
    return ~(
        select(before.c.id)
        .where(before.c.thread_id == activity.c.thread_id, before.c.kind == "email", _earlier(before))
        .correlate(activity)
        .exists()
    )


def has_reply() -> ColumnElement[bool]:
    """A person from outside answered in the thread within the window."""
    reply = activity.alias("reply")
    until = later(activity.c.occurred_at, literal(int(REPLY_WINDOW.total_seconds())))
    return (
        select(reply.c.id)
        .where(
            reply.c.thread_id == activity.c.thread_id,
            reply.c.kind == "email",
            reply.c.direction == "inbound",
            reply.c.nature == "human",
            reply.c.occurred_at > activity.c.occurred_at,
            reply.c.occurred_at <= until,
            reply.c.occurred_at <= AS_OF,
            reply.c.known_at <= KNOWN_AT,
        )
        .correlate(activity)
        .exists()
    )


def _earlier(before: Any) -> ColumnElement[bool]:
    """`before` precedes the activity; of two at the same instant the smaller id comes first."""
    same_instant = before.c.occurred_at == activity.c.occurred_at
    return or_(before.c.occurred_at < activity.c.occurred_at, and_(same_instant, before.c.id < activity.c.id))


def is_follow_up() -> ColumnElement[bool]:
    """The last word between the rep and one of those addressed was the rep's own earlier touch (METRICS R13).

    Of the touches of one local day on one channel to the same person only the first can follow up.
    """
    addressed = participant.alias("addressed")
    return (
        select(addressed.c.address)
        .where(
            addressed.c.activity_id == activity.c.id,
            addressed.c.user_id.is_(None),
            addressed.c.resource.is_(False),
            addressed.c.role.in_(TO),
            _last_word(addressed) == "outbound",
            ~_touched_that_day(addressed),
        )
        .correlate(activity, participation)
        .exists()
    )


def _last_word(addressed: Any) -> Any:
    """The direction of the latest entry before the activity in the story of the rep and the person; NULL for none."""
    before, mine, outside = (
        activity.alias("before"),
        participation.alias("mine"),
        participant.alias("outside"),
    )
    return (
        _story(before, mine, outside, addressed, select(before.c.direction))
        .where(or_(_is_touch(before, mine, outside), _is_answer(before, outside)))
        .order_by(before.c.occurred_at.desc(), before.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _touched_that_day(addressed: Any) -> Any:
    before, mine, outside = (
        activity.alias("before"),
        participation.alias("mine"),
        participant.alias("outside"),
    )
    return (
        _story(before, mine, outside, addressed, select(before.c.id))
        .where(
            _is_touch(before, mine, outside),
            before.c.kind == activity.c.kind,
            mine.c.local_date == participation.c.local_date,
        )
        .exists()
    )


def _story(before: Any, mine: Any, outside: Any, addressed: Any, wanted: Any) -> Any:
    """What passed between the rep and the person addressed before the activity. A person is a contact or an address."""
    return (
        wanted.select_from(
            outside.join(before, before.c.id == outside.c.activity_id).join(
                mine, mine.c.activity_id == before.c.id
            )
        )
        .where(
            or_(outside.c.contact_id == addressed.c.contact_id, outside.c.address == addressed.c.address),
            mine.c.user_id + 0
            == participation.c.user_id,  # no key: planners shall begin with the person, who has few entries
            before.c.nature == "human",
            before.c.known_at <= KNOWN_AT,
            _earlier(before),
        )
        .correlate(activity, participation, addressed)
    )


def _is_touch(before: Any, mine: Any, outside: Any) -> ColumnElement[bool]:
    return and_(
        before.c.direction == "outbound",
        mine.c.role.in_(AUTHORS),
        outside.c.role.in_(TO),
        func.coalesce(before.c.status, "") != "cancelled",
    )


def _is_answer(before: Any, outside: Any) -> ColumnElement[bool]:
    return and_(before.c.direction == "inbound", before.c.kind != "meeting", outside.c.role.in_(FROM))


def first_touch() -> ColumnElement[Any]:
    """When a person of ours first turned to the lead's contact since it was assigned; NULL while nobody has."""
    act, outside = activity.alias("touch"), participant.alias("touched")
    moment = case(
        (act.c.kind == "meeting", func.coalesce(act.c.booked_at, act.c.occurred_at)), else_=act.c.occurred_at
    )
    return (
        select(func.min(moment, type_=activity.c.occurred_at.type))
        .select_from(outside.join(act, act.c.id == outside.c.activity_id))
        .where(
            outside.c.contact_id == lead.c.contact_id,
            outside.c.role.in_(TO),
            act.c.direction == "outbound",
            act.c.nature == "human",
            act.c.known_at <= KNOWN_AT,
            moment >= func.coalesce(lead.c.assigned_at, lead.c.created_at),
        )
        .correlate(lead)
        .scalar_subquery()
    )
