"""A summary as one reader sees it: every text, link and chart made, so that page, mail and plain text cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from autocapture.report import charts, precision, wording
from autocapture.report.charts import Chart, Palette, Step
from autocapture.report.numbers import Cell, Number
from autocapture.report.pipeline import metric_of
from autocapture.report.reader import Reader
from autocapture.report.summary import (
    PERSON_GROUPS,
    PERSON_METRICS,
    Adjusted,
    Attainment,
    Person,
    Pipeline,
    Summary,
    Tile,
    Win,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A number in the reader's format, the exact form of it or why there is none, and the address of its rows."""

    text: str
    exact: str
    href: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class AttainmentView:
    rate: Shown
    actual: Shown
    quota: str
    period: str
    standing: str
    bar: Chart


@dataclass(frozen=True, slots=True)
class TileView:
    label: str
    value: Shown
    change: str
    basis: str
    spark: Chart


@dataclass(frozen=True, slots=True)
class PersonView:
    name: str
    attainment: AttainmentView | None
    numbers: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class MovementView:
    label: str
    sign: str
    value: Shown


@dataclass(frozen=True, slots=True)
class PipelineView:
    currency: str
    chart: Chart
    rows: tuple[MovementView, ...]
    largest: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class WinView:
    deal: str
    company: str
    amount: str
    owner: str
    when: str
    contributors: str


@dataclass(frozen=True, slots=True)
class AdjustedView:
    """``+2``, what it is of and why, the value of before; `week` of another week's number."""

    difference: str
    value: Shown
    before: str
    words: str
    week: str


@dataclass(frozen=True, slots=True)
class SummaryView:
    finding: str
    team: str
    week: str
    days: str
    as_of: str
    coverage: str
    attainment: AttainmentView | None
    tiles: tuple[TileView, ...]
    groups: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    people: tuple[PersonView, ...]
    pipelines: tuple[PipelineView, ...]
    wins: tuple[WinView, ...]
    unknowns: tuple[str, ...]
    precision: Shown | None
    precision_note: str
    adjusted: tuple[AdjustedView, ...]
    since: tuple[AdjustedView, ...]
    promise: str
    partial: bool


def view(
    summary: Summary,
    reader: Reader,
    link: Callable[[Number], str],
    palette: Palette,
    since: Sequence[Adjusted] = (),
) -> SummaryView:
    """`link` gives the address of a number's rows; `palette` the colours of the charts; `since` is what became of its numbers."""
    sight = _Sight(reader, link, palette)
    return SummaryView(
        finding=wording.finding(summary, reader),
        team=summary.team,
        week=f"Week {summary.week[-2:].lstrip('0')}, {summary.week[:4]}",
        days=reader.days(summary.period_start, summary.period_end),
        as_of=reader.moment(summary.as_of),
        coverage=wording.coverage(summary.coverage, summary.unknown, reader),
        attainment=sight.attainment(summary.attainment, wide=True),
        tiles=tuple(sight.tile(tile) for tile in summary.tiles),
        groups=tuple((group, len(metrics)) for group, metrics in PERSON_GROUPS),
        columns=tuple(wording.title(metric) for metric in PERSON_METRICS),
        people=tuple(sight.person(person) for person in summary.people),
        pipelines=tuple(sight.pipeline(pipeline) for pipeline in summary.pipelines),
        wins=tuple(sight.win(win) for win in summary.wins),
        unknowns=wording.unknowns(summary, reader),
        precision=sight.precision(summary),
        precision_note="" if summary.precision is None else wording.precision_note(summary.precision, reader),
        adjusted=tuple(sight.adjusted(each) for each in summary.adjusted),
        since=tuple(sight.adjusted(each) for each in since),
        promise=wording.PUBLISHED if summary.sourced else wording.NOT_FINAL,
        partial=any(not number.complete and number.value is not None for number in summary.numbers()),
    )


