"""How rows leave a command: JSON, JSON lines, CSV or a table."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from autocapture.cli.tables import Table

Row = Mapping[str, object]


class Format(StrEnum):
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TABLE = "table"


FormatOption = Annotated[Format, typer.Option("--format", help="How rows are written.", show_default=True)]


def emit(
    rows: Iterable[Row], fmt: Format, columns: Sequence[str] | None = None, file: TextIO | None = None
) -> None:
    """Writes `rows` to `file` (standard output).

    `columns` names and orders what CSV and tables show (default: the keys of the first row). Instants are ISO 8601, decimals
    strings, None is null in JSON and empty elsewhere. JSON lines and CSV are written as rows arrive. Tables are for people:
    columns without any text are left out.
    """
    file = file or sys.stdout
    match fmt:
        case Format.JSON:
            json.dump(list(rows), file, default=_plain, ensure_ascii=False, indent=2)
            file.write("\n")
        case Format.JSONL:
            for row in rows:
                file.write(json.dumps(row, default=_plain, ensure_ascii=False, separators=(",", ":")) + "\n")
        case Format.CSV:
            _emit_csv(rows, columns, file)
        case Format.TABLE:
            from autocapture.cli.tables import plain_table

            print_table(plain_table(rows, columns), file)


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case set() | frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case Mapping() | list() | tuple() | set() | frozenset():
            return json.dumps(value, default=_plain, ensure_ascii=False)
        case _:
            return str(value)


_FORMULA = re.compile(r"[\s\x00\"']*[=+\-@|%＝＋－＠]|[\t\r\n\x00]")
_NUMBER = re.compile(r"[+\-]?[0-9][0-9 ().,/]*(-[0-9]+)*")


def safe_cell(value: object) -> str:
    """The CSV text of `value`. Text that a spreadsheet would run as a formula gets a leading apostrophe (ASVS 5.0, 1.2.10);
    plain numbers and phone numbers, which cannot do anything, stay as they are."""
    text = _text(value)
    if isinstance(value, str) and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def _emit_csv(rows: Iterable[Row], columns: Sequence[str] | None, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    if columns is not None:
        writer.writerow(columns)
    for row in rows:
        if columns is None:
            columns = list(row)
            writer.writerow(columns)
        writer.writerow([safe_cell(row.get(column)) for column in columns])


def print_table(table: Table, file: TextIO | None = None) -> None:
    """Writes `table` to `file` (standard output), as wide as the terminal, or 120 columns where there is none."""
    from autocapture.cli.tables import WIDTH, lines

    file = file or sys.stdout
    width = get_terminal_size((WIDTH, 24)).columns
    file.writelines(f"{line}\n" for line in lines(table, width))
