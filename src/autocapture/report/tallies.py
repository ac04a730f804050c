"""The numbers of a summary that no metric counts, each as a number that opens to what it was counted from.

They are not published values: what they were told as stands in the summary, and behind them are rows as they are now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from autocapture.measure.query import TracedRow
from autocapture.report.measured import OPEN_PIPELINE, Measured
from autocapture.report.numbers import COUNT, MONEY, Cell, Number
from autocapture.report.summary import DealChange, Summary, Win

OUTSIDE, UNMATCHED = "activities_outside", "activities_unmatched"
LINKED = "activities_put_on_deals"
WON, UNPRICED_WINS, UNPRICED = "wins", "wins_without_amount", "open_deals_without_amount"
DEAL = "deal"
"""The history of one deal; in the place of the slice stands its id."""
ACCOUNTS = "accounts"
"""What is told of capture opens to the accounts."""
TITLES = {
    OUTSIDE: "Activities with people outside",
    UNMATCHED: "Activities without a company or deal",
    LINKED: "Activities that matching put on a deal by itself",
    WON: "Deals won",
    UNPRICED_WINS: "Won deals without an amount",
    UNPRICED: "Open deals without an amount",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; `opens` is the number of which it speaks."""

    text: str
    opens: Number | None = None


Sentence = tuple[Piece, ...]


def plain(sentence: Sentence) -> str:
    return "".join(piece.text for piece in sentence)


def tallies(summary: Summary) -> dict[str, Number]:
    """What is told beside the metrics, by name."""
    week = Cell(summary.period_start, summary.period_end, summary.team_id)
    unknown = summary.unknown
    found = {
        OUTSIDE: _tally(OUTSIDE, week, unknown.matchable),
        UNMATCHED: _tally(UNMATCHED, week, unknown.unmatched),
        WON: _tally(WON, week, len(summary.wins)),
        UNPRICED: _tally(UNPRICED, week, unknown.unpriced),
    }
    if unknown.wins_since is not None:
        since = Cell(unknown.wins_since, summary.period_end, summary.team_id)
        found[UNPRICED_WINS] = _tally(UNPRICED_WINS, since, unknown.unpriced_wins)
    if summary.precision is not None:
        found[LINKED] = _tally(LINKED, week, summary.precision.links)
    return found


def of_deal(deal_id: int, amount: Decimal | None, currency: str | None) -> Number:
    """What is told of one deal."""
    return Number(DEAL, str(deal_id), MONEY, amount, 1, currency)


def of_capture() -> Number:
    return Number(ACCOUNTS, "", COUNT, None, 0)


def told_of(summary: Summary, deal_id: int) -> Iterator[Win | DealChange]:
    """Where the summary speaks of a deal."""
    yield from (win for win in summary.wins if win.deal_id == deal_id)
    for pipeline in summary.pipelines:
        yield from (change for change in pipeline.largest if change.deal_id == deal_id)


def deals_behind(measured: Measured, name: str, cell: Cell) -> list[TracedRow]:
    """The deals of a tally of deals."""
    if name == UNPRICED:
        return _without(measured, "open_pipeline_count", OPEN_PIPELINE, cell)
    if name == UNPRICED_WINS:
        return _without(measured, "deals_won", "revenue_won", cell)
    return list(measured.rows("deals_won", cell))


def _without(measured: Measured, counted: str, priced: str, cell: Cell) -> list[TracedRow]:
    """What is counted, and adds nothing to the money."""
    known = {row.id for row in measured.rows(priced, cell)}
    return [row for row in measured.rows(counted, cell) if row.id not in known]


def _tally(name: str, cell: Cell, count: int) -> Number:
    return Number(name, str(cell), COUNT, Decimal(count), count)