@dataclass(frozen=True, slots=True)
class _Sight:
    reader: Reader
    link: Callable[[Number], str]
    palette: Palette

    def number(self, number: Number, *, compact: bool = True) -> Shown:
        exact = wording.value(number, self.reader)
        text = wording.value(number, self.reader, compact=True) if compact else exact
        if number.value is None and (reason := wording.basis(number, self.reader)):
            exact = f"{exact} ({reason})"
        partial = number.value is not None and not number.complete
        return Shown(
            f"{text}*" if partial else text, exact, self.link(number), known=number.value is not None
        )

    def attainment(self, held: Attainment | None, *, wide: bool = False) -> AttainmentView | None:
        if held is None:
            return None
        rate = wording.percent(held.rate, self.reader)
        quota = self.reader.amount(held.quota, held.actual.told_in, held.actual.currency, compact=True)
        actual = self.number(held.actual)
        period, standing = wording.period_name(held, self.reader), wording.standing(held, self.reader)
        elapsed = wording.percent(held.elapsed, self.reader)
        alt = f"{rate} of the {period} quota reached ({actual.text} of {quota}); the pace would be {elapsed}"
        width = charts.FULL_WIDTH if wide else charts.SMALL_WIDTH
        bar = charts.bullet(float(held.rate or 0), float(held.elapsed), alt, self.palette, width)
        return AttainmentView(Shown(rate, rate, actual.href), actual, quota, period, standing, bar)

    def tile(self, tile: Tile) -> TileView:
        number = tile.number
        values = [None if week.value is None else float(week.value) for week in tile.history]
        spark = charts.sparkline(values, wording.in_words(tile, self.reader), self.palette)
        words = wording.change(tile, self.reader), wording.basis(number, self.reader)
        return TileView(wording.title(number.metric), self.number(number), *words, spark)

    def person(self, person: Person) -> PersonView:
        numbers = tuple(self.number(number) for number in person.numbers)
        return PersonView(person.name, self.attainment(person.attainment), numbers)

    def pipeline(self, pipeline: Pipeline) -> PipelineView:
        shown = [move for move in pipeline.movements if move.number.value]
        rows = [MovementView(f"Open at the start, {pipeline.currency}", "", self.number(pipeline.start))]
        for move in shown:
            sign = "+" if move.sign > 0 else "\N{MINUS SIGN}"
            rows.append(MovementView(wording.movement(move.number.metric), sign, self.number(move.number)))
        rows.append(MovementView("Open at the end", "=", self.number(pipeline.end)))
        words = ", ".join(f"{row.label} {row.sign}{row.value.exact}" for row in rows)
        chart = charts.waterfall(self._steps(pipeline), f"Pipeline of the week: {words}", self.palette)
        largest = tuple(
            (change.deal, change.company or "", self._signed(change.part, change.amount, pipeline.currency))
            for change in pipeline.largest
        )
        return PipelineView(pipeline.currency, chart, tuple(rows), largest)

    def _signed(self, part: str, amount: Decimal, currency: str) -> str:
        return f"{wording.movement(metric_of(part))} {self.reader.amount(amount, 'money', currency, signed=True)}"

    def _steps(self, pipeline: Pipeline) -> list[Step]:
        def step(number: Number, low: Decimal, high: Decimal, kind: str, sign: str = "") -> Step:
            text = f"{sign}{self.reader.number(number, compact=True)}"
            return Step(wording.movement(number.metric), float(low), float(high), kind, text)

        level = pipeline.start.value or Decimal(0)
        steps = [step(pipeline.start, Decimal(0), level, "total")]
        for move in pipeline.movements:
            size = move.number.value
            if not size:
                continue
            after = level + move.sign * size
            kind, sign = ("gain", "+") if move.sign > 0 else ("loss", "\N{MINUS SIGN}")
            steps.append(step(move.number, min(level, after), max(level, after), kind, sign))
            level = after
        steps.append(step(pipeline.end, Decimal(0), pipeline.end.value or Decimal(0), "total"))
        return steps

    def precision(self, summary: Summary) -> Shown | None:
        if summary.precision is None:
            return None
        text = wording.precision(summary.precision, self.reader)
        cell = Cell(summary.period_start, summary.period_end, summary.team_id)
        return Shown(text, text, self.link(precision.number(summary.precision, cell)))

    def adjusted(self, told: Adjusted) -> AdjustedView:
        return AdjustedView(
            wording.difference(told, self.reader),
            self.number(told.after, compact=False),
            wording.value(told.before, self.reader),
            wording.adjustment(told),
            f"week {told.week[-2:].lstrip('0')}",
        )

    def win(self, win: Win) -> WinView:
        amount = "no amount" if win.amount is None else self.reader.money(win.amount, win.currency)
        cycle = wording.count(win.cycle_days, "day", "days")
        when = f"{self.reader.day(win.closed_on)}, {cycle} after it was created"
        return WinView(win.deal, win.company or "", amount, win.owner, when, wording.contributors(win))
