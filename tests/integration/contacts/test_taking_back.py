"""What was created is taken back as a whole, leaves nothing matched to it, and does not come again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.capture.deployment import everything
from tests.integration.contacts.mailbox import ANNA, Mailbox, contacts, linked, unknown

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.corrections import Correction
from autocapture.model.created import Created, Tombstone
from autocapture.model.crm import Contact, ContactHandle
from autocapture.store.engine import reading, writing
from autocapture.workflows import taking_back
from autocapture.workflows.contact_listings import batches, made
from autocapture.workflows.creating import create_contacts, create_these
from autocapture.workflows.taking_back import take_back, take_back_batch


def test_a_batch_is_taken_back_and_nobody_of_it_comes_again(either_app: Application, tmp_path: Path) -> None:
    mailbox = Mailbox(either_app, tmp_path / "mail")
    mailbox.got(ANNA)
    mailbox.create()
    before = everything(either_app)
    mailbox.sent(ANNA, subject="number 1")
    mailbox.create()
    assert contacts(either_app) == {"Anna Weber": "nordwind.example"}
    taken = take_back_batch(either_app, 1)
    assert (taken.contacts, taken.companies, taken.kept, taken.rematched) == (1, 1, (), 2)
    after = everything(either_app)
    for table in ("company", "company_domain", "contact", "contact_handle", "match", "address_detail"):
        assert after[table] == before[table], table
    assert unknown(either_app) == {"anna@nordwind.example": "taken back before, or given up by the CRM"}
    mailbox.sent(ANNA)
    assert not mailbox.create().newcomers
    assert contacts(either_app) == {}
    assert not list(made(either_app))
    assert [row["ended"] for row in made(either_app, ended=True)] == ["undone", "undone"]
    assert [(row["contacts"], row["companies"], row["created"]) for row in batches(either_app)] == [(0, 0, 2)]


def test_killed_in_between_the_next_run_goes_on(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = Mailbox(app, tmp_path / "mail")
    mailbox.sent(ANNA)
    mailbox.create()

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(taking_back, "rematch_in_batches", killed)
        with pytest.raises(KeyboardInterrupt):
            take_back_batch(app, 1)
    assert linked(app)[0][1] == "Anna Weber", "matched to her still"
    create_contacts(app)
    assert linked(app) == [("anna@nordwind.example", None, [])]
    assert contacts(app) == {}


def test_one_is_taken_back_and_its_company_stays_for_the_others(app: Application, tmp_path: Path) -> None:
    mailbox = Mailbox(app, tmp_path / "mail")
    mailbox.sent(f"{ANNA}, Ben <ben@nordwind.example>")
    mailbox.create()
    assert take_back(app, ["Anna@Nordwind.example"]).contacts == 1
    assert contacts(app) == {"Ben": "nordwind.example"}
    assert take_back(app, ["nordwind.example"]).companies == 1
    assert contacts(app) == {"Ben": None}
    with pytest.raises(InputError, match=r"nobody@nordwind.example was not created by autocapture"):
        take_back(app, ["nobody@nordwind.example"])
    with pytest.raises(InputError, match="there is no batch 7"):
        take_back_batch(app, 7)


def test_who_is_asked_for_comes_again_whatever_speaks_against_it(app: Application, tmp_path: Path) -> None:
    mailbox = Mailbox(app, tmp_path / "mail")
    mailbox.sent(ANNA)
    mailbox.got("Office <office@nordwind.example>")
    mailbox.create()
    take_back_batch(app, 1)
    report = create_these(app, ["anna@nordwind.example", "office@nordwind.example"])
    assert [(each.name, each.reason) for each in report.newcomers] == [
        ("Anna Weber", "asked"),
        ("Office", "asked"),
    ]
    assert contacts(app) == {"Anna Weber": None, "Office": None}, "the company was taken back as well"
    for address, why in (
        ("anna@nordwind.example", "has anna@nordwind.example already"),
        ("ruth@ours.example", "no address of somebody outside"),
        ("never@seen.example", "nothing was captured of never@seen.example"),
    ):
        with pytest.raises(InputError, match=why):
            create_these(app, [address])


def test_who_a_correction_names_is_kept(app: Application, tmp_path: Path) -> None:
    mailbox = Mailbox(app, tmp_path / "mail")
    mailbox.sent(ANNA)
    mailbox.create()
    with writing(app.engine) as session:
        said = Correction(
            made_at=datetime(2026, 11, 3, tzinfo=UTC),
            made_by=1,
            said="person",
            activity_id=1,
            handle="a.weber@gmail.com",
            contact="autocapture:anna@nordwind.example",
        )
        session.add(said)
    taken = take_back_batch(app, 1)
    assert (taken.contacts, taken.companies, taken.kept) == (0, 1, ("anna@nordwind.example",))
    assert contacts(app) == {"Anna Weber": None}


def test_what_the_crm_brought_since_is_not_taken_back(app: Application, tmp_path: Path) -> None:
    mailbox = Mailbox(app, tmp_path / "mail")
    mailbox.sent(ANNA)
    mailbox.create()
    with writing(app.engine) as session:
        [anna] = session.exec(select(Created).where(Created.target == "contact"))
        anna.ended, anna.target_id = "taken_over", None
        session.add(anna)
    assert take_back_batch(app, 1).contacts == 0
    with reading(app.engine) as session:
        assert len(session.exec(select(Contact)).all()) == 2
        assert len(session.exec(select(ContactHandle)).all()) == 2
        assert [stone.target for stone in session.exec(select(Tombstone))] == ["company"]
