"""The command `autocapture`, put together from its modules."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from autocapture.cli import (
    accounts,
    capturing,
    connect,
    contacts,
    correcting,
    evaluating,
    explaining,
    importing,
    keys,
    metrics,
    people,
    quotas,
    rules,
    serve,
    setup,
    summary,
)
from autocapture.cli.usage import one_line, wrongly_typed
from autocapture.errors import AutocaptureError


class OneLineErrors(TyperGroup):
    """Errors that somebody can act on end as one line on standard error, never as a traceback.

    The exit code is 2 where the command was typed wrongly, else 1.
    """

    def main(self, *args: Any, **extra: Any) -> Any:
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.TyperException as problem:
            typer.echo(wrongly_typed(problem), err=True)
            code = problem.exit_code
        except typer.Abort:
            typer.echo(one_line("stopped; nothing was changed"), err=True)
            code = 1
        except AutocaptureError as problem:
            typer.echo(one_line(str(problem)), err=True)
            code = 1
        except OSError as problem:  # a full disk, a folder that is not ours: the operating system says which
            typer.echo(one_line(_refused(problem)), err=True)
            code = 1
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stderr.close()  # the reader went away (`| head`): nobody is left to tell
            raise typer.Exit(0) from None


def _refused(problem: OSError) -> str:
    why = problem.strerror or str(problem) or "input or output failed"
    return f"{problem.filename}: {why}" if problem.filename is not None else why


app = typer.Typer(
    cls=OneLineErrors,
    name="autocapture",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"autocapture {version('autocapture')}")
        raise typer.Exit


@app.callback()
def autocapture(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Mail, meetings and calls in; quota attainment and a weekly summary out."""


for module in (
    setup,
    keys,
    people,
    importing,
    connect,
    accounts,
    serve,
    capturing,
    contacts,
    correcting,
    rules,
    explaining,
    metrics,
    quotas,
    summary,
    evaluating,
):
    module.register(app)
