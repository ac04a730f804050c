"""`summary`: publish a week's summary, show where it is, save it, send it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from autocapture.cli.application import open_application

if TYPE_CHECKING:
    from autocapture.application import Application
    from autocapture.model.measures import Delivery, Publication
    from autocapture.report.reader import Reader


def register(app: typer.Typer) -> None:
    app.command()(summary)


def summary(
    week: str = typer.Option(..., metavar="WEEK", help="The ISO week, such as 2026-W46; it must be over."),
    team: str = typer.Option("", metavar="NAME", help="One team's name; all teams without it."),
    out: Path = typer.Option(
        None,
        metavar="FILE.html",
        help="Save the summary as one HTML file (with --team, unless there is only one).",
    ),
    send: bool = typer.Option(
        False, "--send", help="Mail it to the managers; once each, however often this is run."
    ),
) -> None:
    """Publish the weekly summary. A week is told once: later runs show the same numbers."""
    from autocapture.workflows.summarize import publish

    application = open_application()
    team_ids = _team_ids(application, team)
    if out is not None and len(team_ids) != 1:
        raise typer.BadParameter("name one team with --team: the file holds one summary", param_hint="--out")
    _require_ready(application, out, send=send)
    undelivered = False
    for team_id in team_ids:
        publication = publish(application, team_id=team_id, week=week.strip())
        _tell(application, publication)
        if out is not None:
            _save(application, publication, out)
        if send:
            undelivered |= not _send(application, publication)
    if undelivered:
        raise typer.Exit(1)


def _require_ready(application: Application, out: Path | None, *, send: bool) -> None:
    """What is asked for besides can be done: nothing is told to have worked before the rest fails."""
    from autocapture.errors import InputError
    from autocapture.workflows.summarize import mail_server

    if out is not None and not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no folder {out.parent}")
    if send:
        mail_server(application)


def _team_ids(application: Application, name: str) -> list[int]:
    from sqlmodel import col, select

    from autocapture.errors import InputError
    from autocapture.model.organization import Team
    from autocapture.report.team import team_named
    from autocapture.store.engine import reading

    with reading(application.engine) as session:
        if not name:
            found = [team.id for team in session.exec(select(Team).order_by(col(Team.name)))]
        else:
            team = team_named(session, name)
            found = [team.id] if team is not None else []
    if not found:
        raise InputError(
            f"there is no team {name!r}" if name else "there are no teams yet; run `autocapture users import`"
        )
    return [team_id for team_id in found if team_id is not None]


def _tell(application: Application, publication: Publication) -> None:
    from autocapture.report.publication import summary_of
    from autocapture.report.reader import Reader
    from autocapture.report.render import shown
    from autocapture.report.sentences import finding
    from autocapture.report.tallies import plain
    from autocapture.workflows.summarize import links

    told = summary_of(publication)
    typer.echo(shown(plain(finding(told, Reader(calendar=application.fiscal_calendar)))))
    typer.echo(f"  {links(application, publication).page(told)}")


def _save(application: Application, publication: Publication, out: Path) -> None:
    from autocapture.errors import InputError
    from autocapture.report.adjust import adjusted
    from autocapture.report.publication import summary_of
    from autocapture.report.reader import Reader
    from autocapture.report.render import page_file
    from autocapture.store.engine import reading
    from autocapture.workflows.summarize import links

    reader = Reader(
        time_zone=application.settings.organization.time_zone, calendar=application.fiscal_calendar
    )
    with reading(application.engine) as session:
        since = adjusted(session, publication)
    html = page_file(summary_of(publication), reader, links(application, publication).number, since)
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as problem:
        raise InputError(f"{out} cannot be written: {problem.strerror}") from problem
    typer.echo(f"  saved as {out}")


def _send(application: Application, publication: Publication) -> bool:
    """Whether every manager has it."""
    from autocapture.report.reader import Reader
    from autocapture.workflows.summarize import deliver, deliveries

    reader = Reader(
        time_zone=application.settings.organization.time_zone, calendar=application.fiscal_calendar
    )
    had_it = {one.recipient for one in deliveries(application, publication) if one.state == "sent"}
    told = deliver(application, publication)
    for delivery in told:
        typer.echo(f"  {_outcome(delivery, reader, before=delivery.recipient in had_it)}")
    if not told:
        typer.echo("  nobody to send it to: the team has no active manager")
    return all(delivery.state == "sent" for delivery in told)


def _outcome(delivery: Delivery, reader: Reader, *, before: bool) -> str:
    if before and delivery.sent_at is not None:
        return f"already sent to {delivery.recipient} on {reader.moment(delivery.sent_at)}"
    return f"{delivery.state} to {delivery.recipient}{f': {delivery.error}' if delivery.error else ''}"
