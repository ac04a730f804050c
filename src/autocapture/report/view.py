"""A summary as one reader sees it: every text, link and chart made, so that page, mail and plain text cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from autocapture.report import charts, precision, sentences, tallies, wording
from autocapture.report.charts import Chart, Palette, Step
from autocapture.report.numbers import MONEY, Cell, Number
from autocapture.report.pipeline import metric_of
from autocapture.report.reader import Reader
from autocapture.report.summary import (
    PERSON_GROUPS,
    PERSON_METRICS,
    Adjusted,
    Attainment,
    DealChange,
    Person,
    Pipeline,
    Precision,
    Summary,
    Tile,
    Win,
)
from autocapture.report.tallies import LINKED, Piece, Sentence, of_deal, plain


@dataclass(frozen=True, slots=True)
class Shown:
    """A number in the reader's format, the exact form of it or why there is none, and the address of its rows."""

    text: str
    exact: str
    href: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sentence and the address of what it speaks of; empty where nothing is counted in it."""

    text: str
    href: str


Said = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class AttainmentView:
    """The number behind `actual` also tells what the quota is and how the pace is reckoned: all of it opens there."""

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
    change: Part
    basis: Part
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
class ChangeView:
    deal: str
    company: str
    amount: Part


@dataclass(frozen=True, slots=True)
class PipelineView:
    currency: str
    chart: Chart
    rows: tuple[MovementView, ...]
    largest: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True)
class WinView:
    """A won deal; `href` is the address of its history, with the activities of those who contributed."""

    deal: str
    company: str
    amount: str
    owner: str
    on: str
    cycle: str
    contributors: str
    href: str


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
    headline: Said
    team: str
    week: str
    days: str
    as_of: str
    coverage: Said
    attainment: AttainmentView | None
    tiles: tuple[TileView, ...]
    groups: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    people: tuple[PersonView, ...]
    pipelines: tuple[PipelineView, ...]
    wins: tuple[WinView, ...]
    unknowns: tuple[Said, ...]
    precision: Shown | None
    precision_note: Said
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
        finding=plain(headline := sentences.finding(summary, reader)),
        headline=sight.said(headline),
        team=summary.team,
        week=f"Week {summary.week[-2:].lstrip('0')}, {summary.week[:4]}",
        days=reader.days(summary.period_start, summary.period_end),
        as_of=reader.moment(summary.as_of),
        coverage=sight.said(sentences.coverage(summary, reader)),
        attainment=sight.attainment(summary.attainment, wide=True),
        tiles=tuple(sight.tile(tile) for tile in summary.tiles),
        groups=tuple((group, len(metrics)) for group, metrics in PERSON_GROUPS),
        columns=tuple(wording.title(metric) for metric in PERSON_METRICS),
        people=tuple(sight.person(person) for person in summary.people),
        pipelines=tuple(sight.pipeline(pipeline) for pipeline in summary.pipelines),
        wins=tuple(sight.win(win) for win in summary.wins),
        unknowns=tuple(sight.said(each) for each in sentences.unknowns(summary, reader)),
        precision=sight.precision(summary),
        precision_note=sight.precision_note(summary),
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

    def said(self, sentence: Sentence) -> Said:
        return tuple(self.part(piece) for piece in sentence)

    def part(self, piece: Piece) -> Part:
        """Only what holds a figure opens: of words alone there is nothing to count."""
        counted = any(letter.isdigit() for letter in piece.text)
        return Part(piece.text, self.link(piece.opens) if counted and piece.opens is not None else "")

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
        change = self.part(Piece(wording.change(tile, self.reader), tile.previous))
        basis = self.part(Piece(wording.basis(number, self.reader), number))
        return TileView(wording.title(number.metric), self.number(number), change, basis, spark)

    def person(self, person: Person) -> PersonView:
        numbers = tuple(self.number(number) for number in person.numbers)
        return PersonView(person.name, self.attainment(person.attainment), numbers)

    def pipeline(self, pipeline: Pipeline) -> PipelineView:
        shown = [move for move in pipeline.movements if move.number.value]
        rows = [MovementView(f"Open at the start, {pipeline.currency}", "", self.number(pipeline.start))]
        for move in shown:
            sign = "+" if move.sign > 0 else "\N{MINUS SIGN}"
            rows.append(MovementView(wording.movement(move.number.metric), sign, self.number(move.number)))
        rows.append(MovementView("Open at the end", "", self.number(pipeline.end)))
        words = ", ".join(f"{row.label} {row.sign}{row.value.exact}" for row in rows)
        chart = charts.waterfall(self._steps(pipeline), f"Pipeline of the week: {words}", self.palette)
        largest = tuple(self._change(change, pipeline.currency) for change in pipeline.largest)
        return PipelineView(pipeline.currency, chart, tuple(rows), largest)

    def _change(self, change: DealChange, currency: str) -> ChangeView:
        amount = self.reader.amount(change.amount, MONEY, currency, signed=True)
        told = f"{wording.movement(metric_of(change.part))} {amount}"
        opens = of_deal(change.deal_id, change.amount, currency)
        return ChangeView(change.deal, change.company or "", self.part(Piece(told, opens)))

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
        return Shown(text, text, self.link(self._verdicts(summary, summary.precision)))

    def precision_note(self, summary: Summary) -> Said:
        told = summary.precision
        if told is None:
            return ()
        links = tallies.tallies(summary)[LINKED]
        note = sentences.precision_note(told, self.reader, links, self._verdicts(summary, told))
        return self.said(note)

    def _verdicts(self, summary: Summary, told: Precision) -> Number:
        return precision.number(told, Cell(summary.period_start, summary.period_end, summary.team_id))

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
        return WinView(
            win.deal,
            win.company or "",
            amount,
            win.owner,
            self.reader.day(win.closed_on),
            f"{cycle} after it was created",
            wording.contributors(win.contributors),
            self.link(of_deal(win.deal_id, win.amount, win.currency)),
        )
