"""The page of what was created: for each role what it may see, and taken back by who runs it."""

from __future__ import annotations

from pathlib import Path

from tests.integration.contacts.mailbox import ANNA, Mailbox, contacts
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.model.organization import User
from autocapture.store.engine import writing

RUTH, SAM, TINA = 1, 2, 3
ANDERS = "Anders Holm <anders@holmbruk.example>"


def _with(app: Application, folder: Path) -> None:
    """Ruth knows two people outside; Tina runs the service, and Sam has nothing to do with it."""
    mailbox = Mailbox(app, folder)
    mailbox.sent(ANNA)
    mailbox.sent(ANDERS)
    mailbox.create()
    with writing(app.engine) as session:
        tina = session.get_one(User, TINA)
        tina.role = "ops"
        session.add(tina)
    people.let_in(app, RUTH, SAM, TINA)


def _signed_in(address: str, name: str) -> Tab:
    tab = Tab(address)
    assert tab.sign_in(f"{name}@ours.example").is_redirect
    return tab


def test_each_sees_what_they_may_and_who_runs_it_takes_back(app: Application, tmp_path: Path) -> None:
    _with(app, tmp_path / "mail")
    with serving(app) as address:
        with _signed_in(address, "ruth") as ruth:
            page = ruth.get("/contacts").text
            assert "4 contacts and companies created" in ruth.words
            assert "mails of ours to them: 1" in ruth.words
            assert "checkbox" not in page
            assert ruth.send("/contacts/undo", value="anna@nordwind.example", sure="yes").status_code == 404
        with _signed_in(address, "sam") as sam:
            sam.get("/contacts")
            assert "Nothing created" in sam.words
            assert "nordwind" not in sam.words
        with _signed_in(address, "tina") as tina:
            tina.get("/contacts?batch=1")
            assert "Anna Weber" in tina.words
            tina.send("/contacts/undo", value="anna@nordwind.example")
            assert "Take back anna@nordwind.example ?" in " ".join(tina.words.split())
            assert set(contacts(app)) == {"Anna Weber", "Anders Holm"}
            tina.send("/contacts/undo", value="anna@nordwind.example", sure="yes")
            assert (
                "1 contact and 0 companies taken back; 1 activity is matched differently now." in tina.words
            )
            assert set(contacts(app)) == {"Anders Holm"}
            tina.send("/contacts/undo", value="anna@nordwind.example", sure="yes")
            assert "was not created by autocapture, or is its own no longer" in tina.words
            tina.send("/contacts/undo")
            assert "tick those that are to be taken back" in tina.words
            tina.get("/contacts?ended=true")
            assert "taken back" in tina.words
            tina.send("/contacts/undo", batch="1", sure="yes")
            assert "1 contact and 2 companies taken back" in tina.words
            assert contacts(app) == {}
