"""The reference of all commands, written from the commands themselves.

``python -m autocapture.testing.reference`` writes docs/reference/commands.md; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from autocapture.cli.app import app

PAGE = Path("docs/reference/commands.md")
_HEAD = """\
# Commands

Written by `python -m autocapture.testing.reference` from the commands themselves. Errors are one line on standard error and
exit code 1; a command that was typed wrongly ends with 2.
"""


def commands() -> frozenset[tuple[str, ...]]:
    """Every command and every group of commands, by its words."""
    return frozenset(words for words, _command, _ctx in _walk())


def command_reference() -> str:
    """The page as Markdown: each command with what it does, its arguments and its options."""
    parts = [_HEAD]
    parts += [_section(words, command, ctx) for words, command, ctx in _walk() if words]
    return "\n".join(parts)


def _walk() -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    root = typer.main.get_command(app)
    yield from _below((), root, root.make_context("autocapture", [], resilient_parsing=True))


def _below(words: tuple[str, ...], command: Any, ctx: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    yield words, command, ctx
    if not hasattr(command, "list_commands"):
        return
    for name in sorted(command.list_commands(ctx)):
        child = command.get_command(ctx, name)
        inner = child.make_context(name, [], parent=ctx, resilient_parsing=True)
        yield from _below((*words, name), child, inner)


def _section(words: tuple[str, ...], command: Any, ctx: Any) -> str:
    name = " ".join(words)
    lines = [f"{'#' * (len(words) + 1)} {name}", "", command.help or "", ""]
    rows = [
        record
        for parameter in command.get_params(ctx)
        if (record := parameter.get_help_record(ctx)) is not None
    ]
    usage = " ".join(command.collect_usage_pieces(ctx))
    lines += ["```", f"autocapture {name} {usage}", "```", ""]
    if rows:
        lines += [f"- `{flag}` {' '.join(text.split())}".rstrip() for flag, text in rows if flag != "--help"]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(command_reference(), encoding="utf-8")
