"""The rows behind a published number."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.measure.query import TracedRow
from autocapture.model.measures import Publication, PublishedValue
from autocapture.model.organization import User
from autocapture.report.measured import Measured, exact
from autocapture.report.message import Links
from autocapture.report.numbers import RATE, SECONDS, Cell, Number, row_hash
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.report.summary import Summary
from autocapture.report.wording import count, title
from autocapture.store.engine import reading
from autocapture.web.templating import render

ACTIVITIES = ("email", "meeting", "call")


def page(application: Application, reader: Reader, publication_id: int, metric: str, cell: str) -> str:
    """Raises InputError for a number that was not published."""
    with reading(application.engine) as session:
        publication = session.get(Publication, publication_id)
        if publication is None:
            raise InputError("this was not published")
        summary = summary_of(publication)
        number = _published(summary, metric, cell)
        rows = Measured(session, publication.as_of).rows(metric, Cell.parse(cell))
        same = row_hash(rows) == _kept_hash(session, publication_id, number)
        names = _names(session, rows)
    return render(
        "number.html",
        title=title(metric),
        label=title(metric),
        of=_of(summary, Cell.parse(cell), names, reader),
        value=reader.number(number),
        how=_how(number, reader),
        same=same,
        rows=[_row(row, number, names, reader) for row in rows],
        total=_total(number, rows, reader),
        counted=count(len(rows), "row", "rows"),
        back=Links("", publication_id).page(summary),
        team=summary.team,
        week=summary.week,
        as_of=reader.moment_full(publication.as_of),
    )


def _published(summary: Summary, metric: str, cell: str) -> Number:
    for number in summary.numbers():
        if (number.metric, number.cell) == (metric, cell):
            return number
    raise InputError("this number was not published")


def _kept_hash(session: Session, publication_id: int, number: Number) -> str:
    return session.exec(
        select(PublishedValue.row_hash).where(
            PublishedValue.publication_id == publication_id,
            PublishedValue.metric == number.metric,
            PublishedValue.cell == number.cell,
        )
    ).one()


def _names(session: Session, rows: Sequence[TracedRow]) -> dict[str, str]:
    emails = {email for row in rows for email in row.users}
    users = session.exec(select(User).where(col(User.email).in_(emails))).all()
    return {user.email: user.name for user in users}


def _of(summary: Summary, cell: Cell, names: dict[str, str], reader: Reader) -> str:
    who = next((person.name for person in summary.people if person.user_id == cell.user), summary.team)
    return f"{who}, {reader.days(cell.start, cell.end)}"


def _how(number: Number, reader: Reader) -> str:
    """How the value follows from the rows below."""
    if number.value is None and number.unit == SECONDS and number.n:
        return "There is no median yet: less than half of the rows below are over."
    if number.value is None:
        return "There is no value: nothing was counted."
    if number.unit == SECONDS:
        return "The median of the rows below; those still waiting count as not yet over."
    if (
        number.denominator is not None
        and number.numerator is not None
        and not number.metric.startswith("pipeline_")
    ):
        top = reader.amount(
            number.numerator, "count" if number.unit == RATE else number.unit, number.currency
        )
        return f"{top} divided by {reader.amount(number.denominator, 'count')}."
    return "The sum of the rows below."


def _total(number: Number, rows: Sequence[TracedRow], reader: Reader) -> str:
    if number.unit == SECONDS:
        return count(len(rows), "row", "rows")
    total = sum((exact(row.contribution) for row in rows), Decimal(0))
    return reader.amount(total, "count" if number.unit == RATE else number.unit, number.currency)


def _row(row: TracedRow, number: Number, names: dict[str, str], reader: Reader) -> dict[str, Any]:
    unit = "count" if number.unit == RATE else number.told_in
    amount = reader.amount(exact(row.contribution), unit, row.currency)
    waiting = number.unit == SECONDS and not row.numerator
    return {
        "when": reader.moment(row.at),
        "who": [names.get(email, email) for email in row.users],
        "with": row.with_whom,
        "what": row.title,
        "kind": row.kind,
        "href": f"/activities/{row.id}" if row.kind in ACTIVITIES else None,
        "amount": f"{amount}, still waiting" if waiting else amount,
    }
