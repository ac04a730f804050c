"""The rows behind a number that a summary tells and no metric counts."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from autocapture.errors import InputError
from autocapture.measure.query import TracedRow
from autocapture.model.measures import Publication
from autocapture.report import unknown
from autocapture.report.measured import Measured
from autocapture.report.numbers import Cell, Number
from autocapture.report.precision import linked
from autocapture.report.reader import Reader
from autocapture.report.summary import Summary
from autocapture.report.tallies import LINKED, OUTSIDE, TITLES, UNMATCHED, deals_behind, tallies
from autocapture.report.wording import count
from autocapture.web.activity_rows import Shown, shown
from autocapture.web.below import below
from autocapture.web.ownership import sight_of
from autocapture.web.templating import render
from autocapture.web.visit import Visit


def page(
    session: Session,
    visit: Visit,
    publication: Publication,
    summary: Summary,
    asked: tuple[str, str],
    number_of_page: int,
) -> str:
    """Of a summary that who asks may read; `asked` are name and slice. Raises InputError for what it does not tell."""
    name, cell = asked
    told = tallies(summary).get(name)
    if told is None or told.cell != cell:
        raise InputError("this number was not published")
    slice_, reader = Cell.parse(cell), visit.reader
    if name in (OUTSIDE, UNMATCHED, LINKED):
        ids = _activities(session, name, summary)
        found, now = shown(session, sight_of(session, visit), ids, reader, number_of_page), len(ids)
    else:
        deals = deals_behind(Measured(session, summary.as_of), name, slice_)
        found, now = Shown([_deal(row, reader) for row in deals], 0, None, None), len(deals)
    return render(
        "number.html",
        title=TITLES[name],
        visit=visit,
        label=TITLES[name],
        of=f"{summary.team}, {_when(summary, name, slice_, reader)}",
        value=reader.count(told.n),
        how=_how(told, now, reader),
        goals=[],
        same=now == told.n,
        total=reader.count(now),
        counted=count(len(found.rows), "row", "rows"),
        **found.told,
        **below(publication, summary, reader),
    )


def _activities(session: Session, name: str, summary: Summary) -> list[int]:
    people = [person.user_id for person in summary.people]
    if name == LINKED:
        days = 0 if summary.precision is None else summary.precision.days
        return list(session.exec(linked(summary.as_of, people, days)))
    behind = unknown.outside if name == OUTSIDE else unknown.unmatched
    return list(session.exec(behind(people, summary.period_start, summary.period_end)))


def _when(summary: Summary, name: str, cell: Cell, reader: Reader) -> str:
    if name == LINKED and summary.precision is not None:
        return f"the {summary.precision.days} days until {reader.day(summary.as_of.astimezone(reader.zone).date())}"
    return reader.days(cell.start, cell.end)


def _how(told: Number, now: int, reader: Reader) -> str:
    if now == told.n:
        return "Each of the rows below counts once."
    return (
        f"Published: {reader.count(told.n)}. By now there are {reader.count(now)}, which are the rows below."
    )


def _deal(row: TracedRow, reader: Reader) -> dict[str, Any]:
    return {
        "when": reader.day(row.on),
        "who": list(row.users),
        "with": row.with_whom,
        "what": row.title,
        "kind": row.kind,
        "changed": False,
        "href": None,
        "amount": reader.count(1),
    }
