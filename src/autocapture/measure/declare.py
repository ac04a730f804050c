"""How a metric is declared: frozen values that hold SQLAlchemy expressions over the tables.

A metric says what it counts (`facts`, narrowed by `where`) and how a row contributes (`parts`). The compiler makes everything
else from that: the aggregate, the trace, the explanation, the rollup and the check of the examples.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, case, literal, null
from sqlmodel import SQLModel

from autocapture.measure.facts import Facts
from autocapture.measure.sql import MARGIN
from autocapture.records import Kind

Unit = Literal["count", "rate", "money", "seconds"]
Level = Literal["input", "between", "output"]
Direction = Literal["up", "down"]
Additive = Literal["user", "team", "time"]
"""Along what values may be added: over users (a team is the sum of its reps), over teams, over time."""


@dataclass(frozen=True, slots=True)
class Example:
    """A tiny organisation's week and the value that follows; run as a test. `title` is a sentence for the reference.

    `rows` are table rows beside the fixed cast of `measure.examples`; `where` narrows the question.
    """

    title: str
    rows: tuple[SQLModel, ...]
    expected: int | float | str | None
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric:
    """What every metric carries. `direction` says where better lies. `rules` are those of the metrics page that apply.

    A metric equals itself only: comparing SQL expressions makes another expression.
    """

    name: str
    title: str
    unit: Unit
    level: Level
    facts: Facts
    where: ColumnElement[bool]
    rules: tuple[str, ...]
    doc: str
    examples: tuple[Example, ...]
    direction: Direction = "up"
    version: int = 1
    additive: tuple[Additive, ...] = ()
    rolled_up: bool = False
    """Kept by user and day in `metric_day`. Only where a row's contribution depends on nothing outside its user's own days."""
    looks_back: bool = False
    """A row's contribution depends on earlier days of its user: what changes a day may change every later one."""
    settled_after: timedelta = MARGIN
    """So long after a day nothing of it still waits for the clock."""
    counted_from: tuple[Kind, ...] = ()
    """The kinds of channel that bring what is counted: who has connected none of them has no value. Empty for CRM data."""
    missing: Metric | None = None
    """Counts what belongs to an amount and has none, so that it does not vanish (METRICS R15)."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        """The measured columns of a row: `num` and `den`, or `begun`, `ended` and on the clock of working time `holder`."""


_ONE: ColumnElement[int] = literal(1, Integer())
_NOBODY: ColumnElement[Any] = null()


@dataclass(frozen=True, kw_only=True, eq=False)
class Simple(Metric):
    """The sum of `expr` over the rows; by default their count."""

    expr: ColumnElement[int] = _ONE

    @property
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        return {"num": self.expr, "den": _ONE}


@dataclass(frozen=True, kw_only=True, eq=False)
class AsOf(Simple):
    """A stock: the sum of `expr` over what stood at the end of the period, or at `as_of` while the period runs.

    May be added over users, never over time.
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratio(Metric):
    """Sum of `num` over the count of the rows: never an average of percentages."""

    num: ColumnElement[int]

    @property
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        return {"num": self.num, "den": _ONE}


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohort(Metric):
    """The share of rows begun in the period for which `event` happened within `window` of their beginning."""

    event: ColumnElement[bool]
    window: timedelta

    @property
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        return {"num": case((self.event, _ONE), else_=literal(0, Integer())), "den": _ONE}


@dataclass(frozen=True, kw_only=True, eq=False)
class Duration(Metric):
    """The Kaplan–Meier median of the time from `begun` to `ended`; not ended by `as_of`: still running, never dropped.

    `clock`: business counts only the working time of `holder`, a user's id; calendar counts all time.
    """

    begun: ColumnElement[Any]
    ended: ColumnElement[Any]
    holder: ColumnElement[Any] = _NOBODY
    clock: Literal["business", "calendar"] = "calendar"

    @property
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        measured = {"begun": self.begun, "ended": self.ended}
        return {**measured, "holder": self.holder} if self.clock == "business" else measured
