"""The page of known faults names tests that exist: held by reading the page and the tests' files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/reference/known-faults.md"
NOT_YET = "Not yet: "


@dataclass(frozen=True)
class Row:
    """One fault: its number, what happened, where it was told, and the tests that name it."""

    number: int
    fault: str
    told: str
    tests: str

    def named(self) -> list[tuple[str, Path]]:
        """Each test with its file."""
        links = re.findall(r"\[([^]]+)\]\(([^)]+)\)", self.tests)
        return [(name, (PAGE.parent / target).resolve()) for name, target in links]


def _rows() -> list[Row]:
    found = re.findall(
        r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [Row(int(number), *rest) for number, *rest in found]


def _sentences(path: Path) -> Iterator[str]:
    """What a file's tests are called, without test_ and underscores, and the bugs that it plants by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) if name.startswith("test_") or not path.name.startswith("test_"):
                yield name.removeprefix("test_").replace("_", " ")
            case ast.ClassDef(name=name) if name.startswith("Test"):
                yield name
            case ast.Dict(keys=keys):
                yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))


@cache
def _named_in(path: Path) -> frozenset[str]:
    return frozenset(_sentences(path))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: str(row.number))
def test_every_test_that_is_named_exists(row: Row) -> None:
    missing = [f"{name} ({path.name})" for name, path in row.named() if name not in _named_in(path)]
    assert not missing, f"{row.fault}: {', '.join(missing)}"


@pytest.mark.parametrize("row", _rows(), ids=lambda row: str(row.number))
def test_every_fault_has_a_test_or_says_why_not(row: Row) -> None:
    reason = row.tests.partition(NOT_YET)[2]
    assert row.named() or reason.strip(), row.fault
    assert all(path.parts[-2] != "house" for _, path in row.named())


def test_every_fault_is_a_row_of_its_own() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| *\d", line)]
    rows = _rows()
    assert [row.number for row in rows] == list(range(1, len(lines) + 1))
    assert len({row.fault for row in rows}) == len(rows)
