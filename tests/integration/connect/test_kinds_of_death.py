"""Every way in which a sign-in dies is told to its owner by one mail that says how it is connected again, and is not tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select
from tests.integration.capture.deployment import PEOPLE, connect_imap, deploy
from tests.integration.connect.organization import organization
from tests.integration.summary.mailbox import mailbox
from tests.integration.web.granting import at
from tests.peers.maildevel import mail_devel

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.credentials import seal_credential
from autocapture.connector import PasswordCredential
from autocapture.jobs.tasks import tasks
from autocapture.model.accounts import Account, Credential
from autocapture.service.schedule import schedule
from autocapture.settings import SmtpSettings
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Store
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.granting import Wanted, answered, question

REP = PEOPLE[0]
BACK = "http://127.0.0.1:8000/connect/microsoft/callback"


@dataclass
class Signed:
    """A connected account; `die` ends its sign-in, and `asked` counts what was asked of its provider."""

    app: Application
    die: Callable[[], None]
    asked: Callable[[], int]


@contextmanager
def _microsoft(folder: Path, clock: FixedClock, die: str) -> Iterator[Signed]:
    with organization(folder, clock) as ours:
        ours.server.redirect_uris = {BACK}
        ours.server.person.address = REP
        wanted = Wanted(REP, "microsoft")
        asked = question(ours.app, wanted, BACK)
        answered(ours.app, wanted, ours.server.consent(asked.url), asked)

        def withdrawn() -> None:
            ours.server.withdraw()
            ours.graph._logins.clear()

        def refused() -> None:
            ours.server.on_issue = lambda *_: None  # Entra gives tokens, and Graph takes none of them
            ours.graph._logins.clear()

        def narrowed() -> None:
            for token, login in list(ours.graph._logins.items()):
                ours.graph.accept(token, login.address, frozenset({"User.Read"}))

        ways = {"withdrawn": withdrawn, "refused": refused, "narrowed": narrowed}
        yield Signed(ours.app, ways[die], lambda: ours.graph.requests + len(ours.server.forms))


@contextmanager
def _caldav(folder: Path, clock: FixedClock, _die: str) -> Iterator[Signed]:
    app = deploy(folder / "home", clock=clock)
    server = CaldavServer(store := Store())
    server.start()
    store.make("work")
    connect_account(app, Login(REP, "caldav", {"url": server.url}, PasswordCredential(USER, PASSWORD)))
    yield Signed(app, lambda: setattr(server, "password", "another"), lambda: len(server.asked))
    server.stop()
    app.engine.dispose()


@contextmanager
def _imap(folder: Path, clock: FixedClock, _die: str) -> Iterator[Signed]:
    app = deploy(folder / "home", clock=clock)
    with mail_devel() as server:
        account_id = connect_imap(app, server, server.user)

        def changed() -> None:
            """What is stored is not what the server knows."""
            with writing(app.engine) as session:
                stored = session.get_one(Credential, account_id)
                stored.sealed = seal_credential(
                    app.vault, account_id, PasswordCredential(server.user, "before")
                )

        yield Signed(app, changed, lambda: 0)
    app.engine.dispose()


@pytest.mark.parametrize(
    ("place", "die", "words"),
    [
        pytest.param(
            _microsoft, "withdrawn", "Microsoft no longer accepts this sign-in", id="grant withdrawn"
        ),
        pytest.param(
            _microsoft,
            "refused",
            "Microsoft no longer accepts this sign-in",
            id="tokens refused",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            _microsoft, "narrowed", "a permission was not granted or was taken back", id="consent narrowed"
        ),
        pytest.param(_caldav, "", "password", id="password of a calendar changed"),
        pytest.param(_imap, "", "password", id="password of a mailbox changed", marks=pytest.mark.soak),
    ],
)
def test_a_sign_in_that_dies_is_mailed_once_to_its_owner_and_asked_no_more(
    tmp_path: Path, place: Callable[..., Iterator[Signed]], die: str, words: str
) -> None:
    clock = FixedClock(at("2026-11-16T07:00"))
    with mailbox() as sink, place(tmp_path, clock, die) as signed:  # type: ignore[attr-defined]
        smtp = SmtpSettings(
            host="127.0.0.1", port=sink.port, security="none", sender="autocapture@ours.example"
        )
        app = replace(signed.app, settings=signed.app.settings.model_copy(update={"smtp": smtp}))
        work = tasks(app, lambda: False)

        def service(rounds: int) -> None:
            for _ in range(rounds):
                clock.advance(timedelta(minutes=2))
                for tick in schedule(app):
                    if tick.name in ("capture", "dead logins"):
                        for job in tick.due():
                            work[job.name](job)

        service(1)
        signed.die()
        service(3)
        with reading(app.engine) as session:
            account = session.exec(select(Account).order_by(col(Account.id))).one()
        assert account.state == "needs_reconnect", account.why
        assert sink.recipients == [REP]
        asked = signed.asked()
        service(30)
        assert (signed.asked(), len(sink.messages)) == (asked, 1)
        text = " ".join(sink.messages[0].get_content().split())
        assert words in text
        assert "Connect it again" in text
        assert f"/accounts/{account.id}" in text
