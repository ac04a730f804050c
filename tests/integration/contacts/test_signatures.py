"""What people's own signatures tell stands beside what the CRM tells, dated by its mail; never what others' signatures tell."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    capture,
    connect_files,
    deliver,
    message,
    rows,
)
from tests.integration.contacts.mailbox import contacts
from tests.integration.contacts.test_handing_over import Import, importer

from autocapture.application import Application
from autocapture.model.activities import Participant
from autocapture.model.created import AddressDetail, FoundNumber
from autocapture.model.crm import Company, Contact, ContactHandle
from autocapture.workflows.change_scope import Scope, change_scope
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.contact_listings import found_details
from autocapture.workflows.creating import create_contacts
from autocapture.workflows.signatures import read_signatures
from autocapture.workflows.taking_back import take_back

KIM = """Dear Ruth,

{words}

Best regards,
Kim Jansen
Head of Purchasing
Customer B.V.
Mobile: +31 6 1234 5678
Tel. +31 20 794 0800
www.customer.example

On Mon, 2 Nov 2026 Ruth wrote:
> Ruth Miller
> Chief Executive Officer
> Mobile: +49 171 1234567
"""
BEN = """Hello,

here it is.

Kind regards
Ben Lang
Chief Engineer
{company}
"""


class Full:
    """Ruth's mailbox at the level at which texts are kept, where they may be."""

    def __init__(self, app: Application, folder: Path) -> None:
        self.app, self.folder, self.number = app, folder, 0
        deliver(folder)
        login = Login("ruth@ours.example", "files", {"maildir": str(folder)}, capture_level="full")
        self.account = connect_account(app, login).account_id

    def got(
        self, author: str, body: str, *, to: str = "ruth@ours.example", at: datetime | None = None
    ) -> None:
        self.number += 1
        text = body.replace("\n", "\r\n")
        mail = message(self.number, author=author, to=to, body=text, at=at)
        deliver(self.folder, mail)

    def read(self) -> dict[str, set[str]]:
        """What is known of everybody after a capture, by kind."""
        capture(self.app, self.account)
        create_contacts(self.app)
        read_signatures(self.app)
        found: dict[str, set[str]] = {}
        for row in found_details(self.app):
            if row["used"]:
                found.setdefault(row["kind"], set()).add(row["value"])
        return found


@pytest.fixture
def mailbox(app: Application, tmp_path: Path) -> Full:
    return Full(app, tmp_path / "mail")


def test_a_contact_of_the_crm_gains_what_it_lacks(either_app: Application, tmp_path: Path) -> None:
    mailbox = Full(either_app, tmp_path / "mail")
    mailbox.got("Kim Jansen <kim@customer.example>", KIM.format(words="The offer is fine."))
    found = mailbox.read()
    assert found == {
        "title": {"Head of Purchasing"},
        "mobile": {"+31612345678"},
        "phone": {"+31207940800"},
        "link": {"www.customer.example"},
    }
    [title] = [row for row in found_details(either_app) if row["kind"] == "title"]
    assert (title["contact"], title["address"]) == ("p1", "kim@customer.example")
    assert f"{title['said_at']:%Y-%m-%d %H}" == "2026-11-02 10"
    assert [row["title"] for row in rows(either_app, Contact)] == [None], "the mirror is the CRM's alone"
    stored = "".join(str(row) for row in rows(either_app, AddressDetail))
    assert "Ruth" not in stored
    assert "offer" not in stored
    assert read_signatures(either_app) == 0


def test_the_latest_title_holds_whatever_order_mails_come_in(mailbox: Full) -> None:
    new = KIM.format(words="Hi").replace("Head of Purchasing", "Managing Director")
    mailbox.got("Kim Jansen <kim@customer.example>", new, at=datetime(2026, 11, 9, 9, tzinfo=UTC))
    mailbox.read()
    mailbox.got("Kim Jansen <kim@customer.example>", KIM.format(words="Hi"))
    assert mailbox.read()["title"] == {"Managing Director"}


