"""What can be counted: one row for each fact and each person it counts for.

A fact lays out the tables and says where its identity, its person, its local date and its dimensions are. Metrics narrow it.
`shared` facts may count for several people at once (a meeting with two reps): each of them gets one, but a team and the company
count it once, on the earliest local date among their members (METRICS R10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, String, and_, func, literal, or_, select

from autocapture.measure.sql import (
    AS_OF,
    KNOWN_AT,
    NOW_KNOWN,
    PERIOD_END,
    STATE_ON,
    WIDE_END,
    WIDE_FROM,
    WIDE_START,
    WIDE_UNTIL,
    local_date,
    table,
)
from autocapture.model.columns import UtcDateTime

activity = table("activity")
participation = table("participation")
user = table("app_user")
lead = table("lead")
contact = table("contact")
deal = table("deal")
deal_state = table("deal_state")

Dimensions = Mapping[str, ColumnElement[Any]]
_NEVER: ColumnElement[bool] = literal(False, Boolean())


@dataclass(frozen=True, slots=True)
class Facts:
    """`near` finds by index what may lie in the period; `on` decides. `happened` by `as_of`, `known` by `known_at`.

    `user` may be NULL. `company` is the customer's id; activities, which may have several, are matched to theirs.
    """

    name: str
    kind: ColumnElement[str]
    tables: FromClause
    id: ColumnElement[int]
    user: ColumnElement[int]
    on: ColumnElement[Any]
    at: ColumnElement[Any]
    near: ColumnElement[bool]
    happened: ColumnElement[bool]
    known: ColumnElement[bool]
    dimensions: Dimensions = field(default_factory=dict)
    company: ColumnElement[int] | None = None
    several: ColumnElement[bool] = _NEVER
    """Whether a row's fact counts for another of us too."""

    @property
    def shared(self) -> bool:
        return self.several is not _NEVER


AUTHORS = ("sender", "caller", "organizer")


def counts_for_others(part: Any, roles: Collection[str] = ()) -> ColumnElement[bool]:
    """The activity of this participation counts for somebody else of us, in one of the `roles` where they are given."""
    other = participation.alias("other")
    condition = select(other.c.user_id).where(
        other.c.activity_id == part.c.activity_id, other.c.user_id != part.c.user_id, other.c.counts
    )
    if roles:
        condition = condition.where(other.c.role.in_(roles))
    return and_(part.c.share < 1, condition.correlate(part).exists())


def _participations(
    name: str, on: ColumnElement[Any], at: ColumnElement[Any], several: ColumnElement[bool]
) -> Facts:
    return Facts(
        name=name,
        kind=activity.c.kind,
        tables=participation.join(activity, activity.c.id == participation.c.activity_id),
        id=activity.c.id,
        user=participation.c.user_id,
        on=on,
        at=at,
        near=on.between(WIDE_START, WIDE_END),
        happened=at <= AS_OF,
        known=is_known(activity),
        dimensions={
            "kind": activity.c.kind,
            "direction": activity.c.direction,
            "status": activity.c.status,
        },
        several=several,
    )


def is_known(act: Any) -> ColumnElement[bool]:
    """The activity was known at KNOWN_AT, nobody said since that it is no business, and it is no part of a meeting, with which
    it is counted."""
    return and_(act.c.known_at <= KNOWN_AT, act.c.business, act.c.meeting_id.is_(None))


_day, _at = participation.c.local_date, activity.c.occurred_at
ACTIVITIES = _participations("activities", _day, _at, counts_for_others(participation))
AUTHORED = _participations("authored activities", _day, _at, _NEVER)
"""Activities that have one author: the sender of a mail. The sum of the reps is the team's number."""
TOUCHES = _participations("touches", _day, _at, counts_for_others(participation, AUTHORS))
"""Activities by those who undertook them: one sender or organizer, but each of those who passed a call on."""
BOOKINGS = _participations(
    "booked meetings", participation.c.booked_date, activity.c.booked_at, counts_for_others(participation)
)


