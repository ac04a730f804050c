"""The vault's key: `keys make`, `keys rotate`."""

from __future__ import annotations

from pathlib import Path

import typer

from autocapture.cli.application import build_application, open_application
from autocapture.cli.output import Format, FormatOption


def register(app: typer.Typer) -> None:
    keys = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Make a key for the vault, or rotate to it."
    )
    keys.command()(make)
    keys.command()(rotate)
    app.add_typer(keys, name="keys")


def make(
    file: Path = typer.Argument(metavar="FILE", help="Where the new key is written; never over a file."),
) -> None:
    """Write a new random key to FILE, readable by its owner alone."""
    from autocapture.connect.keys import create_key

    before, file = build_application().settings.key_file, file.absolute()
    create_key(file)
    typer.echo(f"new key   {file} (keep a copy elsewhere)")
    typer.echo(
        f'next: set key_file = "{file}" and, under [vault], old_key_files = ["{before}"]; restart, then'
    )
    typer.echo("`autocapture keys rotate`")


def rotate(fmt: FormatOption = Format.TABLE) -> None:
    """Wrap every sealed value's data key under the key in force. Passwords and tokens themselves are not opened.

    Both keys must be set, the new one as key_file, the one of before in vault.old_key_files, and running services restarted with
    them. It can be stopped at any moment and run again. The old key may go once nothing is left under it.
    """
    from autocapture.cli.output import emit
    from autocapture.workflows.rotate_keys import rotate_keys

    done = list(rotate_keys(open_application()))
    emit(
        [
            {"sealed": one.table, "wrapped_anew": one.wrapped_anew, "as_they_were": one.as_they_were, "unopened": one.unopened}
            for one in done
        ],
        fmt,
    )  # fmt: skip
    if any(one.unopened for one in done):
        typer.echo(
            "some values open with no key that is set: keep the old keys, and see vault.old_key_files",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo("nothing is left under an old key", err=True)
