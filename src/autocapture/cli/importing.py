"""`import crm`, `quotas`, `working-hours`, `absences`; and `users import`, which `cli.people` registers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autocapture.cli.application import open_application
from autocapture.cli.output import Format, FormatOption, emit

if TYPE_CHECKING:
    from autocapture.workflows.import_report import ImportReport

StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict", help="Exit with 1 when any row was refused; the other rows are imported all the same."
    ),
]


def register(app: typer.Typer) -> None:
    imports = typer.Typer(
        no_args_is_help=True, help="Import CRM data, quotas, working hours or absences from files."
    )
    imports.command("crm")(import_crm)
    imports.command("quotas")(import_quotas)
    imports.command("working-hours")(import_working_hours)
    imports.command("absences")(import_absences)
    app.add_typer(imports, name="import")


def import_users(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="CSV: email,name,team,manager,role,time_zone,locale,aliases,phones"
        ),
    ],
    fmt: FormatOption = Format.TABLE,
    strict: StrictOption = False,
) -> None:
    """Import users, teams, addresses and phone numbers. Running it again updates."""
    from autocapture.workflows.import_users import import_users as run

    application = open_application()
    _show(run(application.engine, application.clock, file), fmt, strict)


def import_crm(
    mapping: Annotated[
        Path,
        typer.Option(
            "--mapping", metavar="FILE.toml", help="TOML: which column of which file is which field."
        ),
    ],
    source: Annotated[
        Path | None,
        typer.Option("--source", metavar="DIR", help="The folder of the files; default: the mapping's."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    fmt: FormatOption = Format.TABLE,
    strict: StrictOption = False,
) -> None:
    """Import a CRM's CSV exports. Running it again updates.

    Companies, contacts, leads, deals and their stage history, products and owners, from any column layout.
    """
    from autocapture.workflows.import_crm import import_crm as run
    from autocapture.workflows.late_knowledge import settle_late_knowledge

    application = open_application()
    report = run(application.engine, application.clock, mapping=mapping, source=source, dry_run=dry_run)
    if not dry_run and (changed := settle_late_knowledge(application)):
        typer.echo(f"{changed} stored activities are matched differently now", err=True)
    _show(report, fmt, strict)


def import_quotas(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="CSV: metric,scope_type,scope,period_start,period_end,value,currency"
        ),
    ],
    fmt: FormatOption = Format.TABLE,
    strict: StrictOption = False,
) -> None:
    """Import quotas: targets of any metric. Running it again updates."""
    from autocapture.workflows.import_quotas import import_quotas as run

    application = open_application()
    _show(run(application.engine, application.clock, file, application.fiscal_calendar), fmt, strict)


def import_working_hours(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="CSV: user,valid_from,monday,tuesday,wednesday,thursday,friday,saturday,sunday,holidays",
        ),
    ],
    fmt: FormatOption = Format.TABLE,
    strict: StrictOption = False,
) -> None:
    """Import the hours that people work in a week. Running it again updates.

    A row without a user holds for all who have none of their own.
    """
    from autocapture.workflows.import_working_time import import_working_hours as run

    application = open_application()
    _show(run(application.engine, application.clock, file), fmt, strict)


def import_absences(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV: user,starts_on,ends_on,share")],
    fmt: FormatOption = Format.TABLE,
    strict: StrictOption = False,
) -> None:
    """Import the days on which people are away. Running it again updates.

    Why is not asked. A share of 0 takes an absence back.
    """
    from autocapture.workflows.import_working_time import import_absences as run

    application = open_application()
    _show(run(application.engine, application.clock, file), fmt, strict)


def _show(report: ImportReport, fmt: Format, strict: bool) -> None:
    """For people, lines; else one row for each change, refusal, note and missing row. Counts of refusals go to standard error.

    Exit code 1 when nothing could be imported though rows were refused, or with `strict` when any row was refused.
    """
    if fmt is Format.TABLE:
        for line in report.lines():
            typer.echo(line)
    else:
        emit(report.details(), fmt, columns=report.columns)
        if report.advice:
            typer.echo(report.advice, err=True)
    if report.refused:
        count = len(report.refused)
        typer.echo(f"autocapture: {count} {'row was' if count == 1 else 'rows were'} refused", err=True)
    if report.refused and (strict or not report.imported):
        raise typer.Exit(1)
