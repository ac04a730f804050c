"""What the sample organisation came to, on one screen: captured, skipped and why, matched, attainment, and where to look."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from sqlalchemy import distinct, func
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.model.activities import Activity, Match
from autocapture.model.ledger import CAPTURED, QUARANTINED, SKIPPED, LedgerEntry
from autocapture.model.organization import Team
from autocapture.report.publication import summary_of
from autocapture.report.summary import Attainment, Summary
from autocapture.report.team import slug
from autocapture.store.engine import reading
from autocapture.workflows.summarize import publish


def show_tally(app: Application, last_on: date, console: Console) -> None:
    """Prints the totals, publishes the week that ends on `last_on` for every team, and prints attainment and addresses."""
    with reading(app.engine) as session:
        console.print(_table("What was captured", ("", "items"), _outcomes(session)))
        console.print(_table("What was skipped", ("reason", "items"), _reasons(session)))
        console.print(_table("What was matched", ("", "activities"), _matches(session)))
        teams = [(team.id, team.name) for team in session.exec(select(Team).order_by(col(Team.name)))]
    year, number, _ = last_on.isocalendar()
    week = f"{year}-W{number:02d}"
    summaries = [summary_of(publish(app, team_id=key, week=week)) for key, _name in teams if key is not None]
    console.print(
        _table(
            f"Attainment by the end of week {week}",
            ("team", "rep", "metric", "period", "quota", "reached"),
            _attainment(summaries),
        )
    )
    address = f"http://{app.settings.web.host}:{app.settings.web.port}"
    for summary in summaries:
        console.print(f"weekly summary of {summary.team}: {address}/summary/{slug(summary.team)}/{week}")


def _outcomes(session: Session) -> list[tuple[str, ...]]:
    counts = dict(
        session.exec(select(LedgerEntry.outcome, func.count()).group_by(col(LedgerEntry.outcome))).all()
    )
    return [(outcome, str(counts.get(outcome, 0))) for outcome in (CAPTURED, SKIPPED, QUARANTINED)]


def _reasons(session: Session) -> list[tuple[str, ...]]:
    rows = session.exec(
        select(LedgerEntry.reason, func.count())
        .where(LedgerEntry.outcome == SKIPPED)
        .group_by(col(LedgerEntry.reason))
        .order_by(func.count().desc())
    ).all()
    return [(reason or "", str(count)) for reason, count in rows]


def _matches(session: Session) -> list[tuple[str, ...]]:
    external = session.exec(select(func.count()).select_from(Activity).where(col(Activity.external))).one()
    found = [("with somebody outside", str(external))]
    for target in ("company", "deal"):
        matched = session.exec(
            select(func.count(distinct(col(Match.activity_id)))).where(Match.target == target)
        ).one()
        found.append((f"matched to a {target}", str(matched)))
    review = session.exec(
        select(func.count()).select_from(Activity).where(col(Activity.review).is_not(None))
    ).one()
    return [*found, ("left for review", str(review))]


def _attainment(summaries: Iterable[Summary]) -> list[tuple[str, ...]]:
    return [
        (summary.team, person.name, *_reached(person.attainment))
        for summary in summaries
        for person in summary.people
    ]


def _reached(held: Attainment | None) -> tuple[str, ...]:
    if held is None:
        return ("", "", "no quota", "")
    return (
        held.metric,
        f"{held.period_start}..{held.period_end}",
        f"{held.quota:,f} {held.actual.currency or ''}".rstrip(),
        "" if held.rate is None else f"{held.rate:.0%}",
    )


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column, justify="right" if column in ("items", "activities", "quota", "reached") else "left"
        )
    for row in rows:
        table.add_row(*row)
    return table
