"""`autocapture quotas`: how far quotas are attained, and whether a file of quotas can be imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autocapture.cli.output import Format, FormatOption, emit, print_table

if TYPE_CHECKING:
    from autocapture.quota.attain import Attainment

quotas = typer.Typer(
    help=(
        "Show how far quotas are attained in a period.\n\n"
        "Attainment: quotas --period P. A file before its import: quotas check FILE.csv."
    )
)


def register(app: typer.Typer) -> None:
    app.add_typer(quotas, name="quotas")


@quotas.callback(invoke_without_command=True)
def attained(
    ctx: typer.Context,
    period: Annotated[
        str,
        typer.Option(
            metavar="PERIOD", help="2026-W46, 2026-11, 2026-Q4, 2026, FY2026-Q4 or 2026-11-01..2026-11-15."
        ),
    ] = "",
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Attainment and pace of the quotas whose dates overlap a period."""
    if ctx.invoked_subcommand is not None:
        return
    from autocapture.cli.application import open_application, organization_zone
    from autocapture.cli.sheets import quotas_table
    from autocapture.measure.schedules import load_schedules
    from autocapture.quota.attain import attainment, quotas_for
    from autocapture.store.engine import reading

    if not period:
        ctx.fail("--period is missing, such as --period 2026-Q4")
    application = open_application()
    chosen = application.fiscal_calendar.parse(period)
    now, zone = application.clock.now(), organization_zone(application)
    with reading(application.engine) as session:
        schedules = load_schedules(session)
        found = [
            attainment(session, quota, as_of=now, zone=zone, schedules=schedules)
            for quota in quotas_for(session, chosen)
        ]
    if fmt is Format.TABLE:
        print_table(quotas_table(found, chosen, zone, application.fiscal_calendar))
    else:
        emit(map(_row, found), fmt)


@quotas.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="CSV: metric,scope_type,scope,period_start,period_end,value,currency"
        ),
    ],
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Show what a file would import, and what is wrong with it.

    Lines that cannot be imported are named, and quotas that do not add up.
    """
    from autocapture.cli.application import open_application
    from autocapture.cli.sheets import quota_lines_table
    from autocapture.errors import InputError
    from autocapture.measure.catalog import CATALOG
    from autocapture.measure.labels import load_labels
    from autocapture.quota.check import mismatches
    from autocapture.quota.read import read_quotas
    from autocapture.store.engine import reading

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise InputError(f"{file} cannot be read: {problem.strerror or 'input or output failed'}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} cannot be read: it is not text in UTF-8") from None
    application = open_application()
    with reading(application.engine) as session:
        labels = load_labels(session)
    emails, teams = labels.names["user"], labels.names["team"]
    rows, problems = read_quotas(
        text,
        CATALOG,
        set(emails.values()),
        set(teams.values()),
        file=str(file),
        calendar=application.fiscal_calendar,
    )
    today = application.clock.now().date()
    members = {
        name: [
            emails[who]
            for who, where, first, last in labels.stays
            if where == team and first <= today <= last
        ]
        for team, name in teams.items()
    }
    if fmt is Format.TABLE:
        print_table(quota_lines_table(rows, application.fiscal_calendar))
    else:
        emit(({**row.model_dump(exclude={"id"}), "unit": CATALOG[row.metric].unit} for row in rows), fmt)
    for found in mismatches(rows, CATALOG, members):
        typer.echo(f"does not add up: {found}", err=True)
    for refused in problems:
        typer.echo(str(refused), err=True)
    if problems:
        raise InputError(f"{len(problems)} of {len(rows) + len(problems)} lines cannot be imported")


def _row(found: Attainment) -> dict[str, object]:
    quota = found.quota
    return {
        "metric": quota.metric,
        "scope_type": quota.scope_type,
        "scope": quota.scope,
        "period_start": quota.period_start,
        "period_end": quota.period_end,
        "quota": quota.value,
        "currency": quota.currency,
        "unit": found.unit,
        "actual": found.actual,
        "attainment": found.attainment,
        "expected_share": found.expected_share,
        "pace": found.pace,
        "remaining": found.remaining,
        "n": found.n,
        "complete": found.complete,
        "as_of": found.as_of,
    }
