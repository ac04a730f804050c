"""How open pipeline came from the start of a week to its end: every deal's difference, put under one name.

Start and end are the metric `open_pipeline_value`; the movements are the differences between the two sets of rows, so that
start + new + moved in + grown − shrunk − moved out − won − lost = end holds for every currency by construction, and is
asserted all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlmodel import Session, col, select

from autocapture.measure.query import TracedRow
from autocapture.model.crm import LOST, WON, Company, Deal
from autocapture.report.numbers import MONEY, Cell, Number
from autocapture.report.summary import DealChange, Movement, Pipeline

SIGNS = {"new": 1, "moved_in": 1, "grown": 1, "shrunk": -1, "moved_out": -1, "won": -1, "lost": -1}
"""The movements in the order in which they are told."""
START, END = "pipeline_start", "pipeline_end"
VERSION = 1
_LARGEST = 5

Rows = Mapping[str, Sequence[TracedRow]]


def movements(
    session: Session, cell: Cell, before: Sequence[TracedRow], after: Sequence[TracedRow]
) -> dict[str, list[TracedRow]]:
    """The rows of ``pipeline_start``, each movement and ``pipeline_end``; contributions never negative.

    `before` and `after` are the rows of the open pipeline at either end, of one currency; `cell` holds the week's dates.
    """
    held = {row.id: row for row in before}
    holds = {row.id: row for row in after}
    deals = _deals(session, held.keys() ^ holds.keys())
    found: dict[str, list[TracedRow]] = {metric_of(part): [] for part in SIGNS}
    for key in sorted(held.keys() | holds.keys()):
        part, amount = _part(held.get(key), holds.get(key), deals.get(key), cell)
        if part is not None:
            row = holds.get(key) or held[key]
            on = _day(part, deals.get(key), cell)
            found[metric_of(part)].append(
                replace(row, on=on, contribution=amount, numerator=amount, denominator=1)
            )
    return {START: list(before), **found, END: list(after)}


def _part(
    before: TracedRow | None, after: TracedRow | None, deal: Deal | None, cell: Cell
) -> tuple[str | None, Decimal]:
    if before is not None and after is not None:
        grown = Decimal(after.contribution) - Decimal(before.contribution)
        return ("grown" if grown > 0 else "shrunk" if grown < 0 else None), abs(grown)
    if after is not None:
        new = deal is not None and cell.start <= deal.created_on <= cell.end
        return "new" if new else "moved_in", Decimal(after.contribution)
    amount = Decimal(before.contribution) if before is not None else Decimal(0)
    closed = deal is not None and deal.closed_on is not None and cell.start <= deal.closed_on <= cell.end
    if deal is not None and closed and deal.outcome in (WON, LOST):
        return ("won" if deal.outcome == WON else "lost"), amount
    return "moved_out", amount


def _day(part: str, deal: Deal | None, cell: Cell) -> date:
    """When a deal moved: the day it was created or closed, else the end of the week, by which it had."""
    known = None if deal is None else {"new": deal.created_on, "won": deal.closed_on, "lost": deal.closed_on}
    return (known or {}).get(part) or cell.end


def told(session: Session, cell: Cell, rows: Rows) -> Pipeline:
    """The pipeline of one currency as data. Raises AssertionError where start and movements do not add up to the end."""
    numbers = {metric: number(metric, cell, counted) for metric, counted in rows.items()}
    parts = tuple(Movement(part, sign, numbers[metric_of(part)]) for part, sign in SIGNS.items())
    level = numbers[START].value or Decimal(0)
    for move in parts:
        level += move.sign * (move.number.value or Decimal(0))
    if level != (numbers[END].value or Decimal(0)):
        raise AssertionError(f"the pipeline of {cell} does not add up: {level} is not {numbers[END].value}")
    return Pipeline(cell.currency or "", numbers[START], parts, numbers[END], _largest(session, rows))


def metric_of(part: str) -> str:
    return f"pipeline_{part}"


def is_movement(metric: str) -> bool:
    return metric in (START, END) or metric.removeprefix("pipeline_") in SIGNS


def number(metric: str, cell: Cell, rows: Sequence[TracedRow]) -> Number:
    """The sum of the rows of one movement."""
    total = sum((Decimal(row.contribution) for row in rows), Decimal(0))
    return Number(metric, str(cell), MONEY, total, len(rows), cell.currency, total, Decimal(len(rows)))


def _largest(session: Session, rows: Rows) -> tuple[DealChange, ...]:
    changes = [
        (SIGNS[part] * Decimal(row.contribution), part, row.id)
        for part in SIGNS
        for row in rows[metric_of(part)]
        if row.contribution
    ]
    changes.sort(key=lambda change: (-abs(change[0]), change[2]))
    top = changes[:_LARGEST]
    deals = _deals(session, {deal_id for _amount, _part_, deal_id in top})
    companies = _companies(session, deals.values())
    return tuple(
        DealChange(deal_id, deals[deal_id].name, companies.get(deals[deal_id].company_id), part, amount)
        for amount, part, deal_id in top
    )


def _deals(session: Session, ids: Iterable[int]) -> dict[int, Deal]:
    found: dict[int, Deal] = {}
    for deal in session.exec(select(Deal).where(col(Deal.id).in_(sorted(ids)))):
        assert deal.id is not None  # noqa: S101  a stored row has its key
        found[deal.id] = deal
    return found


def _companies(session: Session, deals: Iterable[Deal]) -> dict[int | None, str]:
    wanted = {deal.company_id for deal in deals if deal.company_id is not None}
    rows = session.exec(select(Company).where(col(Company.id).in_(wanted)))
    return {company.id: company.name for company in rows}
