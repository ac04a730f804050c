"""Connecting accounts: tried at once, stored sealed, and the same account when connected again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.capture.deployment import deliver, message
from tests.integration.service.conftest import Run
from tests.peers.dovecot import Dovecot

from autocapture.application import Application
from autocapture.cli.application import open_application
from autocapture.connect.credentials import open_credential
from autocapture.connector import PasswordCredential
from autocapture.model.accounts import Account, Credential
from autocapture.model.activities import Activity
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Store, event_text
from autocapture.workflows.capture import capture_account


@pytest.fixture
def app(run: Run) -> Application:
    assert run("init").exit_code == 0
    app = open_application()
    with writing(app.engine) as session:
        session.add(User(email="erika@example.com", name="Erika"))
    return app


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    return tmp_path / "Maildir"


def _accounts(app: Application) -> list[Account]:
    with reading(app.engine) as session:
        found = list(session.exec(select(Account)))
        session.expunge_all()
        return found


def test_files_are_connected_by_absolute_paths(run: Run, app: Application, maildir: Path) -> None:
    result = run(
        "connect", "files", "--user", "Erika@Example.com", "--maildir", str(maildir), "--since", "2026-01-31"
    )
    assert result.exit_code == 0, result.stderr
    (account,) = _accounts(app)
    assert account.options == {"maildir": str(maildir)}
    assert str(account.since) == "2026-01-31"
    assert account.capture_level == "subject"
    assert "account 1 connected" in result.output


def test_the_same_files_again_are_the_same_account(run: Run, app: Application, maildir: Path) -> None:
    words = ("connect", "files", "--user", "erika@example.com", "--maildir", str(maildir))
    run(*words)
    with writing(app.engine) as session:
        account = session.exec(select(Account)).one()
        account.state, account.why = "needs_reconnect", "for a test"
    assert run(*words, "--level", "metadata").exit_code == 0
    (account,) = _accounts(app)
    assert (account.id, account.state, account.why, account.capture_level) == (1, "active", None, "metadata")


def test_a_lower_level_on_a_connected_account_says_what_becomes_of_what_is_stored(
    run: Run, app: Application, maildir: Path
) -> None:
    words = ("connect", "files", "--user", "erika@example.com", "--maildir", str(maildir))
    deliver(maildir, message(1, to="erika@example.com"))

    def subjects() -> list[str | None]:
        assert capture_account(app, 1).status == "ok"
        with reading(app.engine) as session:
            return list(session.exec(select(Activity.subject)))

    assert run(*words).exit_code == 0
    assert subjects() == ["number 1"]
    refused = run(*words, "--level", "metadata")
    assert (refused.exit_code, "(--keep, --purge)" in refused.stderr) == (1, True)
    assert (_accounts(app)[0].capture_level, subjects()) == ("subject", ["number 1"])
    assert run(*words, "--level", "metadata", "--keep").exit_code == 0
    assert (_accounts(app)[0].capture_level, subjects()) == ("metadata", ["number 1"])
    assert run(*words, "--level", "subject").exit_code == 0
    assert run(*words, "--level", "metadata", "--purge").exit_code == 0
    assert subjects() == [None]


def test_a_later_bound_on_a_connected_account_says_what_becomes_of_what_is_older(
    run: Run, app: Application, maildir: Path
) -> None:
    words = ("connect", "files", "--user", "erika@example.com", "--maildir", str(maildir))
    deliver(maildir, message(1, to="erika@example.com"))

    def stored() -> tuple[int, str]:
        assert capture_account(app, 1).status == "ok"
        with reading(app.engine) as session:
            return len(session.exec(select(Activity.id)).all()), str(_accounts(app)[0].since)

    assert run(*words).exit_code == 0
    assert stored() == (1, "None")
    refused = run(*words, "--since", "2026-12-01")
    assert (refused.exit_code, "(--keep, --purge)" in refused.stderr) == (1, True)
    assert stored() == (1, "None")
    assert run(*words, "--since", "2026-12-01", "--keep").exit_code == 0
    assert stored() == (1, "2026-12-01")
    assert run(*words, "--since", "2026-10-01").exit_code == 0, "more is captured, so nothing is to be said"
    assert stored() == (1, "2026-10-01")
    purged = run(*words, "--since", "2026-12-01", "--purge")
    assert "1 items were taken out of the database" in purged.output
    assert stored() == (0, "2026-12-01")


def test_a_calendar_on_a_server_begins_ninety_days_back(run: Run, app: Application) -> None:
    store = Store()
    store.put(store.make("work"), "1.ics", event_text(1))
    server = CaldavServer(store)
    server.start()
    try:
        login = ("--url", server.url, "--username", USER, "--password-stdin")
        done = run("connect", "caldav", "--user", "erika@example.com", *login, stdin=f"{PASSWORD}\n")
    finally:
        server.stop()
    assert done.exit_code == 0, done.stderr
    age = app.clock.now().date() - (_accounts(app)[0].since or date.min)
    assert age in (timedelta(days=90), timedelta(days=91))


def test_files_that_an_account_reads_are_not_connected_to_the_same_user_again(
    run: Run, app: Application, maildir: Path, tmp_path: Path
) -> None:
    (tmp_path / "erika.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")
    words = ("connect", "files", "--user", "erika@example.com")
    assert run(*words, "--maildir", str(maildir)).exit_code == 0
    (tmp_path / "link").symlink_to(maildir)
    for same in (maildir, tmp_path / "link", maildir / ".." / "Maildir"):
        refused = run(*words, "--maildir", str(same), "--ics", str(tmp_path / "erika.ics"))
        assert (refused.exit_code, refused.stderr) == (
            1,
            f"autocapture: account 1 of erika@example.com reads {maildir} already; leave --maildir out\n",
        )
    assert len(_accounts(app)) == 1
    assert run(*words, "--ics", str(tmp_path / "erika.ics")).exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--user", "nobody@example.com", "--maildir", "."), "there is no user nobody@example.com"),
        (("--user", "erika@example.com"), "nothing to read"),
        (("--user", "erika@example.com", "--maildir", "nowhere"), "is not a Maildir"),
    ],
)
def test_what_cannot_be_connected_is_one_line_and_nothing_is_stored(
    run: Run, app: Application, words: tuple[str, ...], says: str
) -> None:
    result = run("connect", "files", *words)
    assert result.exit_code == 1
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert _accounts(app) == []


def test_an_unknown_connector_is_a_typing_error(run: Run, app: Application) -> None:
    assert run("connect", "pigeon").exit_code == 2


def _imap(server: Dovecot, *more: str) -> tuple[str, ...]:
    address = ("--host", "127.0.0.1", "--port", str(server.port), "--security", "none")
    return (
        "connect",
        "imap",
        "--user",
        "erika@example.com",
        *address,
        "--username",
        server.user,
        "--password-stdin",
        *more,
    )


@pytest.mark.dovecot
def test_a_mailbox_is_tried_and_its_password_sealed(
    run: Run, app: Application, dovecot_server: Dovecot
) -> None:
    result = run(*_imap(dovecot_server), stdin=dovecot_server.password + "\n")
    assert result.exit_code == 0, result.stderr
    assert "INBOX" in result.output
    with reading(app.engine) as session:
        stored = session.exec(select(Credential)).one()
    assert dovecot_server.password.encode() not in stored.sealed
    assert open_credential(app.vault, 1, stored.sealed) == PasswordCredential(
        dovecot_server.user, dovecot_server.password
    )


@pytest.mark.dovecot
def test_a_wrong_password_is_told_and_nothing_stored(
    run: Run, app: Application, dovecot_server: Dovecot
) -> None:
    result = run(*_imap(dovecot_server), stdin="wrong\n")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "wrong" not in result.stderr.replace("wrong password", "")
    assert _accounts(app) == []


def test_an_address_inside_the_operators_network_is_not_dialled(run: Run, app: Application) -> None:
    words = (
        "--user",
        "erika@example.com",
        "--host",
        "169.254.169.254",
        "--username",
        "erika",
        "--password-stdin",
    )
    result = run("connect", "imap", *words, stdin="x\n")
    assert result.exit_code == 1
    assert "allow_networks" in result.stderr
