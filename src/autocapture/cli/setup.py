"""Setting up: `init`, `database`, `doctor`."""

from __future__ import annotations

import typer

from autocapture.cli.application import build_application


def register(app: typer.Typer) -> None:
    app.command()(init)


def init() -> None:
    """Make the home folder, the key file and the database. Running it again is harmless."""
    from autocapture.connect.vault import create_key
    from autocapture.store import schema

    application = build_application()
    settings = application.settings
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.key_file.exists():
        application.vault.check()
    else:
        create_key(settings.key_file)
    schema.upgrade(application.engine)
    typer.echo(f"home      {settings.home}")
    typer.echo(
        f"key file  {settings.key_file} (keep a copy elsewhere: without it, accounts must be connected again)"
    )
    typer.echo(f"database  {application.engine.url.render_as_string(hide_password=True)}")
    typer.echo("next: `autocapture users import FILE.csv`, then `autocapture connect imap --help`")
