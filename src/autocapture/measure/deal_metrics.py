"""Metrics between activity and result, and results: deals created, standing and closed. Definitions: METRICS 1.2 and 1.3."""

from __future__ import annotations

from sqlalchemy import Integer, and_, case, literal

from autocapture.measure.declare import AsOf, Duration, Example, Ratio, Simple
from autocapture.measure.examples import ANN, BOB
from autocapture.measure.examples import deal as given
from autocapture.measure.facts import CLOSED_DEALS, CREATED_DEALS, STANDING_DEALS, deal, deal_state
from autocapture.model.crm import LOST, OPEN, WON

_won = deal.c.outcome == WON
_closed = deal.c.outcome.in_((WON, LOST))
_has_amount = and_(deal.c.amount_minor.is_not(None), deal.c.currency.is_not(None))
_open = deal_state.c.outcome == OPEN
_standing_amount = and_(deal_state.c.amount_minor.is_not(None), deal_state.c.currency.is_not(None))
_OWNER_AT_CLOSE = (
    " It counts for who owned the deal when it was closed. A deal that was reopened is not closed."
)
_CURRENCIES = " Amounts of different currencies are never added: there is one value for each currency."

opportunities_created = Simple(
    name="opportunities_created",
    title="Opportunities created",
    unit="count",
    level="between",
    facts=CREATED_DEALS,
    where=deal.c.id.is_not(None),
    rules=("R1", "R3", "R6", "R8", "R14"),
    doc=(
        "Deals by the owner's day on which they were first created; they count for who owned them then. A deal that is "
        "reopened or moved to another pipeline is not new."
    ),
    additive=("user", "team", "time"),
    examples=(
        Example(
            "Two created this week, one of them lost since; one created before",
            (
                *given(1, "11-09 10:00"),
                *given(2, "11-10 10:00", closed="11-20 10:00", outcome="lost"),
                *given(3, "11-06 10:00"),
            ),
            2,
        ),
    ),
)

open_pipeline_count = AsOf(
    name="open_pipeline_count",
    title="Open pipeline, deals",
    unit="count",
    level="between",
    facts=STANDING_DEALS,
    where=_open,
    rules=("R1", "R6", "R8", "R18"),
    doc=(
        "Deals open at the end of the period's last day in the owner's zone; while the period runs, open now. Read from the "
        "history of the deals, not from how they stand today. May be added over reps, never over time."
    ),
    additive=("user", "team"),
    examples=(
        Example(
            "Open on Sunday evening: one won on Friday is not, one won on the Monday after still is",
            (
                *given(1, "10-01 10:00"),
                *given(2, "10-01 10:00", closed="11-13 10:00", outcome="won"),
                *given(3, "10-01 10:00", closed="11-16 10:00", outcome="won"),
                *given(4, "11-16 10:00"),
            ),
            2,
        ),
    ),
)

_open_without_amount = AsOf(
    name="open_pipeline_without_amount",
    title="Open pipeline, deals without an amount",
    unit="count",
    level="between",
    facts=STANDING_DEALS,
    where=and_(_open, ~_standing_amount),
    rules=("R1", "R6", "R8", "R15", "R18"),
    doc="Deals counted by open_pipeline_count that have no amount or no currency.",
    additive=("user", "team"),
    examples=(),
)

open_pipeline_value = AsOf(
    name="open_pipeline_value",
    title="Open pipeline, value",
    unit="money",
    level="between",
    facts=STANDING_DEALS,
    where=and_(_open, _standing_amount),
    missing=_open_without_amount,
    expr=deal_state.c.amount_minor,
    rules=("R1", "R5", "R6", "R8", "R15", "R18"),
    doc=(
        "Amounts, not weighted, of the deals counted by open_pipeline_count, as they were at that time. Deals without an "
        "amount are not in n." + _CURRENCIES
    ),
    additive=("user", "team"),
    examples=(
        Example(
            "1,000 and 250.50 open, 500 won before Sunday, one deal without an amount",
            (
                *given(1, "10-01 10:00", amount=100_000),
                *given(2, "10-01 10:00", amount=25_050, owner=BOB),
                *given(3, "10-01 10:00", amount=50_000, closed="11-13 10:00", outcome="won"),
                *given(4, "10-01 10:00", amount=None),
            ),
            "1250.50",
        ),
    ),
)

deals_won = Simple(
    name="deals_won",
    title="Deals won",
    unit="count",
    level="output",
    facts=CLOSED_DEALS,
    where=_won,
    rules=("R1", "R3", "R6", "R8", "R14"),
    doc="Deals won, by the owner's day of the close." + _OWNER_AT_CLOSE,
    additive=("user", "team", "time"),
    examples=(
        Example(
            "One won and one lost this week",
            (
                *given(1, "10-01 10:00", closed="11-10 10:00", outcome="won"),
                *given(2, "10-01 10:00", closed="11-10 10:00", outcome="lost"),
            ),
            1,
        ),
    ),
)