def test_a_mobile_number_makes_calls_theirs_and_a_switchboard_does_not(mailbox: Full, tmp_path: Path) -> None:
    mapping, log = tmp_path / "calls.toml", tmp_path / "calls.csv"
    mapping.write_text(CALLS_MAPPING)
    log.write_text(
        CALLS_HEADER
        + "1,+31612345678,+49301234567,2026-11-03 09:00:00,90,ANSWERED,1\n"
        + "2,+31207940800,+49301234567,2026-11-03 10:00:00,90,ANSWERED,2\n"
    )
    capture(mailbox.app, connect_files(mailbox.app, calls=log, mapping=mapping))
    mailbox.got("Kim Jansen <kim@customer.example>", KIM.format(words="Call me."))
    mailbox.read()
    callers = {
        row["address"]: row["contact_id"] for row in rows(mailbox.app, Participant) if row["role"] == "caller"
    }
    assert callers == {"+31612345678": 1, "+31207940800": None}


def test_the_crms_numbers_make_ours_give_way(mailbox: Full, tmp_path: Path) -> None:
    imported: Import = importer(mailbox.app, tmp_path / "crm")
    mailbox.got("Kim Jansen <kim@customer.example>", KIM.format(words="Call me."))
    mailbox.read()
    assert imported().unchanged, "what we found is no concern of an import"
    assert [row["value"] for row in rows(mailbox.app, FoundNumber)] == ["+31612345678"]
    imported(kim="+31 6 1234 5678")
    assert (_phones(mailbox.app), rows(mailbox.app, FoundNumber)) == ({"+31612345678"}, []), "now its own"
    imported(kim="+31 20 123 4567")
    assert _phones(mailbox.app) == {"+31201234567"}
    assert read_signatures(mailbox.app) == 0
    assert _phones(mailbox.app) == {"+31201234567"}


def _phones(app: Application) -> set[str]:
    return {row["value"] for row in rows(app, ContactHandle) if row["kind"] == "phone"}


def test_a_company_of_our_making_is_called_as_its_people_write_it_and_undone_with_them(mailbox: Full) -> None:
    """Texts are kept of mail with people whom the CRM knows: Kim is among them."""
    both = "ruth@ours.example, kim@customer.example"
    mailbox.got("Ben Lang <ben@nordwind.example>", BEN.format(company="Nordwind Logistik GmbH"), to=both)
    mailbox.got("Ruth <ruth@ours.example>", "Thanks", to="Ben Lang <ben@nordwind.example>")
    found = mailbox.read()
    assert found["title"] == {"Chief Engineer"}
    assert contacts(mailbox.app) == {"Ben Lang": "Nordwind Logistik GmbH"}
    take_back(mailbox.app, ["ben@nordwind.example"])
    assert rows(mailbox.app, AddressDetail) == []
    assert [row["name"] for row in rows(mailbox.app, Company)] == ["Customer", "Nordwind Logistik GmbH"]


def test_nothing_is_read_of_mail_with_created_people_alone(mailbox: Full) -> None:
    mailbox.got("Ruth <ruth@ours.example>", "Hi", to="Ben Lang <ben@nordwind.example>")
    mailbox.read()
    mailbox.got("Ben Lang <ben@nordwind.example>", BEN.format(company="Nordwind Logistik GmbH"))
    assert "title" not in mailbox.read()
    assert contacts(mailbox.app) == {"Ben Lang": "nordwind.example"}


def test_what_a_purged_text_told_is_gone_with_it(mailbox: Full) -> None:
    mailbox.got("Kim Jansen <kim@customer.example>", KIM.format(words="Call me."))
    mailbox.read()
    assert _phones(mailbox.app) == {"+31612345678"}
    change_scope(mailbox.app, mailbox.account, Scope(None, "subject"), purge=True)
    read_signatures(mailbox.app)
    assert rows(mailbox.app, AddressDetail) == []
    assert _phones(mailbox.app) == set()
