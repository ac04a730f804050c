"""The sentences of a summary: English templates with slots, chosen by rule from the numbers; formats are the reader's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median

from autocapture.measure.catalog import CATALOG
from autocapture.measure.fiscal_calendar import is_fiscal
from autocapture.measure.period import Period
from autocapture.report.numbers import RATE, SECONDS, Number
from autocapture.report.reader import NO_VALUE, Reader
from autocapture.report.summary import (
    Adjusted,
    Attainment,
    Cause,
    Contributor,
    Precision,
    Tile,
)

_MOVEMENTS = {
    "pipeline_start": ("Pipeline at the start", "Start"),
    "pipeline_new": ("New pipeline", "New"),
    "pipeline_moved_in": ("Pipeline moved in", "Moved in"),
    "pipeline_grown": ("Pipeline grown", "Grown"),
    "pipeline_shrunk": ("Pipeline shrunk", "Shrunk"),
    "pipeline_moved_out": ("Pipeline moved out", "Moved out"),
    "pipeline_won": ("Pipeline won", "Won"),
    "pipeline_lost": ("Pipeline lost", "Lost"),
    "pipeline_end": ("Pipeline at the end", "End"),
}
_COUNTED = {"lead_response_time": ("lead", "leads"), "reply_rate": ("email", "emails")}
_DEALS = ("deal", "deals")
PUBLISHED = "These numbers were published once and do not change."
NOT_FINAL = "These numbers are counted anew until the team's accounts are captured, or until somebody is mailed of them."
_HISTORY_FOR_A_RANGE = 5
_REFS = 3
_NORMAL = Decimal(2)


def title(metric: str) -> str:
    """What a metric or a movement of the pipeline is called."""
    declared = CATALOG.get(metric)
    return declared.title if declared is not None else _MOVEMENTS[metric][0]


def movement(metric: str) -> str:
    """The short name of a movement of the pipeline, where the pipeline is what is spoken of."""
    return _MOVEMENTS[metric][1]


def goal(held: Attainment, reader: Reader) -> str:
    """What a quota is, how much of it is reached, and what the pace by working days would be."""
    actual = held.actual
    quota, pace = (
        reader.amount(value, actual.told_in, actual.currency) for value in (held.quota, _pace(held))
    )
    period, elapsed = period_name(held, reader), percent(held.elapsed, reader)
    return (
        f"The quota of {period} is {quota}, as it was set: {percent(held.rate, reader)} of it is reached, "
        f"{standing(held, reader)}. "
        f"Of the period's working days {elapsed} are gone, by which the linear pace is {pace}."
    )


def _pace(held: Attainment) -> Decimal:
    return (held.quota * held.elapsed).quantize(Decimal(1))


def standing(held: Attainment, reader: Reader) -> str:
    """How the actual compares with a linear pace by available days."""
    pace = held.quota * held.elapsed
    if held.actual.value is None or not pace:
        return "no pace yet"
    gap = held.actual.value - pace
    shown = reader.amount(abs(gap), held.actual.told_in, held.actual.currency, compact=True)
    if abs(gap) * 50 < pace:
        return "on the linear pace"
    return f"{shown} {'ahead of' if gap > 0 else 'behind'} the linear pace"


def change(tile: Tile, reader: Reader) -> str:
    """The change against the week before, and whether such a change is ordinary for this team."""
    now, before = tile.number.value, tile.previous.value
    if now is None or before is None:
        return "no comparison with last week"
    difference = now - before
    if difference == 0:
        return "same as last week"
    if tile.number.unit == RATE:
        shown = f"{reader.amount(difference * 100, 'count', signed=True)} points"
    else:
        shown = reader.amount(
            difference, tile.number.told_in, tile.number.currency, compact=True, signed=True
        )
    usual = " · usual variation" if is_ordinary([number.value for number in tile.history]) else ""
    return f"{shown} vs last week{usual}"


def is_ordinary(history: Sequence[Decimal | None]) -> bool:
    """Whether the last step of `history` is within twice the median size of its earlier steps; False while too few."""
    known = [value for value in history if value is not None]
    steps = [abs(later - earlier) for earlier, later in pairwise(known)]
    if len(steps) <= _HISTORY_FOR_A_RANGE:
        return False
    return steps[-1] <= _NORMAL * median(steps[:-1])


def basis(number: Number, reader: Reader) -> str:
    """What a number rests on: the rows of a rate, a median, an average or a sum of money; nothing for a plain count. Or why there
    is none."""
    if is_waiting(number):
        return f"{reader.count(number.n - _over(number))} of {rows_of(number, reader)} still unanswered"
    if number.value is None and number.why:
        return number.why
    if number.unit == "count":
        return ""
    return rows_of(number, reader)


def is_waiting(number: Number) -> bool:
    """Whether a median is not reached yet: too few of its rows are over."""
    return number.unit == SECONDS and number.value is None and number.n > 0


def value(number: Number, reader: Reader, *, compact: bool = False) -> str:
    """The number, or what stands in its place."""
    return "not yet" if is_waiting(number) else reader.number(number, compact=compact)


def answered(number: Number, reader: Reader) -> str:
    """``1 of 3 leads was answered``."""
    over = _over(number)
    return f"{reader.count(over)} of {rows_of(number, reader)} {'was' if over == 1 else 'were'} answered"


def rows_of(number: Number, reader: Reader) -> str:
    """How many of what a number was counted from: ``1 deal``, ``3 leads``."""
    one, many = _COUNTED.get(number.metric, _DEALS)
    return f"{reader.count(number.n)} {one if number.n == 1 else many}"


def _over(number: Number) -> int:
    return int(number.numerator or 0)


def in_words(tile: Tile, reader: Reader) -> str:
    """The alternative text of a sparkline: its numbers."""
    values = ", ".join(reader.number(number, compact=True) for number in tile.history)
    return f"{title(tile.number.metric)}, {len(tile.history)} weeks: {values}"


def precision(told: Precision, reader: Reader) -> str:
    """``Precision of the last 90 days: 0.98 (0.96–0.99), n = 412``; or that too few were judged."""
    head = f"Precision of the last {told.days} days: "
    if not told.is_enough or told.share is None or told.interval is None:
        return f"{head}too few to tell, n = {reader.count(told.n)}"
    low, high = told.interval
    shown = f"{reader.hundredths(told.share)} ({reader.hundredths(low)}–{reader.hundredths(high)})"
    return f"{head}{shown}, n = {reader.count(told.n)}"


def adjustment(told: Adjusted) -> str:
    """``meetings held for Anna, because 2 were captured later.``: what follows the difference."""
    whose, why = told.whose, listing([cause(each) for each in told.causes])
    name = title(told.after.metric)
    return f"{name[:1].lower()}{name[1:]} for {whose}, because {why}."


def difference(told: Adjusted, reader: Reader) -> str:
    """``+2``; both values where one of them is none, or where a difference says little."""
    before, after = told.before, told.after
    if before.value is None or after.value is None or after.unit in (RATE, SECONDS):
        return f"{value(before, reader)} → {value(after, reader)}"
    return reader.amount(after.value - before.value, after.told_in, after.currency, signed=True)


def cause(why: Cause) -> str:
    """Why a number changed, after "because"."""
    many = why.count != 1
    match why.kind:
        case "late":
            return f"{why.count} {'were' if many else 'was'} captured later"
        case "corrected":
            numbers = ", ".join(str(each) for each in why.refs[:_REFS])
            more = f" and {len(why.refs) - _REFS} more" if len(why.refs) > _REFS else ""
            what = "corrections" if many else "correction"
            return f"{listing(why.who) if why.who else 'somebody'} corrected it ({what} {numbers}{more})"
        case "rules":
            numbers = ", ".join(str(each) for each in why.refs)
            return f"other rules were applied or taken back ({'batches' if many else 'batch'} {numbers})"
        case "deals":
            return f"the CRM told more of {count(why.count, 'deal', 'deals')}"
        case "leads":
            return "the CRM told more of leads"
        case "changed":
            return f"{why.count} {'are' if many else 'is'} told or matched otherwise by now"
        case _:
            return "something it was counted from is not there any more"


def contributors(people: Sequence[Contributor]) -> str:
    if not people:
        return "no captured activity is linked to it"
    names = [f"{who.name} ({count(who.activities, 'activity', 'activities')})" for who in people]
    return listing(names)


def period_name(held: Attainment, reader: Reader) -> str:
    """``FY2026-Q4`` for a piece of a fiscal year of the organisation's own; ``Q4 2026`` for a calendar quarter, ``2026`` for a
    year, the month's or the interval's dates else."""
    own = reader.calendar.name(Period(held.period_start, held.period_end))
    if is_fiscal(own):
        return own
    start, after = held.period_start, held.period_end + timedelta(days=1)
    months = (after.year - start.year) * 12 + after.month - start.month
    if start.day == after.day == 1 and months == 3 and start.month % 3 == 1:
        return f"Q{(start.month + 2) // 3} {start.year}"
    if start == date(start.year, 1, 1) and after == date(start.year + 1, 1, 1):
        return str(start.year)
    return reader.days(start, held.period_end)


def percent(rate: Decimal | None, reader: Reader) -> str:
    return NO_VALUE if rate is None else reader.amount(rate, RATE)


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def listing(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
