"""The command `autocapture`, put together from its modules."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from autocapture.cli import capturing, connect, importing, metrics, quotas, serve, setup, summary
from autocapture.errors import AutocaptureError


class OneLineErrors(TyperGroup):
    """Errors that somebody can act on end as one line on standard error and exit code 1, never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as problem:
            problem.message = problem.message.removeprefix(
                "Value error, "
            )  # how pydantic begins, for developers
            raise
        except AutocaptureError as problem:
            typer.echo(f"autocapture: {' '.join(str(problem).split())}", err=True)
            raise typer.Exit(1) from None
        except BrokenPipeError:
            sys.stderr.close()  # the reader went away (`| head`): nobody is left to tell
            raise typer.Exit(0) from None


app = typer.Typer(
    cls=OneLineErrors,
    name="autocapture",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def autocapture() -> None:
    """Mail, meetings and calls in; quota attainment and a weekly summary out."""


for module in (setup, importing, connect, serve, capturing, metrics, quotas, summary):
    module.register(app)
