"""A summary put together from the tables, as they were known at one instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session, col, func, select

from autocapture.measure.catalog import CATALOG
from autocapture.measure.period import Period, parse_period
from autocapture.measure.query import Scope, ScopeType
from autocapture.measure.schedules import Schedules, load_schedules, share_gone
from autocapture.model.crm import Deal
from autocapture.model.measures import Quota
from autocapture.model.organization import Team, User
from autocapture.report import pipeline, sources, unknown
from autocapture.report.adjust import adjusted_before
from autocapture.report.measured import OPEN_PIPELINE, Measured
from autocapture.report.numbers import MONEY, Cell
from autocapture.report.precision import live_precision
from autocapture.report.summary import PERSON_METRICS, Attainment, Person, Pipeline, Summary, Tile, Unknown
from autocapture.report.tallies import UNPRICED, UNPRICED_WINS, deals_behind
from autocapture.report.team import Roster, roster
from autocapture.report.wins import wins

TILES = (
    "pipeline_new",
    OPEN_PIPELINE,
    "meetings_held",
    "lead_response_time",
    "emails_sent",
    "calls_connected",
)
"""The headline numbers beside attainment, in the order in which they are told."""
WEEKS = 13
_MONEY_METRICS = ("open_pipeline_value", "revenue_won", "average_deal")
_PREFERRED = "revenue_won"


def build_summary(session: Session, team: Team, week: str, as_of: datetime) -> Summary:
    """The summary of `team` in the ISO week `week` (``2026-W46``) as known at `as_of`."""
    period = parse_period(week)
    people = roster(session, team, period.start, period.end)
    cell = Cell(period.start, period.end, people.team_id)
    scene = _Scene(Measured(session, as_of), people, cell, load_schedules(session))
    return scene.summary(week)


@dataclass(frozen=True, slots=True)
class _Scene:
    measured: Measured
    roster: Roster
    cell: Cell
    schedules: Schedules

    def summary(self, week: str) -> Summary:
        pipelines = self._pipelines()
        currency = self._currency(pipelines)
        persons = tuple(self._person(rep, currency) for rep in self.roster.reps)
        won, revenue = (self.measured.rows(metric, self.cell) for metric in ("deals_won", _PREFERRED))
        session, as_of = self.measured.session, self.measured.as_of
        return Summary(
            team_id=self.roster.team_id,
            team=self.roster.team.name,
            week=week,
            period_start=self.cell.start,
            period_end=self.cell.end,
            as_of=as_of,
            coverage=unknown.coverage(session, self.roster.reps, as_of),
            attainment=self._attainment("team", self.roster.team.name, team=self.roster.team_id),
            tiles=tuple(self._tile(metric, currency) for metric in TILES),
            people=persons,
            pipelines=pipelines,
            wins=wins(session, won, revenue),
            unknown=self._unknown(persons, [one.currency for one in pipelines if one.currency != currency]),
            sourced=sources.sourced(session, self.roster.reps, as_of),
            precision=live_precision(session, as_of, [person.user_id for person in persons]),
            adjusted=adjusted_before(session, self.roster.team_id, week, as_of),
        )

    def _pipelines(self) -> tuple[Pipeline, ...]:
        """One for each currency of the open deals, the one with most of them first."""
        ends = self.measured.movements(self.cell)
        deals = Counter(row.currency for rows in ends.values() for row in rows if row.currency is not None)
        cells = [_in_currency(self.cell, currency) for currency, _times in deals.most_common()]
        session = self.measured.session
        return tuple(pipeline.told(session, cell, self.measured.movements(cell)) for cell in cells)

    def _currency(self, pipelines: Sequence[Pipeline]) -> str | None:
        """The currency in which headline money is told: the team quota's, else that of most open deals, else of most deals."""
        quota = self._quota("team", self.roster.team.name)
        if quota is not None and quota.currency is not None:
            return quota.currency
        if pipelines:
            return pipelines[0].currency
        commonest = (
            select(Deal.currency)
            .where(col(Deal.currency).is_not(None))
            .group_by(col(Deal.currency))
            .order_by(func.count().desc(), col(Deal.currency))
        )
        return self.measured.session.exec(commonest).first()

    def _tile(self, metric: str, currency: str | None) -> Tile:
        money = metric in _MONEY_METRICS or pipeline.is_movement(metric)
        cell = _in_currency(self.cell, currency) if money else self.cell
        return Tile(self.measured.history(metric, cell, WEEKS))

    def _person(self, rep: User, currency: str | None) -> Person:
        assert rep.id is not None  # noqa: S101  a stored row has its key
        # their days in this team: who changed teams in the week is told of in both, and nothing is told twice
        own = replace(self.cell, user=rep.id)
        numbers = tuple(
            self.measured.number(metric, _in_currency(own, currency) if metric in _MONEY_METRICS else own)
            for metric in PERSON_METRICS
        )
        return Person(
            rep.id,
            rep.name,
            self._attainment("user", rep.email, user=rep.id),
            numbers,
        )

    def _attainment(
        self,
        scope_type: ScopeType,
        scope: str,
        *,
        team: int | None = None,
        user: int | None = None,
    ) -> Attainment | None:
        quota = self._quota(scope_type, scope)
        if quota is None:
            return None
        whole = Period(quota.period_start, quota.period_end)
        until = min(quota.period_end, self.cell.end)
        counted = self.measured.number(
            quota.metric, Cell(quota.period_start, until, team, user, quota.currency)
        )
        nothing_yet = counted.unit == MONEY and counted.value is None  # of a quota, that is 0
        actual = replace(counted, value=Decimal(0)) if nothing_yet else counted
        rate = actual.value / quota.value if actual.value is not None and quota.value else None
        return Attainment(
            metric=quota.metric,
            period_start=quota.period_start,
            period_end=quota.period_end,
            quota=quota.value,
            actual=actual,
            rate=rate,
            elapsed=share_gone(self.measured.session, self.schedules, Scope(scope_type, scope), whole, until),
        )

    def _quota(self, scope_type: str, scope: str) -> Quota | None:
        """The quota that the headline speaks of: revenue before any other metric, the shortest period longer than a week."""
        found = self.measured.session.exec(
            select(Quota).where(
                Quota.scope_type == scope_type,
                Quota.scope == scope,
                col(Quota.period_start) <= self.cell.end,
                col(Quota.period_end) >= self.cell.end,
            )
        ).all()
        told = [one for one in found if _grows(one.metric)]
        ranked = sorted(told, key=lambda one: (one.metric != _PREFERRED, *_quarter_first(one), one.metric))
        return next(iter(ranked), None)

    def _unknown(self, persons: Sequence[Person], other_currencies: Sequence[str]) -> Unknown:
        session, reps, as_of = self.measured.session, self.roster.reps, self.measured.as_of
        ids = [rep.id or 0 for rep in reps]
        first_day = _oldest(self.cell)
        won = self._wins_of_attainment()
        missing, listed = unknown.counted(session, reps)
        return Unknown(
            troubles=unknown.troubles(session, reps, as_of),
            unmatched=unknown.how_many(session, unknown.unmatched(ids, self.cell.start, self.cell.end)),
            matchable=unknown.how_many(session, unknown.outside(ids, self.cell.start, self.cell.end)),
            quarantined=unknown.quarantined(session, reps),
            incomplete=unknown.begun_late(session, reps, first_day),
            without_quota=tuple(person.name for person in persons if person.attainment is None),
            unpriced=len(deals_behind(self.measured, UNPRICED, self.cell)),
            other_currencies=tuple(other_currencies),
            unpriced_wins=len(deals_behind(self.measured, UNPRICED_WINS, won)),
            wins_since=won.start,
            unconnected=sources.unconnected(session, reps),
            stalled=unknown.stalled(session, reps),
            missing=missing,
            listed=listed,
        )

    def _wins_of_attainment(self) -> Cell:
        """The slice of which wins are told: the quota's period so far, the week where there is no quota."""
        quota = self._quota("team", self.roster.team.name)
        start = self.cell.start if quota is None else min(quota.period_start, self.cell.start)
        return Cell(start, self.cell.end, self.cell.team)


def _in_currency(cell: Cell, currency: str | None) -> Cell:
    return Cell(cell.start, cell.end, cell.team, cell.user, currency)


def _oldest(cell: Cell) -> date:
    return date.fromordinal(cell.start.toordinal() - 7 * (WEEKS - 1))


def _grows(metric: str) -> bool:
    """Whether a metric adds up over time towards a target, so that a linear pace means something."""
    declared = CATALOG.get(metric)
    return declared is not None and declared.direction == "up" and "time" in declared.additive


def _quarter_first(quota: Quota) -> tuple[int, int]:
    """Sorts periods of about a quarter first, then the others by length."""
    days = (quota.period_end - quota.period_start).days + 1
    return int(not 80 <= days <= 100), days
