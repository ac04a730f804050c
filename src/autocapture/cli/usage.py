"""What somebody who typed a command wrongly is told: one line that says what is wrong and where help is."""

from __future__ import annotations

from datetime import date
from typing import Any

import typer

from autocapture.errors import InputError, wrong_value


def day(text: str) -> date:
    """A day as commands take it. Raises BadParameter."""
    from autocapture.measure.period import day_within_bounds

    try:
        if len(text) == len("2026-11-09"):
            return day_within_bounds(date.fromisoformat(text))
    except InputError as problem:
        raise typer.BadParameter(str(problem)) from None
    except ValueError:
        pass
    raise typer.BadParameter(f"a day such as 2026-11-09 is wanted, not {text!r}")


def one_line(text: str) -> str:
    """How every error of a command is told."""
    return f"autocapture: {' '.join(text.split())}"


def wrongly_typed(problem: typer.TyperException) -> str:
    """The line for a problem with the words of a command; the whole help where a command alone was typed that needs another."""
    ctx: Any = getattr(problem, "ctx", None)
    if ctx is None:
        return one_line(_sentence(problem))
    if problem.message == ctx.get_help():
        return problem.message
    where = ctx.parent if ctx.command.hidden else ctx  # a hidden command is told of by the one above it
    return one_line(f"{_sentence(problem)}; see `{where.command_path} --help`")


def _sentence(problem: typer.TyperException) -> str:
    """Typer's words in the order in which one reads them."""
    wanted = getattr(problem, "param_hint", None) or _name(getattr(problem, "param", None))
    option, near = getattr(problem, "option_name", None), getattr(problem, "possibilities", None)
    said = problem.message.removeprefix("Value error, ").rstrip(".")
    match type(problem).__name__:
        case "MissingParameter":
            return f"{wanted} is missing"
        case "NoSuchOption":
            return f"there is no option {option}{f'; did you mean {near[0]}?' if near else ''}"
        case "BadOptionUsage":
            return f"{option} {'needs a value' if 'requires' in said else 'takes no value'}"
        case "BadParameter" if wanted is not None:
            return f"{wanted}: {_wrong_number(problem) or said}"
        case _:
            return said[:1].lower() + said[1:].replace(". Did you", "; did you")


def _name(param: Any) -> str | None:
    """``--week``, or an argument as the help calls it."""
    if param is None:
        return None
    return str(param.opts[0] if param.param_type_name == "option" else param.metavar or param.name)


def _wrong_number(problem: BaseException) -> str | None:
    """In place of pydantic's words, which are for those who write programs."""
    cause: Any = problem.__cause__
    first = cause.errors()[0] if hasattr(cause, "errors") else {"type": ""}
    return wrong_value(first) if first["type"].startswith("int_") else None
