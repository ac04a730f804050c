"""Tables fit their page, whatever stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from autocapture.cli.tables import Column, Give, Table, lines, plain_table

CUT, WRAP = Give.CUT, Give.WRAP


def shown(table: Table, width: int = 120) -> list[str]:
    return list(lines(table, width))


def test_numbers_stand_to_the_right_and_text_to_the_left() -> None:
    table = Table((Column("name"), Column("n", right=True)), [["a", "1"], ["long name", "1,000"]], "week 46")
    assert shown(table) == [
        "week 46",
        "name           n",
        "─────────  ─────",
        "a              1",
        "long name  1,000",
    ]


def test_a_column_without_text_is_left_out() -> None:
    table = Table((Column("name"), Column("why")), [["a", ""], ["b", ""]])
    assert shown(table)[0] == "name"


def test_no_rows_are_said_in_words() -> None:
    assert shown(Table((Column("name"),), [], "week 46")) == ["week 46", "nothing to show"]


def test_the_widest_column_that_gives_is_cut_first() -> None:
    table = Table(
        (Column("a"), Column("b", give=CUT), Column("c", give=CUT)), [["whole" * 2, "b" * 12, "c" * 40]]
    )
    assert shown(table, 40)[-1] == f"wholewhole  {'b' * 12}  {'c' * 13}…"


def test_a_wrapped_cell_goes_on_in_the_next_line() -> None:
    table = Table((Column("check"), Column("found", give=WRAP)), [["disk", "there is hardly any room left"]])
    assert shown(table, 24)[2:] == ["disk   there is hardly", "       any room left"]


def test_wide_letters_take_two_columns() -> None:
    table = Table((Column("with", give=CUT), Column("n", right=True)), [["許俊傑許俊傑許俊傑", "1"]])
    assert [cell_len(line) for line in shown(table, 16)] == [16, 16, 16]


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202egpj.exe", "a\rb", "\x07"])
def test_nothing_in_a_cell_acts_on_the_terminal(text: str) -> None:
    written = "".join(shown(Table((Column("subject"),), [[text + "!"]], caption=text)))
    assert written.isprintable()


_text = st.text(max_size=60)


@given(st.lists(st.tuples(_text, _text), max_size=5), st.integers(24, 60))
def test_a_table_of_columns_that_give_is_never_wider_than_its_page(
    rows: list[tuple[str, str]], width: int
) -> None:
    table = Table((Column("what", give=CUT), Column("why", give=WRAP)), rows)
    assert all(cell_len(line) <= width for line in shown(table, width))


def test_plain_rows_show_their_own_columns() -> None:
    rows = [{"check_name": "disk", "free": 30, "ok": True, "by": {"mail": 2}}, {"check_name": "key"}]
    assert shown(plain_table(rows)) == [
        "check name  free  ok   by",
        "──────────  ────  ───  ──────",
        "disk          30  yes  mail 2",
        "key",
    ]
