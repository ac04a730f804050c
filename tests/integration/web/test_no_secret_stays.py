"""What opens a door is nowhere afterwards: not in the database, not in the logs, not in pages that others see."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel
from tests.integration.summary.serving import serving
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.service.logs import configure_logs
from autocapture.store.engine import reading
from autocapture.workflows.invitations import ask_for_reset, invite, users_to_invite

WRONG, CHOSEN, NEXT = "a wrong guess of mine", "eleven patient otters", "nineteen careful wolves"


@pytest.fixture
def logged() -> io.StringIO:
    """Everything that is logged meanwhile, as the service logs it."""
    told = io.StringIO()
    configure_logs(told)
    return told


def _stored(app: Application) -> str:
    with reading(app.engine) as session:
        tables = [session.execute(text(f"SELECT * FROM {table}")).all() for table in SQLModel.metadata.tables]
    return repr(tables)


def test_no_password_no_link_and_no_session_stays(app: Application, logged: io.StringIO) -> None:
    [user] = users_to_invite(app, "admin@ours.example")
    token = invite(app, user, by_mail=False).address.rpartition("/")[2]
    secrets = {WRONG, CHOSEN, NEXT, token}
    with serving(app) as address, Tab(address) as tab:
        tab.get(f"/link/{token}")
        secrets |= set(tab.cookies.values())
        tab.send(f"/link/{token}", password=CHOSEN, again=CHOSEN)
        secrets |= set(tab.cookies.values())
        tab.get("/me")
        secrets.add(tab.token)
        tab.send("/me/password", current=CHOSEN, password=NEXT, again=NEXT)
        secrets |= set(tab.cookies.values())
        tab.sign_in("admin@ours.example", WRONG)
        tab.get(f"/link/{token}")
        reset = ask_for_reset(app, "admin@ours.example", "192.0.2.1")
        assert reset is not None
        secrets.add(reset[1].token)
        assert tab.get("/users").status_code == 200
        page = tab.shown.text.replace(tab.token, "")
    stored = _stored(app)
    assert len(secrets) == 9
    for secret in secrets:
        assert secret not in stored
        assert secret not in logged.getvalue()
        assert secret not in page
    assert "admin@ours.example" not in logged.getvalue()
