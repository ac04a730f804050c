"""Numbers as people and telephone systems write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocapture.formats.handles import canonical_phone
from autocapture.formats.phone import is_extension, national_readings, region_of, to_e164


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("+49 30 901820", None, "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("0049 (30) 90 18 20", "DE", "+4930901820"),
        ("(212) 736-3100", "US", "+12127363100"),
        ("+1 212-736-3100 ext. 12", None, "+12127363100"),
        ("tel:+12127363100", None, "+12127363100"),
        ("sip:+12127363100@pbx.example", None, "+12127363100"),
        ("030 901820", None, None),
        ("101", "DE", None),
        ("110", "DE", None),
        ("anonymous", "US", None),
        ("", "US", None),
        ("+1", "US", None),
        ("9" * 500, "US", None),
        ("030 901820", "XX", None),
    ],
)
def test_numbers(raw: str, region: str | None, expected: str | None) -> None:
    assert to_e164(raw, region) == expected


def test_short_numbers_are_internal_lines() -> None:
    assert [is_extension(raw) for raw in ("101", "2-01", "654321", "6543210", "030", "+101", "s", "")] == (
        [True, True, True, False, False, False, False, False]
    )


def test_a_time_zone_suggests_the_country() -> None:
    assert [region_of(zone) for zone in ("Europe/Berlin", "America/New_York", "UTC", "No/Where")] == (
        ["DE", "US", None, None]
    )


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["DE", "US", None, "??"]))
def test_no_text_makes_it_fail(raw: str, region: str | None) -> None:
    found = to_e164(raw, region)
    assert found is None or to_e164(found, None) == found


@pytest.mark.parametrize(
    ("raw", "handle"),
    [
        ("020 7946 0018", "nat:02079460018"),
        ("20 7946-0018", "nat:2079460018"),
        ("+20 79", ""),
        ("00 20 7946 0018", ""),
        ("030 901820", "+4930901820"),
        ("0000 0000", ""),
        ("110", "ext:110"),
        ("020", ""),
        ("1" * 16, ""),
    ],
)
def test_a_number_that_its_region_cannot_read_keeps_its_digits(raw: str, handle: str) -> None:
    assert canonical_phone(raw, "DE") == handle


def test_a_national_number_may_be_that_of_any_country_with_and_without_its_zero() -> None:
    readings = national_readings("nat:02079460018")
    assert {"+442079460018", "+3902079460018"} <= readings
    assert national_readings("+442079460018") == frozenset()