def _leads(name: str, at: ColumnElement[Any]) -> Facts:
    zone = func.coalesce(user.c.time_zone, literal("UTC", String()))
    return Facts(
        name=name,
        kind=literal("lead", String()),
        tables=lead.outerjoin(user, user.c.id == lead.c.owner_id),
        id=lead.c.id,
        user=lead.c.owner_id,
        on=local_date(at, zone),
        at=at,
        near=at.between(WIDE_FROM, WIDE_UNTIL),
        happened=at <= AS_OF,
        known=at <= KNOWN_AT,
        dimensions={"source": lead.c.source, "status": lead.c.status},
        company=_company_of_lead(),
    )


def _company_of_lead() -> ColumnElement[int]:
    return select(contact.c.company_id).where(contact.c.id == lead.c.contact_id).scalar_subquery()


LEADS = _leads("leads by creation", lead.c.created_at)
ASSIGNED_LEADS = _leads("leads by assignment", func.coalesce(lead.c.assigned_at, lead.c.created_at))


def _state_at(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    """The one state of the joined deal that was valid at `moment`, as known at KNOWN_AT."""
    return and_(
        deal_state.c.deal_id == deal.c.id,
        deal_state.c.valid_from <= moment,
        or_(deal_state.c.valid_to.is_(None), deal_state.c.valid_to > moment),
        deal_state.c.known_from <= KNOWN_AT,
        or_(deal_state.c.known_to.is_(None), deal_state.c.known_to > KNOWN_AT),
    )


def _deals(name: str, at: ColumnElement[Any], on: ColumnElement[Any], told: ColumnElement[bool]) -> Facts:
    """Deals dated by one of their events; they count for whoever owned them then (METRICS R8).

    `told`: what a question about earlier knowledge must find in the history; today's knowledge is the deal itself.
    """
    return Facts(
        name=name,
        kind=literal("deal", String()),
        tables=deal.outerjoin(deal_state, _state_at(at)),
        id=deal.c.id,
        user=func.coalesce(deal_state.c.owner_id, deal.c.owner_id),
        on=on,
        at=at,
        near=on.between(WIDE_START, WIDE_END),
        happened=at <= AS_OF,
        known=or_(literal(NOW_KNOWN, UtcDateTime()) <= KNOWN_AT, told),
        dimensions={
            "stage": deal.c.stage,
            "pipeline": deal.c.pipeline,
            "status": deal.c.outcome,
            "currency": deal.c.currency,
        },
        company=deal.c.company_id,
    )


CREATED_DEALS = _deals(
    "deals by creation", deal.c.created_at, deal.c.created_on, deal_state.c.id.is_not(None)
)
CLOSED_DEALS = _deals(
    "deals by close", deal.c.closed_at, deal.c.closed_on, deal_state.c.outcome == deal.c.outcome
)


def _standing_deals() -> Facts:
    """Each deal in the state in which it stood at the end of the period, in its owner's zone, or at AS_OF if that is earlier."""
    zone = func.coalesce(user.c.time_zone, literal("UTC", String()))
    since, until = deal_state.c.valid_from, deal_state.c.valid_to
    return Facts(
        name="deals as they stood",
        kind=literal("deal", String()),
        tables=deal_state.join(deal, deal.c.id == deal_state.c.deal_id).outerjoin(
            user, user.c.id == deal.c.owner_id
        ),
        id=deal.c.id,
        user=deal_state.c.owner_id,
        on=STATE_ON,
        at=since,
        near=and_(since <= WIDE_UNTIL, since <= AS_OF, local_date(since, zone) <= PERIOD_END),
        happened=or_(until.is_(None), until > AS_OF, local_date(until, zone) > PERIOD_END),
        known=and_(
            deal_state.c.known_from <= KNOWN_AT,
            or_(deal_state.c.known_to.is_(None), deal_state.c.known_to > KNOWN_AT),
        ),
        dimensions={
            "stage": deal_state.c.stage,
            "pipeline": deal_state.c.pipeline,
            "status": deal_state.c.outcome,
            "currency": deal_state.c.currency,
        },
        company=deal.c.company_id,
    )


STANDING_DEALS = _standing_deals()
