"""Tables for people: plain lines of a given width, from text that is ready to be read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from rich.cells import cell_len, chop_cells, set_cell_size

WIDTH = 120
"""Columns of a table that is not written to a terminal."""
NOTHING = "nothing to show"
_GAP = "  "
_LEAST = 8  # columns that a shortened cell keeps


class Give(Enum):
    """What happens to a column where the table is wider than the page."""

    NOTHING = "stays whole"
    CUT = "its cells are cut, with an ellipsis"
    WRAP = "its cells go on in the next line"


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    give: Give = Give.NOTHING


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under columns, below one line that says what they are about. A column without any text is not shown."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str]]
    caption: str = ""


def lines(table: Table, width: int = WIDTH) -> Iterator[str]:
    """The table as lines of at most `width` columns, as far as columns that give allow. Nothing in a cell acts on a terminal."""
    if table.caption:
        yield from textwrap.wrap(_printable(table.caption), width)
    columns, rows = _filled(table)
    if not columns:
        yield NOTHING
        return
    widths = _fitted(columns, _natural(columns, rows), width)
    yield _joined([[column.title] for column in columns], columns, widths, 0)
    yield _GAP.join("─" * wide for wide in widths)
    for row in rows:
        cells = [_cell(*place) for place in zip(row, columns, widths, strict=True)]
        for line in range(max(map(len, cells))):
            yield _joined(cells, columns, widths, line)


def plain_table(rows: Iterable[Mapping[str, object]], columns: Sequence[str] | None = None) -> Table:
    """Any rows (default: under the keys of the first): numbers to the right, long text over several lines."""
    rows = list(rows)
    names = list(columns if columns is not None else rows[0] if rows else ())
    numeric = {name for name in names if all(_is_number(row.get(name)) for row in rows)}
    made = tuple(
        Column(name.replace("_", " "), right=name in numeric, give=_gives(name in numeric)) for name in names
    )
    return Table(made, [[_text(row.get(name)) for name in names] for row in rows])


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal | None) and not isinstance(value, bool)


def _gives(numeric: bool) -> Give:
    return Give.NOTHING if numeric else Give.WRAP


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case Mapping():
            return ", ".join(f"{name} {each}" for name, each in value.items())
        case _:
            return str(value)


def _printable(text: str) -> str:
    """Without line ends, control characters and marks that change the direction of writing."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _filled(table: Table) -> tuple[list[Column], list[list[str]]]:
    rows = [[_printable(text) for text in row] for row in table.rows]
    kept = [place for place in range(len(table.columns)) if any(row[place] for row in rows)]
    return [table.columns[place] for place in kept], [[row[place] for place in kept] for row in rows]


def _natural(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(cell_len(column.title), *(cell_len(row[place]) for row in rows))
        for place, column in enumerate(columns)
    ]


def _fitted(columns: Sequence[Column], widths: Sequence[int], page: int) -> list[int]:
    """Takes what is too much from the widest column that gives, column by column of the page."""
    fitted = list(widths)
    giving = [place for place, column in enumerate(columns) if column.give is not Give.NOTHING]
    excess = sum(fitted) + len(_GAP) * (len(fitted) - 1) - page
    while excess > 0 and giving:
        widest = max(giving, key=lambda place: fitted[place])
        if fitted[widest] <= max(_LEAST, cell_len(columns[widest].title)):
            giving.remove(widest)
            continue
        fitted[widest] -= 1
        excess -= 1
    return fitted


def _cell(text: str, column: Column, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    if column.give is Give.CUT:
        return [set_cell_size(text, width - 1).rstrip() + "…"]
    narrow = cell_len(text) == len(text)  # wide letters, as of Chinese, take two columns and have no spaces
    return textwrap.wrap(text, width) if narrow else chop_cells(text, width)


def _joined(
    cells: Sequence[Sequence[str]], columns: Sequence[Column], widths: Sequence[int], line: int
) -> str:
    parts = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        text = cell[line] if line < len(cell) else ""
        space = " " * (width - cell_len(text))
        parts.append(space + text if column.right else text + space)
    return _GAP.join(parts).rstrip()