deals_lost = Simple(
    name="deals_lost",
    title="Deals lost",
    unit="count",
    level="output",
    facts=CLOSED_DEALS,
    where=deal.c.outcome == LOST,
    direction="down",
    rules=("R1", "R3", "R6", "R8", "R14"),
    doc="Deals lost, by the owner's day of the close; one that ended without a decision is lost."
    + _OWNER_AT_CLOSE,
    additive=("user", "team", "time"),
    examples=(
        Example(
            "One won and two lost this week",
            (
                *given(1, "10-01 10:00", closed="11-10 10:00", outcome="won"),
                *given(2, "10-01 10:00", closed="11-10 10:00", outcome="lost"),
                *given(3, "10-01 10:00", closed="11-11 10:00", outcome="lost", amount=None),
            ),
            2,
        ),
    ),
)

win_rate = Ratio(
    name="win_rate",
    title="Win rate",
    unit="rate",
    level="between",
    facts=CLOSED_DEALS,
    where=_closed,
    num=case((_won, literal(1, Integer())), else_=literal(0, Integer())),
    rules=("R1", "R2", "R3", "R6", "R8", "R16"),
    doc=(
        "Deals won over deals closed (won or lost) in the period, by count. Null when nothing was closed, never 0. It is "
        "not the share of created deals that are won: that needs a cohort." + _OWNER_AT_CLOSE
    ),
    examples=(
        Example(
            "One won, three lost",
            (
                *given(1, "10-01 10:00", closed="11-10 10:00", outcome="won"),
                *given(2, "10-01 10:00", closed="11-10 10:00", outcome="lost"),
                *given(3, "10-01 10:00", closed="11-11 10:00", outcome="lost"),
                *given(4, "10-01 10:00", closed="11-12 10:00", outcome="lost"),
            ),
            0.25,
        ),
        Example("Nothing closed: no rate", given(1, "10-01 10:00"), None),
    ),
)

_won_without_amount = Simple(
    name="deals_won_without_amount",
    title="Deals won without an amount",
    unit="count",
    level="output",
    facts=CLOSED_DEALS,
    where=and_(_won, ~_has_amount),
    rules=("R1", "R3", "R6", "R8", "R14", "R15"),
    doc="Deals counted by deals_won that have no amount or no currency.",
    additive=("user", "team", "time"),
    examples=(),
)

revenue_won = Simple(
    name="revenue_won",
    title="Revenue won",
    unit="money",
    level="output",
    facts=CLOSED_DEALS,
    where=and_(_won, _has_amount),
    missing=_won_without_amount,
    expr=deal.c.amount_minor,
    rules=("R1", "R3", "R5", "R6", "R8", "R15"),
    doc=(
        "Amounts of the deals won in the period, by the owner's day of the close: bookings, neither invoiced nor recognised "
        "revenue. Won deals without an amount are not in n. Null when there is none with an amount."
        + _CURRENCIES
        + _OWNER_AT_CLOSE
    ),
    additive=("user", "team", "time"),
    examples=(
        Example(
            "1,000 and 234.56 won, 9,000 lost",
            (
                *given(1, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=100_000),
                *given(2, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=23_456, owner=BOB),
                *given(3, "10-01 10:00", closed="11-10 10:00", outcome="lost", amount=900_000),
            ),
            "1234.56",
        ),
    ),
)

average_deal = Ratio(
    name="average_deal",
    title="Average deal",
    unit="money",
    level="between",
    facts=CLOSED_DEALS,
    where=and_(_won, _has_amount, deal.c.amount_minor > 0),
    missing=_won_without_amount,
    num=deal.c.amount_minor,
    rules=("R1", "R5", "R6", "R8", "R15", "R16"),
    doc=(
        "Amounts of the deals won in the period over their number, only deals with an amount above 0, rounded to the "
        "currency's digits. Lost deals and missing amounts are never averaged in."
        + _CURRENCIES
        + _OWNER_AT_CLOSE
    ),
    examples=(
        Example(
            "1,000 and 500 won; a won deal of 0, one without an amount and a lost one do not count",
            (
                *given(1, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=100_000),
                *given(2, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=50_000, owner=ANN),
                *given(3, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=0),
                *given(4, "10-01 10:00", closed="11-10 10:00", outcome="won", amount=None),
                *given(5, "10-01 10:00", closed="11-10 10:00", outcome="lost", amount=900_000),
            ),
            "750.00",
        ),
    ),
)

sales_cycle = Duration(
    name="sales_cycle",
    title="Sales cycle",
    unit="seconds",
    level="between",
    facts=CLOSED_DEALS,
    where=_won,
    begun=deal.c.created_at,
    ended=deal.c.closed_at,
    direction="down",
    rules=("R1", "R3", "R6", "R8", "R17"),
    doc=(
        "Median time from the first creation of a deal to its close, of the deals won in the period, in calendar time: "
        "nights and weekends included. A period metric: every deal in it is over, so the Kaplan–Meier median is the "
        "ordinary one. In a growing pipeline it looks shorter than the cycle of the deals created now; that needs a cohort."
        + _OWNER_AT_CLOSE
    ),
    examples=(
        Example(
            "Ten days and twenty days: fifteen; a lost deal does not count",
            (
                *given(1, "10-31 10:00", closed="11-10 10:00", outcome="won"),
                *given(2, "10-21 10:00", closed="11-10 10:00", outcome="won"),
                *given(3, "01-01 10:00", closed="11-10 10:00", outcome="lost"),
            ),
            15 * 86_400,
        ),
    ),
)

DEAL_METRICS = (
    opportunities_created,
    open_pipeline_count,
    open_pipeline_value,
    deals_won,
    deals_lost,
    win_rate,
    revenue_won,
    average_deal,
    sales_cycle,
)
