"""Capturing in the foreground, and what came of it: `capture`, `census`, `ledger`, `activities`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from autocapture.cli.application import open_application, organization_zone
from autocapture.cli.output import Format, FormatOption, emit, print_table
from autocapture.cli.usage import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autocapture.application import Application
    from autocapture.workflows.census import ChannelCensus

AccountOption = Annotated[
    int | None,
    typer.Option(
        "--account", metavar="ID", help="One account's number, as `accounts` lists it. Default: all."
    ),
]


def register(app: typer.Typer) -> None:
    app.command()(capture)
    app.command()(census)
    app.command()(ledger)
    app.command()(activities)


def capture(
    account: AccountOption = None,
    resync: Annotated[
        bool,
        typer.Option(
            "--resync", help="List every source from the start, read and judge everything once more."
        ),
    ] = False,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Capture now, in the foreground, everything that is new."""
    from autocapture.workflows.capture import capture_account
    from autocapture.workflows.creating import create_contacts
    from autocapture.workflows.late_knowledge import settle_late_knowledge
    from autocapture.workflows.meetings import settle_meetings
    from autocapture.workflows.rollups import refresh_rollups
    from autocapture.workflows.signatures import read_signatures

    app = open_application()
    settle_late_knowledge(app)
    reports = [capture_account(app, account_id, resync=resync) for account_id in _chosen(app, account)]
    settle_meetings(app)
    create_contacts(app)
    read_signatures(app)
    refresh_rollups(app)
    emit(
        (
            {
                "account": report.account_id,
                "status": report.status,
                "listed": report.listed,
                "captured": report.captured,
                "skipped": sum(report.skipped.values()),
                "quarantined": report.quarantined,
                "gone": report.gone,
                "skipped_by_reason": dict(sorted(report.skipped.items())),
                "why": report.why,
            }
            for report in reports
        ),
        fmt,
    )
    if any(report.status not in ("ok", "disabled") for report in reports):
        raise typer.Exit(1)


def census(account: AccountOption = None, fmt: FormatOption = Format.TABLE) -> None:
    """Compare what every source holds now with the ledger. Exit code 1 where they differ.

    What is missing is read by the next `capture`, which also brings in what arrived or left since it last ran. The sources of
    accounts that are paused, disconnected or of who is disabled are not asked.
    """
    from autocapture.errors import RateLimited, ReconnectNeeded, SetupError, Unreachable
    from autocapture.workflows.census import settle_census, take_census, why_left_alone

    app = open_application()
    counted: list[ChannelCensus] = []
    uncounted, asked = 0, 0
    for account_id in _chosen(app, account):
        if why := why_left_alone(app, account_id):
            typer.echo(f"census: account {account_id} is not counted: {why}", err=True)
            continue
        asked += 1
        try:
            found = take_census(app, account_id)
            counted.extend(found)
            if not settle_census(app, account_id, found):
                typer.echo(
                    f"census: account {account_id} is being captured; run it again to have its figures kept",
                    err=True,
                )
        except (RateLimited, ReconnectNeeded, SetupError, Unreachable) as problem:
            uncounted += 1
            typer.echo(f"census: account {account_id} cannot be counted: {problem}", err=True)
    if counted or not uncounted:
        emit(_census_rows(counted), fmt, None if fmt is not Format.TABLE else _CENSUS_COLUMNS)
    if counted or asked > uncounted:
        _say_whether_equal(counted)
    if uncounted:
        raise typer.Exit(1)


def _say_whether_equal(counted: Sequence[ChannelCensus]) -> None:
    """Raises Exit where a channel differs."""
    differing = [found for found in counted if not found.equal]
    if differing:
        missing = sum(len(found.missing) for found in differing)
        left = sum(len(found.left) for found in differing)
        typer.echo(
            f"census: {missing} at the source without a ledger row, {left} in the ledger that left the source; "
            "`autocapture capture` brings in what is new and what was lost",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"census: equal, {sum(found.at_source or 0 for found in counted)} items", err=True)


_CENSUS_COLUMNS = (
    "account", "channel", "at_source", "in_ledger", "captured", "skipped", "quarantined", "missing_count", "left_count",
    "left_out",
)  # fmt: skip


def _census_rows(counted: Iterable[ChannelCensus]) -> Iterable[dict[str, object]]:
    for found in counted:
        yield {
            "account": found.account_id,
            "subject": found.subject,
            "channel": found.channel,
            "at_source": found.at_source,
            "in_ledger": found.in_ledger,
            "captured": found.outcomes["captured"],
            "skipped": found.outcomes["skipped"],
            "quarantined": found.outcomes["quarantined"],
            "equal": found.equal,
            "missing_count": len(found.missing),
            "left_count": len(found.left),
            "missing": list(found.missing),
            "left": list(found.left),
            "left_out": found.left_out,
        }


def ledger(
    outcome: Annotated[
        Literal["captured", "skipped", "quarantined"] | None,
        typer.Option("--outcome", help="Only items of one outcome. Default: all."),
    ] = None,
    account: AccountOption = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List what became of every item ever seen."""
    from autocapture.workflows.listings import list_ledger

    app = open_application()
    _chosen(app, account)
    rows = list_ledger(app, outcome, account)
    if fmt is Format.TABLE:
        from autocapture.cli.sheets import ledger_table

        print_table(ledger_table(rows, organization_zone(app)))
    else:
        emit(rows, fmt)


def activities(
    kind: Annotated[
        Literal["email", "meeting", "call"] | None,
        typer.Option("--kind", help="Only activities of one kind. Default: all."),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="EMAIL", help="Only activities of one of our people.")
    ] = None,
    first: Annotated[
        date | None, typer.Option("--from", metavar="DATE", parser=day, help="First day, such as 2026-11-09.")
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", metavar="DATE", parser=day, help="Last day, included, such as 2026-11-15."),
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List activities with participants, matches and sightings.

    It names whoever was copied blindly too, whom the pages tell to few:
    hand it on with care.
    """
    from autocapture.errors import InputError
    from autocapture.workflows.listings import Selection, list_activities

    if first is not None and last is not None and last < first:
        raise InputError(f"--to {last} lies before --from {first}")
    app = open_application()
    if user is not None:
        _require_user(app, user)
    rows = list_activities(app, Selection(kind, user, first, last))
    if fmt is Format.TABLE:
        from autocapture.cli.sheets import activities_table

        print_table(activities_table(rows, organization_zone(app)))
    else:
        emit(rows, fmt)


def _chosen(app: Application, account: int | None) -> list[int]:
    from sqlmodel import select

    from autocapture.errors import InputError
    from autocapture.model.accounts import Account
    from autocapture.store.engine import reading

    with reading(app.engine) as session:
        ids = [found for found in session.exec(select(Account.id).order_by(Account.id)) if found is not None]  # type: ignore[arg-type]
    if account is None:
        if not ids:
            raise InputError("no account is connected yet; see `autocapture connect --help`")
        return ids
    if account not in ids:
        raise InputError(f"there is no account {account}; `autocapture accounts` lists them")
    return [account]


def _require_user(app: Application, email: str) -> None:
    from sqlmodel import select

    from autocapture.errors import InputError
    from autocapture.model.organization import User
    from autocapture.store.engine import reading

    with reading(app.engine) as session:
        if session.exec(select(User.id).where(User.email == email.strip().lower())).first() is None:
            raise InputError(f"there is no user {email}; `autocapture users import` brings users in")
