"""Rows leave a command in four forms, and none of them runs as a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from autocapture.cli.output import Format, emit, safe_cell

ROWS = [
    {
        "name": "Größe",
        "at": datetime(2026, 11, 16, 7, 0, tzinfo=UTC),
        "value": Decimal("12.50"),
        "by": {"b": 1},
    },
    {"name": None, "at": date(2026, 11, 16), "value": None, "by": {}},
]


def written(fmt: Format, columns: list[str] | None = None) -> str:
    out = io.StringIO()
    emit(ROWS, fmt, columns, file=out)
    return out.getvalue()


def test_json_is_a_list_with_decimals_as_strings_and_nulls() -> None:
    assert json.loads(written(Format.JSON)) == [
        {"name": "Größe", "at": "2026-11-16T07:00:00+00:00", "value": "12.50", "by": {"b": 1}},
        {"name": None, "at": "2026-11-16", "value": None, "by": {}},
    ]


def test_json_lines_are_one_object_a_line() -> None:
    lines = written(Format.JSONL).splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["Größe", None]


def test_csv_has_a_header_and_the_columns_asked_for() -> None:
    rows = list(csv.reader(io.StringIO(written(Format.CSV, ["value", "name"]))))
    assert rows == [["value", "name"], ["12.50", "Größe"], ["", ""]]


def test_a_table_shows_every_column() -> None:
    shown = written(Format.TABLE)
    assert "Größe" in shown
    assert "12.50" in shown


def test_no_rows_are_an_empty_list_an_empty_file_and_a_word() -> None:
    forms = {}
    for fmt in Format:
        out = io.StringIO()
        emit([], fmt, file=out)
        forms[fmt] = out.getvalue().strip()
    assert forms == {Format.JSON: "[]", Format.JSONL: "", Format.CSV: "", Format.TABLE: "nothing to show"}


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "  =1", "＝1+1", "＋1", "－1+1",
        "＠x", '"=1', "'=1", "%x", "|calc", "-5+cmd", "+HYPERLINK(1)",
    ],
)  # fmt: skip
def test_text_that_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["+46 8 123 45", "+49 (30) 1234-567", "-5", "-5.25", "plain", "a=b", "2026-11-16", ""]
)
def test_numbers_and_ordinary_text_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text
