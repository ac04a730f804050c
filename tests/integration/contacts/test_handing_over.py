"""The CRM brings somebody whom autocapture created: one row, the CRM's words, and everything that hung on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.capture.deployment import everything, rows
from tests.integration.contacts.mailbox import ANNA, Mailbox, contacts, linked, unknown

from autocapture.application import Application
from autocapture.model.activities import Participant
from autocapture.model.crm import Company, Contact
from autocapture.workflows.contact_listings import made
from autocapture.workflows.creating import create_contacts
from autocapture.workflows.import_crm import import_crm
from autocapture.workflows.import_report import ImportReport
from autocapture.workflows.matching import rematch_everything

MAPPING = """
[source]
date_format = "%Y-%m-%d"
time_zone = "UTC"
currency = "EUR"
region = "NL"
[companies]
file = "companies.csv"
[companies.columns]
key = "id"
name = "name"
domains = "domains"
[contacts]
file = "contacts.csv"
[contacts.columns]
key = "id"
name = "name"
emails = "mail"
phones = "phone"
company = "company"
"""
Import = Callable[..., ImportReport]


def importer(app: Application, folder: Path) -> Import:
    folder.mkdir()
    (folder / "crm.toml").write_text(MAPPING)

    def run(contacts: str = "", companies: str = "", *, kim: str = "", dry_run: bool = False) -> ImportReport:
        (folder / "contacts.csv").write_text(
            f"id,name,mail,phone,company\np1,Kim,kim@customer.example,{kim},c1\n{contacts}"
        )
        (folder / "companies.csv").write_text("id,name,domains\nc1,Customer,customer.example\n" + companies)
        report = import_crm(app.engine, app.clock, mapping=folder / "crm.toml", dry_run=dry_run)
        assert not report.refused, report
        if not dry_run:
            rematch_everything(app)
        return report

    return run


@pytest.fixture
def imported(app: Application, tmp_path: Path) -> Import:
    return importer(app, tmp_path / "crm")


@pytest.fixture
def mailbox(app: Application, tmp_path: Path) -> Mailbox:
    """Anna has been created, with nordwind.example."""
    found = Mailbox(app, tmp_path / "mail")
    found.sent(ANNA)
    found.create()
    return found


def test_the_crm_takes_over_the_row(either_app: Application, tmp_path: Path) -> None:
    mailbox, imported = Mailbox(either_app, tmp_path / "mail"), importer(either_app, tmp_path / "crm")
    mailbox.sent(ANNA)
    mailbox.create()
    was = {row["source_id"]: row["id"] for row in rows(either_app, Contact)}
    imported(
        "p7,A. Weber-Lang,anna@nordwind.example;anna@gmail.com,,c7\n", "c7,Nordwind GmbH,nordwind.example\n"
    )
    found = {row["source_id"]: row for row in rows(either_app, Contact)}
    assert found.keys() == {"p1", "p7"}
    assert found["p7"]["id"] == was["autocapture:anna@nordwind.example"]
    assert [row["source_id"] for row in rows(either_app, Company)] == ["c1", "c7"]
    assert linked(either_app) == [("anna@nordwind.example", "A. Weber-Lang", ["Nordwind GmbH"])]
    assert {row["ended"] for row in made(either_app, ended=True)} == {"taken_over"}
    before = everything(either_app)
    imported(
        "p7,A. Weber-Lang,anna@nordwind.example;anna@gmail.com,,c7\n", "c7,Nordwind GmbH,nordwind.example\n"
    )
    assert everything(either_app) == before, "the same files again change nothing"


def test_a_dry_run_leaves_what_is_ours(mailbox: Mailbox, imported: Import) -> None:
    before = everything(mailbox.app)
    imported("p7,Anna,anna@nordwind.example,,\n", dry_run=True)
    assert everything(mailbox.app) == before


def test_what_is_ours_is_no_concern_of_an_import(mailbox: Mailbox, imported: Import) -> None:
    """Nothing is missing, nobody's name becomes ambiguous."""
    report = imported("p8,Anna Weber,other@elsewhere.example,,\n")
    assert not report.missing
    assert sorted(row["name"] for row in rows(mailbox.app, Contact)) == ["Anna Weber", "Anna Weber", "Kim"]


def test_an_address_that_a_known_contact_gains_is_one_persons(mailbox: Mailbox, imported: Import) -> None:
    imported("p8,Anna W,other@elsewhere.example,,\n")
    imported("p8,Anna W,other@elsewhere.example;anna@nordwind.example,,\n")
    assert contacts(mailbox.app) == {"Anna W": None}
    assert linked(mailbox.app) == [("anna@nordwind.example", "Anna W", ["nordwind.example"])]
    assert {row["contact_id"] for row in rows(mailbox.app, Participant)} - {None} == {
        row["id"] for row in rows(mailbox.app, Contact) if row["source_id"] == "p8"
    }


def test_a_company_without_domains_takes_over_by_its_contacts(mailbox: Mailbox, imported: Import) -> None:
    imported("p8,Ben,ben@nordwind.example,,c7\n", "c7,Nordwind,\n")
    assert contacts(mailbox.app) == {"Anna Weber": "Nordwind", "Ben": "Nordwind"}
    assert [row["source_id"] for row in rows(mailbox.app, Company)] == ["c1", "c7"]


def test_who_left_the_crm_or_lost_their_address_there_is_not_created_again(
    mailbox: Mailbox, imported: Import
) -> None:
    imported("p7,Anna,anna@nordwind.example,,\n")
    assert imported("").missing, "told, and kept"
    mailbox.sent(ANNA)
    assert not mailbox.create().newcomers
    imported("p7,Anna,a.lang@nordwind.example,,\n")
    mailbox.sent(ANNA)
    assert not mailbox.create().newcomers
    assert unknown(mailbox.app) == {"anna@nordwind.example": "taken back before, or given up by the CRM"}
    imported("p7,Anna,anna@nordwind.example,,\n")
    assert not create_contacts(mailbox.app).newcomers
    assert unknown(mailbox.app) == {}
