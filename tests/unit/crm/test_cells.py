"""Single cells: dates, addresses, domains, flags."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.crm.cells import (
    Unreadable,
    at_start,
    parse_domain,
    parse_email,
    parse_flag,
    parse_instant,
    parse_mailbox,
)
from autocapture.crm.mapping import Layout

DUTCH = Layout(date_format="%d/%m/%Y", time_zone="Europe/Amsterdam")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05/10/2026", date(2026, 10, 5)),
        ("05/10/2026 14:30", datetime(2026, 10, 5, 12, 30, tzinfo=UTC)),
        ("05/10/2026 14:30:15", datetime(2026, 10, 5, 12, 30, 15, tzinfo=UTC)),
        ("2026-10-05", date(2026, 10, 5)),
        ("2026-10-05T14:30:00Z", datetime(2026, 10, 5, 14, 30, tzinfo=UTC)),
        ("2026-10-05 14:30:00+05:30", datetime(2026, 10, 5, 9, 0, tzinfo=UTC)),
        ("2026-01-05 14:30", datetime(2026, 1, 5, 13, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_by_the_format_or_as_iso(text: str, expected: date) -> None:
    found = parse_instant(text, DUTCH)
    assert type(found) is type(expected)
    assert found == expected


def test_a_format_of_instants_goes_before_the_format_of_days() -> None:
    layout = Layout(datetime_format="%m/%d/%y %I:%M %p", date_format="%m/%d/%y", time_zone="America/New_York")
    assert parse_instant("10/05/26 02:30 PM", layout) == datetime(2026, 10, 5, 18, 30, tzinfo=UTC)
    assert parse_instant("10/05/26", layout) == date(2026, 10, 5)


@pytest.mark.parametrize(
    "text", ["31/02/2026", "10/25/2026", "soon", "0026-01-01", "05/10/26", "9999-01-01", "٢"]
)
def test_what_is_no_clear_date_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="unreadable date"):
        parse_instant(text, DUTCH)


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    assert at_start(date(2026, 10, 5), DUTCH.zone) == datetime(2026, 10, 4, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("acme.com", "acme.com"),
        ("https://www.Acme.COM:8443/nl?x#y", "acme.com"),
        ("www.bürger.de", "xn--brger-kva.de"),
        ("@acme.com", "acme.com"),
        ("info@acme.com", "acme.com"),
        ("mail.acme.co.uk.", "mail.acme.co.uk"),
    ],
)
def test_a_domain_is_canonical(text: str, domain: str) -> None:
    assert parse_domain(text) == domain


@pytest.mark.parametrize("text", ["acme", "http://", "acme..com", "10.0.0.1", "a b.com", "-a.com"])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="invalid domain"):
        parse_domain(text)


@pytest.mark.parametrize(
    "text", ["jan", "jan@", "@acme.com", "jan@acme", "jan de@acme.com", "a@b@c.com", "x@10.0.0.1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="invalid email"):
        parse_email(text)


@pytest.mark.parametrize("text", ["jan..de@acme.com", ".jan@acme.com", "j\u00e4n@acme.com", "jan"])
def test_an_address_that_no_header_holds_is_nobodys_whom_we_mail(text: str) -> None:
    with pytest.raises(Unreadable, match="invalid email"):
        parse_mailbox(text)
    assert parse_mailbox(" Jan.de+x@ACME.com ") == "jan.de+x@acme.com"


def test_an_address_is_canonical() -> None:
    assert parse_email(" Jan@BÜRGER.de ") == "jan@xn--brger-kva.de"


@pytest.mark.parametrize(
    ("text", "flag"), [("Yes", True), ("ja", True), ("1", True), ("", False), ("nee", False)]
)
def test_a_flag_is_yes_or_no(text: str, flag: bool) -> None:
    assert parse_flag(text) is flag
    with pytest.raises(Unreadable):
        parse_flag("maybe")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_email, parse_domain, lambda cell: str(parse_instant(cell, DUTCH))):
        with suppress(Unreadable):
            assert parse(text)
