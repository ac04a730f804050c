"""The rows behind a published number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.measure.query import TracedRow
from autocapture.model.measures import Publication, PublishedValue
from autocapture.model.organization import Team, User
from autocapture.report.measured import Measured, exact
from autocapture.report.numbers import RATE, SECONDS, Cell, Number, row_hash
from autocapture.report.precision import METRIC as PRECISION
from autocapture.report.publication import stored, summary_of
from autocapture.report.reader import Reader
from autocapture.report.summary import Summary
from autocapture.report.tallies import DEAL, TITLES
from autocapture.report.wording import answered, count, goal, is_waiting, title, value
from autocapture.store.engine import reading
from autocapture.web import deal, precision, tally
from autocapture.web.activity_rows import Shown
from autocapture.web.below import below
from autocapture.web.changes import changed_since
from autocapture.web.ownership import reads_of_team
from autocapture.web.templating import render
from autocapture.web.visit import Visit

ACTIVITIES = ("email", "meeting", "call")
People = Mapping[str, tuple[str, str]]


def page(
    application: Application,
    visit: Visit,
    publication_id: int,
    metric: str,
    cell: str,
    number_of_page: int = 1,
) -> str:
    """Raises InputError for a number that was not published, or not for who asks. Rows that no metric counts come in pages."""
    reader = visit.reader
    with reading(application.engine) as session:
        publication = session.get(Publication, publication_id)
        if publication is None:
            raise InputError("this was not published")
        summary = summary_of(publication)
        team = session.get_one(Team, publication.team_id)
        if not reads_of_team(session, visit, team, summary.period_start, summary.period_end):
            raise InputError("this was published for others")
        if metric == PRECISION:
            return precision.page(session, visit, publication, summary)
        if metric == DEAL:
            return deal.page(session, visit, publication, summary, cell, number_of_page)
        if metric in TITLES:
            return tally.page(session, visit, publication, summary, (metric, cell), number_of_page)
        publication = _of_earlier(session, publication, summary, metric, cell)
        publication_id, summary = publication.id or 0, summary_of(publication)
        number = _published(summary, metric, cell)
        measured = Measured(session, publication.as_of)
        rows = measured.behind(number)
        same = row_hash(rows) == _kept_hash(session, publication_id, number)
        now = number if same else measured.number(metric, Cell.parse(cell))
        changed = set() if same else changed_since(session, rows, publication.as_of)
        people = _people(session, rows)
    shown = [_row(row, number, people, reader, changed=(row.kind, row.id) in changed) for row in rows]
    return render(
        "number.html",
        title=title(metric),
        visit=visit,
        label=title(metric),
        of=_of(summary, Cell.parse(cell), reader),
        value=value(number, reader),
        how=_how(number, reader) if same else _how_changed(number, now, reader),
        goals=_goals(summary, number, reader),
        same=same,
        total=_total(number, rows, reader),
        counted=count(len(rows), "row", "rows"),
        **Shown(shown, 0, None, None).told,
        **below(publication, summary, reader),
    )


def _published(summary: Summary, metric: str, cell: str) -> Number:
    for number in summary.numbers():
        if (number.metric, number.cell) == (metric, cell):
            return number
    raise InputError("this number was not published")


def _of_earlier(
    session: Session, publication: Publication, summary: Summary, metric: str, cell: str
) -> Publication:
    """Of a number of an earlier week, of which this summary tells that it changed, the summary that told it first."""
    for each in summary.adjusted:
        if (each.after.metric, each.after.cell) == (metric, cell):
            return stored(session, publication.team_id, each.week) or publication
    return publication


def _kept_hash(session: Session, publication_id: int, number: Number) -> str:
    return session.exec(
        select(PublishedValue.row_hash).where(
            PublishedValue.publication_id == publication_id,
            PublishedValue.metric == number.metric,
            PublishedValue.cell == number.cell,
        )
    ).one()


def _people(session: Session, rows: Sequence[TracedRow]) -> People:
    """Name and time zone of our people by their email."""
    emails = {email for row in rows for email in row.users}
    users = session.exec(select(User).where(col(User.email).in_(emails))).all()
    return {user.email: (user.name, user.time_zone) for user in users}


def _of(summary: Summary, cell: Cell, reader: Reader) -> str:
    who = next((person.name for person in summary.people if person.user_id == cell.user), summary.team)
    return f"{who}, {reader.days(cell.start, cell.end)}"


def _how(number: Number, reader: Reader) -> str:
    """How the value follows from the rows below."""
    if is_waiting(number):
        return f"No median yet: {answered(number, reader)}."
    if number.value is None:
        return f"There is no value: {number.why or 'nothing was counted'}."
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


def _goals(summary: Summary, number: Number, reader: Reader) -> list[str]:
    """What the number is compared with, where a quota is set for it."""
    held = (summary.attainment, *(person.attainment for person in summary.people))
    told = (
        one
        for one in held
        if one is not None and (one.metric, one.actual.cell) == (number.metric, number.cell)
    )
    return [goal(one, reader) for one in told]


def _how_changed(number: Number, now: Number, reader: Reader) -> str:
    """What was published beside what the rows below give by now."""
    before, after = value(number, reader), value(now, reader)
    rows = "" if number.n == now.n else f", from {count(now.n, 'row', 'rows')} instead of {number.n}"
    if before == after:
        return f"Published: {before}. The rows below have changed since and still give {after}{rows}."
    return f"Published: {before}. The rows below are now {after}{rows}."


def _total(number: Number, rows: Sequence[TracedRow], reader: Reader) -> str:
    if number.unit == SECONDS:
        return count(len(rows), "row", "rows")
    total = sum((exact(row.contribution) for row in rows), Decimal(0))
    return reader.amount(total, "count" if number.unit == RATE else number.unit, number.currency)


def _row(row: TracedRow, number: Number, people: People, reader: Reader, *, changed: bool) -> dict[str, Any]:
    unit = "count" if number.unit == RATE else number.told_in
    amount = reader.amount(exact(row.contribution), unit, row.currency)
    waiting = number.unit == SECONDS and not row.numerator
    return {
        "when": _when(row, people, reader),
        "who": [people[email][0] if email in people else email for email in row.users],
        "with": row.with_whom,
        "what": row.title,
        "kind": row.kind,
        "changed": changed,
        "href": f"/activities/{row.id}" if row.kind in ACTIVITIES else None,
        "amount": f"{amount}, still waiting" if waiting else amount,
    }


def _when(row: TracedRow, people: People, reader: Reader) -> str:
    """The moment where the rep was; a deal has the day on which it counts, in its owner's zone, and no time."""
    if row.kind == "deal":
        return reader.day(row.on)
    zones = [people[email][1] for email in row.users if email in people]
    return (replace(reader, time_zone=zones[0]) if zones else reader).moment(row.at)
