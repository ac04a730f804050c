"""Setting up: `init`, `database`, `doctor`."""

from __future__ import annotations

import typer

from autocapture.cli.application import build_application
from autocapture.cli.output import Format, FormatOption


def register(app: typer.Typer) -> None:
    app.command()(init)
    database = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Upgrade, downgrade or check the database."
    )
    database.command()(upgrade)
    database.command()(downgrade)
    database.command()(check)
    app.add_typer(database, name="database")
    app.command()(doctor)


def init(
    new_key: bool = typer.Option(
        False, "--new-key", help="The key file is lost: make another. Accounts must then be connected again."
    ),
) -> None:
    """Make the home folder, the key file and the database. Running it again is harmless."""
    from autocapture.workflows.set_up import has_accounts, set_up
    from autocapture.workflows.sign_in_sessions import is_closed

    application = build_application()
    settings = application.settings
    set_up(application, new_key=new_key)
    typer.echo(f"home      {settings.home}")
    typer.echo(
        f"key file  {settings.key_file} (keep a copy elsewhere: without it, accounts must be connected again)"
    )
    typer.echo(f"database  {application.engine.url.render_as_string(hide_password=True)}")
    if not has_accounts(application):
        typer.echo("next: `autocapture users import FILE.csv`, then `autocapture connect imap --help`")
    if not is_closed(application):
        typer.echo(
            "the pages are open to this machine until `autocapture users invite EMAIL --admin` lets an admin in"
        )


def upgrade() -> None:
    """Bring the database to the newest revision."""
    from autocapture.store import schema

    application = build_application()
    schema.upgrade(application.engine)
    typer.echo(f"the database is at revision {schema.current(application.engine)}")


def downgrade(
    revision: str = typer.Argument(
        metavar="REVISION", help="The revision to go back to; `base` removes every table."
    ),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Take the database back to an older revision. What newer tables and columns held is lost."""
    from autocapture.store import schema

    application = build_application()
    schema.require_revision(revision)
    if not yes:
        typer.confirm(
            f"Take the database back to {revision}, losing what newer tables hold?", abort=True, err=True
        )
    schema.downgrade(application.engine, revision)
    typer.echo(f"the database is at revision {schema.current(application.engine) or 'base'}")


def check() -> None:
    """Say whether the database is as this release wants it."""
    from autocapture.errors import SetupError
    from autocapture.store import schema

    application = build_application()
    schema.require_head(application.engine)
    differences = schema.differences(application.engine)
    if differences:
        raise SetupError(f"the tables differ from what this release wants: {'; '.join(differences)}")
    typer.echo(f"the database is at revision {schema.newest()} and its tables are as they should be")


def doctor(fmt: FormatOption = Format.TABLE) -> None:
    """Check this installation, and say what to mend and how."""
    from autocapture.cli.output import emit
    from autocapture.workflows.health import diagnosis

    checks = list(diagnosis(build_application()))
    emit(
        [{"check": one.name, "state": "ok" if one.ok else "problem", "found": one.found} for one in checks],
        fmt,
    )
    if not all(one.ok for one in checks):
        raise typer.Exit(1)
