"""Conditions on what happened around an activity: retries, replies, earlier touches. SQL only, used by the declarations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from autocapture.measure.facts import AUTHORS, activity, counts_for_others, is_known, lead, participation
from autocapture.measure.sql import (
    AS_OF,
    FIRST_USER,
    LAST_USER,
    ONLY_SHARED,
    WIDE_END,
    WIDE_START,
    later,
    table,
)

participant = table("participant")

RETRY_SECONDS = 120
CONNECTED_SECONDS = 60
"""A call is connected when it was answered and lasted so long (METRICS R12)."""
REPLY_WINDOW = timedelta(days=14)
TO = ("to", "cc", "bcc", "attendee", "callee")
FROM = ("from", "caller")


def was_called_off(act: Any) -> ColumnElement[bool]:
    """By either side (`normalize.meeting_state`)."""
    return func.coalesce(act.c.status, "").in_(("cancelled_by_us", "cancelled_by_them"))


is_cancelled = was_called_off(activity)


def is_connected(call: Any) -> ColumnElement[bool]:
    return and_(call.c.status == "answered", func.coalesce(call.c.duration_s, 0) >= CONNECTED_SECONDS)


def is_retry() -> ColumnElement[bool]:
    """The same person dialled the same number within two minutes before, on the same local day, and was not connected then.

    The last call before decides. After a connection the next one is another call: so no more are connected than were made.
    """
    before, mine = activity.alias("before"), participation.alias("before_by")
    dialled, number = participant.alias("dialled"), participant.alias("dialled_before")
    unconnected = (
        select(case((is_connected(before), 0), else_=1))
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
            is_known(before),
            before.c.occurred_at >= later(activity.c.occurred_at, literal(-RETRY_SECONDS)),
            _earlier(before),
        )
        .order_by(before.c.occurred_at.desc(), before.c.id.desc())
        .limit(1)
        .correlate(activity, participation)
        .scalar_subquery()
    )
    return func.coalesce(unconnected, 0) == 1  # no call before: not a retry


def is_first_of_thread() -> ColumnElement[bool]:
    """No mail of the thread is older. A mail without a thread is its own."""
    before = activity.alias("before")
    return ~(
        select(before.c.id)
        .where(
            before.c.thread_id == activity.c.thread_id,
            before.c.kind == "email",
            is_known(before),
            _earlier(before),
        )
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
            is_known(reply),
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

    Of the touches of one local day on one channel to the same person only the first can follow up. Found by reading the story
    of each rep and person once, in order; looking back from every touch would read it again each time.
    """
    story = _story().subquery("story")
    in_order = (story.c.occurred_at, story.c.activity_id)
    between = (story.c.user_id, story.c.contact_id, story.c.address)
    told = select(
        story, func.lag(story.c.direction).over(partition_by=between, order_by=in_order).label("last_word")
    ).subquery("told")
    # a person in To and in Cc is twice in a story; the second time is never the first touch of the day
    day = (told.c.user_id, told.c.contact_id, told.c.address, told.c.kind, told.c.local_date)
    of_the_day = func.row_number().over(partition_by=day, order_by=(told.c.occurred_at, told.c.activity_id))
    touches = (
        select(told.c.user_id, told.c.activity_id, told.c.last_word, of_the_day.label("of_the_day"))
        .where(told.c.direction == "outbound")
        .subquery("touches")
    )
    follow_ups = select(touches.c.user_id, touches.c.activity_id).where(
        touches.c.last_word == "outbound", touches.c.of_the_day == 1
    )
    # sums are no keys: SQLite would walk through the list and work it out a second time to check each row against it
    return tuple_(participation.c.user_id + 0, activity.c.id + 0).in_(follow_ups)


def _story() -> CompoundSelect[*tuple[Any, ...]]:
    """What passed between each rep and each person addressed around the period: the rep's touches, the person's answers.

    A person is a contact, or an address where no contact is known. Whole histories, however old: found from the persons, of
    whom few are addressed in a short period.
    """
    outside, addressed = participant.alias("outside"), _addressed()
    no_address, no_contact = literal("", String()), literal(0, Integer())
    contacts = select(addressed.c.contact_id).where(addressed.c.contact_id.is_not(None))
    addresses = select(addressed.c.address).where(addressed.c.contact_id.is_(None))
    return union_all(
        _entries(outside, outside.c.contact_id, no_address).where(outside.c.contact_id.in_(contacts)),
        # a sum is no key: rows without a contact are many, those of one address few
        _entries(outside, no_contact, outside.c.address).where(
            (outside.c.contact_id + 0).is_(None), outside.c.address.in_(addresses)
        ),
    )


def _entries(
    outside: Any, contact_id: ColumnElement[Any], address: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    """The activities of `outside` that say something, once for each of ours who took part."""
    act, mine = activity.alias("act"), participation.alias("mine")
    return (
        select(
            mine.c.user_id,
            contact_id.label("contact_id"),
            address.label("address"),
            act.c.occurred_at,
            act.c.id.label("activity_id"),
            act.c.direction,
            act.c.kind,
            mine.c.local_date,
        )
        .select_from(
            outside.join(act, act.c.id == outside.c.activity_id).join(mine, mine.c.activity_id == act.c.id)
        )
        .where(
            mine.c.user_id.between(FIRST_USER, LAST_USER),
            outside.c.user_id.is_(None),
            act.c.nature == "human",
            is_known(act),
            or_(_is_touch(act, mine, outside), _is_answer(act, outside)),
        )
    )


def _addressed() -> CTE:
    """Everybody outside who was addressed in the period, by those of us who are asked about."""
    mine = participation.alias("addressing")
    around = select(mine.c.activity_id).where(
        mine.c.user_id.between(FIRST_USER, LAST_USER),
        mine.c.local_date.between(WIDE_START, WIDE_END),
        mine.c.role.in_(AUTHORS),
        or_(~ONLY_SHARED, counts_for_others(mine, AUTHORS)),
    )
    return (
        select(participant.c.contact_id, participant.c.address)
        .where(
            participant.c.activity_id.in_(around.correlate(None)),
            participant.c.user_id.is_(None),
            participant.c.resource.is_(False),
            participant.c.role.in_(TO),
        )
        .correlate(None)
        .distinct()
        .cte("addressed")
    )


def _is_touch(act: Any, mine: Any, outside: Any) -> ColumnElement[bool]:
    return and_(
        act.c.direction == "outbound",
        mine.c.role.in_(AUTHORS),
        outside.c.role.in_(TO),
        ~was_called_off(act),
    )


def _is_answer(act: Any, outside: Any) -> ColumnElement[bool]:
    return and_(act.c.direction == "inbound", act.c.kind != "meeting", outside.c.role.in_(FROM))


def first_touch() -> ColumnElement[Any]:
    """When a person of ours first turned to the lead's contact since it was assigned; NULL while nobody has.

    Who holds the lead may have taken it by turning to it: their touches count from its creation on.
    """
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
            is_known(act),
            or_(
                moment >= func.coalesce(lead.c.assigned_at, lead.c.created_at),
                and_(moment >= lead.c.created_at, _by_holder(act)),
            ),
        )
        .correlate(lead)
        .scalar_subquery()
    )


def _by_holder(act: Any) -> ColumnElement[bool]:
    mine = participation.alias("touched_by")
    return (
        select(mine.c.user_id)
        .where(mine.c.activity_id == act.c.id, mine.c.user_id == lead.c.owner_id, mine.c.role.in_(AUTHORS))
        .correlate(act, lead)
        .exists()
    )
