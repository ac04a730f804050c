"""Where in the code a provider is asked: as it is written, and as it was seen while somebody asked."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autocapture.connect.transport import Transport

ROOT = Path(__file__).parents[3]
FOLDERS = tuple(f"connectors/autocapture_{name}" for name in ("google", "microsoft", "caldav"))
ASKS = re.compile(
    r"(self\.)?_?(api|graph|dav)\.(ask|tell|ask_all|get|every)|ask_all|post_form|(self\._)?http\.(get|post)"
)
"""What a question to a provider is written like, in these connectors and in `autocapture.connect`."""


@dataclass(frozen=True, order=True)
class Asking:
    """One expression that asks. `function` is where it stands; the line is only where to look."""

    path: str
    function: str
    line: int
    last_line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}"


def askings() -> list[Asking]:
    """Every expression that asks a provider."""
    folders = [*(ROOT / name for name in FOLDERS), ROOT / "src/autocapture/connect"]
    return sorted(found for folder in folders for path in folder.glob("*.py") for found in _in(path))


def _in(path: Path) -> Iterator[Asking]:
    name = path.relative_to(ROOT).as_posix()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and ASKS.fullmatch(ast.unparse(node.func)):
                    yield Asking(name, function.name, node.lineno, node.end_lineno or node.lineno)


@contextmanager
def seen() -> Iterator[set[tuple[str, int]]]:
    """The lines of these folders, by file, over which requests are made meanwhile."""
    lines: set[tuple[str, int]] = set()
    send = Transport.send

    def watched(self: Transport, *given: Any, **named: Any) -> Any:
        frame = sys._getframe()
        while frame := frame.f_back:  # type: ignore[assignment]
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT):
                lines.add((path.relative_to(ROOT).as_posix(), frame.f_lineno))
        return send(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "send", watched)
        yield lines
