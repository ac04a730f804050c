"""Conditions on what happened around an activity: retries, replies, earlier touches. SQL only, used by the declarations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_, select, tuple_, union_all

from autocapture.measure.facts import activity, lead, participation
from autocapture.measure.sql import AS_OF, KNOWN_AT, WIDE_END, later, table

participant = table("participant")

RETRY_SECONDS = 120
REPLY_WINDOW = timedelta(days=14)
TO = ("to", "cc", "bcc", "attendee", "callee")
FROM = ("from", "caller")


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
    """The person's last word with somebody outside was their own earlier touch (METRICS R13).

    Every person outside has a story with each of ours: touches made and messages received, in order of time. A touch follows up
    when the entry before it is a touch; of the touches of one local day on one channel only the first can.
    """
    story = union_all(_entries(own=True), _entries(own=False)).subquery("story")
    with_whom = (story.c.user_id, story.c.person)
    order = (story.c.occurred_at, story.c.id)
    told = select(
        story.c.user_id,
        story.c.id,
        story.c.own,
        func.lag(story.c.own).over(partition_by=with_whom, order_by=order).label("before"),
        func.row_number()
        .over(partition_by=(*with_whom, story.c.own, story.c.local_date, story.c.kind), order_by=order)
        .label("of_day"),
    ).subquery("told")
    follow_ups = select(told.c.user_id, told.c.id).where(
        told.c.own == 1, told.c.before == 1, told.c.of_day == 1
    )
    return tuple_(participation.c.user_id, activity.c.id).in_(follow_ups)


def _entries(*, own: bool) -> Any:
    act, part, outside = activity.alias(), participation.alias(), participant.alias()
    person = func.coalesce(cast(outside.c.contact_id, String()), outside.c.address)
    entries = (
        select(
            part.c.user_id,
            person.label("person"),
            act.c.id,
            act.c.kind,
            act.c.occurred_at,
            part.c.local_date,
            literal(1 if own else 0).label("own"),
        )
        .select_from(part.join(act, act.c.id == part.c.activity_id))
        .join(outside, outside.c.activity_id == act.c.id)
        .where(
            part.c.local_date <= WIDE_END,
            act.c.nature == "human",
            act.c.occurred_at <= AS_OF,
            act.c.known_at <= KNOWN_AT,
            outside.c.user_id.is_(None),
            outside.c.resource.is_(False),
            outside.c.role.in_(TO if own else FROM),
            act.c.direction == ("outbound" if own else "inbound"),
        )
        .distinct()
    )
    if own:
        return entries.where(
            part.c.role.in_(("sender", "caller", "organizer")),
            func.coalesce(act.c.status, "") != "cancelled",
        )
    return entries.where(act.c.kind != "meeting")


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
