"""No contact and no counted activity comes out of mail that no person wrote, at whatever level it is captured."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel
from tests.corpus.absences import absences
from tests.corpus.machines import machines
from tests.integration.capture.deployment import capture, deploy

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.model.activities import Activity, Participation
from autocapture.model.crm import Contact
from autocapture.store.engine import reading
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.creating import create_contacts

_BOUNCES = Path(__file__).parents[4] / "shared/data/bounces-sisimai"


def _captured(home: Path, messages: list[bytes], level: CaptureLevel) -> Application:
    folder = home / "mail"
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    for number, message in enumerate(messages):
        (folder / "cur" / f"{number}.host:2,S").write_bytes(message)
    app = deploy(home / "home")
    login = Login("ruth@ours.example", "files", {"maildir": str(folder)}, capture_level=level)
    report = capture(app, connect_account(app, login).account_id)
    assert report.listed == len(messages)
    assert report.quarantined == 0
    return app


def _count(app: Application, table: type[SQLModel]) -> int:
    with reading(app.engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("level", ["metadata", "subject", "full"])
def test_nothing_comes_of_absence_notes_and_other_machine_mail(tmp_path: Path, level: CaptureLevel) -> None:
    app = _captured(tmp_path, [*(note.raw for note in absences()), *(each.raw for each in machines())], level)
    assert (_count(app, Activity), _count(app, Participation)) == (0, 0)
    assert not create_contacts(app).newcomers
    assert _count(app, Contact) == 1, "the one that the CRM had"


@pytest.mark.skipif(not _BOUNCES.is_dir(), reason="the collection of bounces is not here (../shared/data)")
def test_nothing_comes_of_bounces(tmp_path: Path) -> None:
    files = [file for file in sorted(_BOUNCES.glob("*.eml")) if file.name != "lhost-sendmail-14.eml"]
    app = _captured(tmp_path, [file.read_bytes() for file in files], "full")
    assert (_count(app, Activity), _count(app, Participation)) == (0, 0)
    assert _count(app, Contact) == 1, "the one that the CRM had"
