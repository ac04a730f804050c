"""Which rows that a file no longer has became part of another one in it."""

from __future__ import annotations

from autocapture.crm.merges import merges_of
from autocapture.crm.rows import Entry, Key, Mirror, Value, Values

Tables = dict[str, dict[Key, dict[str, Value]]]


def _company(*domains: str) -> dict[str, Value]:
    return {"name": "Acme", "domains": domains}


def _contact(name: str, *emails: str, company: str = "A1", phones: tuple[str, ...] = ()) -> dict[str, Value]:
    return {"name": name, "emails": emails, "phones": phones, "company": company}


def _merges(known: Tables, files: Tables) -> dict[str, dict[str, str]]:
    missing = [(table, key) for table in files for key in known[table] if key not in files[table]]
    entries = {
        table: {key: Entry(table, key, values) for key, values in rows.items()}
        for table, rows in files.items()
    }
    rows: dict[str, dict[Key, Values]] = {table: dict(found) for table, found in known.items()}
    found = merges_of(missing, entries, Mirror(tables=rows))
    return {table: dict(into) for table, into in found.items() if into}


TWO_COMPANIES: Tables = {"company": {("A1",): _company("acme.example"), ("A2",): _company("acme.test")}}


def test_a_company_whose_domain_another_gained_is_part_of_it() -> None:
    merged: Tables = {"company": {("A1",): _company("acme.example", "acme.test")}}
    assert _merges(TWO_COMPANIES, merged) == {"company": {"A2": "A1"}}


def test_a_company_that_is_only_missing_was_not_merged() -> None:
    assert _merges(TWO_COMPANIES, {"company": {("A1",): _company("acme.example")}}) == {}


def test_a_company_that_a_row_still_names_was_not_merged() -> None:
    known = TWO_COMPANIES | {"contact": {("C2",): _contact("Kim", "kim@acme.test", company="A2")}}
    merged: Tables = {
        "company": {("A1",): _company("acme.example", "acme.test")},
        "contact": {("C2",): _contact("Kim", "kim@acme.test", company="A2")},
    }
    assert _merges(known, merged) == {}


def test_of_two_companies_on_one_domain_the_one_whose_people_moved_was_merged() -> None:
    known: Tables = {
        "company": {("A1",): _company("acme.example"), ("A2",): _company("acme.example")},
        "contact": {("C2",): _contact("Kim", "kim@acme.example", company="A2")},
    }
    files: Tables = {"company": {("A1",): _company("acme.example")}, "contact": {}}
    assert _merges(known, files) == {}
    files["contact"] = {("C2",): _contact("Kim", "kim@acme.example", company="A1")}
    assert _merges(known, files) == {"company": {"A2": "A1"}}


def test_a_contact_whose_address_another_gained_is_part_of_it() -> None:
    known: Tables = {
        "contact": {("C1",): _contact("Jan", "jan@a.example"), ("C2",): _contact("J.", "j@a.example")}
    }
    files: Tables = {"contact": {("C1",): _contact("Jan", "jan@a.example", "j@a.example")}}
    assert _merges(known, files) == {"contact": {"C2": "C1"}}


def test_who_shared_an_address_and_left_is_not_who_stayed() -> None:
    known: Tables = {
        "contact": {("C1",): _contact("Jan", "info@a.example"), ("C2",): _contact("Eva", "info@a.example")}
    }
    assert _merges(known, {"contact": {("C1",): _contact("Jan", "info@a.example")}}) == {}


def test_somebody_entered_twice_under_one_address_or_number_was_merged() -> None:
    known: Tables = {
        "contact": {
            ("C1",): _contact("Jan", "jan@a.example", phones=("+3120",)),
            ("C2",): _contact("jan", "jan@a.example"),
            ("C3",): _contact("Jan", phones=("+3120",)),
        }
    }
    files: Tables = {"contact": {("C1",): known["contact"][("C1",)]}}
    assert _merges(known, files) == {"contact": {"C2": "C1", "C3": "C1"}}
