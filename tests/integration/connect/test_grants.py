"""Grants in the database: one renewal at a time, the newest refresh token kept, a dead grant told once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from tests.integration.capture.deployment import deploy
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.connect.registry import Registry
from autocapture.connector import Auth, Channel, Credential, Grant, Page, Tools
from autocapture.errors import CredentialRejected, RateLimited, ReconnectNeeded, SetupError, Unreachable
from autocapture.model.accounts import Account
from autocapture.model.accounts import Credential as SealedCredential
from autocapture.sections import OidcSettings
from autocapture.store.engine import reading
from autocapture.testing.fakes.authorization_server import AuthorizationServer, authorization_server
from autocapture.testing.fakes.source import NoOptions
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.grants import RENEW_WITHIN, Granted, granted_by_organisation, renew
from autocapture.workflows.open_account import open_account

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Inbox:
    """A connector whose every request needs a token; `refuse` are tokens that it no longer takes."""

    name: str = "inbox"
    kinds: frozenset[Any] = frozenset({"email"})
    auth: Auth = field(default_factory=lambda: Auth("oauth", "company"))
    options: type[NoOptions] = NoOptions
    grants: list[Grant] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @contextmanager
    def open(self, options: NoOptions, credential: Credential, tools: Tools) -> Iterator[Inbox]:
        assert isinstance(credential, Grant)
        self.grants.append(credential)
        yield self

    def channels(self) -> list[Channel]:
        self.seen.append(self.grants[-1].access_token(False))
        return [Channel("inbox", "email", "Inbox")]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        return Page([], "0", complete=cursor is None)

    def get(self, channel: Channel, ids: Any) -> list[Any]:
        return []


class OneOf(Registry):
    def __init__(self, connector: Any) -> None:
        self.connector = connector

    def get(self, name: str) -> Any:
        return self.connector


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def server(clock: FixedClock) -> Iterator[AuthorizationServer]:
    with authorization_server(clock) as running:
        yield running


def set_up(home: Path, server: AuthorizationServer, clock: FixedClock, url: str | None = None) -> Application:
    app = deploy(home, url=url, clock=clock)
    made = joined(app, home, server)
    app.engine.dispose()
    return made


def joined(app: Application, home: Path, server: AuthorizationServer) -> Application:
    (home / "secret").write_text(server.client_secret, encoding="utf-8")
    company = OidcSettings(issuer=server.url, client_id=server.client_id, client_secret_file=home / "secret")
    changed = build(app.settings.model_copy(update={"oidc": {"company": company}}), app.clock)
    object.__setattr__(changed, "registry", OneOf(Inbox()))
    return changed


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, server: AuthorizationServer, clock: FixedClock
) -> Iterator[Application]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    made = set_up(tmp_path / "home", server, clock, url)
    yield made
    made.engine.dispose()


def connected(app: Application, server: AuthorizationServer) -> int:
    """An account by a grant whose first access token is used up."""
    stored = StoredGrant(
        "company", "sub-1", "rep@ours.example", frozenset({"mail.read"}), START.isoformat(),
        refresh_token=server.grant("mail.read"),
    )  # fmt: skip
    first = app.clients.get("company").refresh(stored.refresh_token, stored.scopes)
    stored = StoredGrant(**{**_fields(stored), "refresh_token": first.refresh_token or stored.refresh_token})
    account = connect_account(
        app, Login("ruth@ours.example", "inbox", {}, granted=Granted(stored, first))
    ).account_id
    server.forms.clear()
    return account


def _fields(stored: StoredGrant) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in StoredGrant.__slots__}  # type: ignore[attr-defined]


def grant(app: Application, account_id: int) -> Grant:
    with reading(app.engine) as session:
        account = session.get_one(Account, account_id)
        session.expunge_all()
    with open_account(app, account):
        pass
    made = app.registry.get("inbox").grants[-1]
    assert isinstance(made, Grant)
    return made


def kept(app: Application, account_id: int) -> str:
    """The refresh token in the database."""
    with reading(app.engine) as session:
        sealed = session.scalars(select(col(SealedCredential.sealed))).one()
    stored = open_credential(app.vault, account_id, sealed)
    assert isinstance(stored, StoredGrant)
    return stored.refresh_token


def test_the_token_that_came_with_the_grant_is_used_until_shortly_before_its_end(
    app: Application, server: AuthorizationServer, clock: FixedClock
) -> None:
    account = connected(app, server)
    first = grant(app, account).access_token(False)
    clock.advance(timedelta(minutes=54))
    assert grant(app, account).access_token(False) == first
    assert server.refreshes == 0
    clock.advance(timedelta(minutes=2))
    assert grant(app, account).access_token(False) != first
    assert server.refreshes == 1


@pytest.mark.parametrize("refused", [False, True], ids=["it ran out", "it was refused"])
def test_eight_threads_that_want_a_token_renew_it_once(
    app: Application, server: AuthorizationServer, clock: FixedClock, refused: bool
) -> None:
    server.rotation = "strictly"
    account = connected(app, server)
    server.while_refreshing = lambda: time.sleep(0.05)
    given, shared = [], grant(app, account)
    if not refused:
        clock.advance(timedelta(hours=1))
    ready = threading.Barrier(8)

    def want() -> None:
        mine = shared if threading.current_thread().name.endswith(("1", "3", "5")) else grant(app, account)
        if refused:
            mine.access_token(False)
        ready.wait()
        given.append(mine.access_token(refused))

    threads = [threading.Thread(target=want, name=f"t{number}") for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.refreshes == 1
    assert len(given) == 8
    assert set(given) == {server.issued[-1]}


@pytest.mark.parametrize("rotation", ["gently", "strictly"])
def test_a_replaced_refresh_token_is_stored_before_its_access_token_is_used(
    app: Application, server: AuthorizationServer, clock: FixedClock, rotation: Any
) -> None:
    server.rotation = rotation
    account = connected(app, server)
    before = kept(app, account)
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        grant(app, account).access_token(False)
        assert kept(app, account) != before
        before = kept(app, account)
    assert server.refreshes == 3


def test_of_two_processes_one_renews_and_the_other_goes_on_with_what_it_stored(
    app: Application, server: AuthorizationServer, clock: FixedClock, tmp_path: Path
) -> None:
    """Each application has a memory of its own, as each process has; the server kills a token that is used twice."""
    server.rotation = "strictly"
    account = connected(app, server)
    other = joined(app, tmp_path / "home", server)
    clock.advance(timedelta(hours=1))
    waited: list[RateLimited] = []

    def meanwhile() -> None:
        server.while_refreshing = lambda: None
        with pytest.raises(RateLimited) as told:
            grant(other, account).access_token(False)
        waited.append(told.value)

    server.while_refreshing = meanwhile
    grant(app, account).access_token(False)
    assert waited[0].retry_after == timedelta(seconds=2)
    assert server.refreshes == 1
    grant(other, account).access_token(False)
    assert server.refreshes == 2
    grant(app, account).access_token(True)
    assert server.refreshes == 3
    other.engine.dispose()


def test_a_sign_in_anew_is_never_replaced_by_an_older_renewal(
    app: Application, server: AuthorizationServer, clock: FixedClock
) -> None:
    server.rotation = "gently"
    account = connected(app, server)
    clock.advance(timedelta(hours=1))

    newest: list[str] = []

    def meanwhile() -> None:
        server.while_refreshing = lambda: None
        connected(app, server)
        newest.append(kept(app, account))

    server.while_refreshing = meanwhile
    grant(app, account).access_token(False)
    assert kept(app, account) == newest[0]


def test_a_grant_that_dies_while_its_owner_signs_in_anew_is_no_dead_account(
    app: Application, server: AuthorizationServer, clock: FixedClock
) -> None:
    account = connected(app, server)
    clock.advance(timedelta(hours=1))

    def meanwhile() -> None:
        server.while_refreshing = lambda: None
        server.withdraw()
        connected(app, server)

    server.while_refreshing = meanwhile
    with pytest.raises(RateLimited, match="newer"):
        renew(app, account)
    grant(app, account).access_token(True)


class Died(BaseException):
    """The process ends here."""


def test_a_crash_between_the_answer_and_the_commit_ends_in_one_question_to_the_owner(
    app: Application, server: AuthorizationServer, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has replaced the token, we never stored it: the next renewal finds it dead, and nothing is asked again."""
    from autocapture.workflows import grants

    server.rotation = "strictly"
    account = connected(app, server)
    clock.advance(timedelta(hours=1))
    with monkeypatch.context() as crash:
        crash.setattr(grants, "_let_go", lambda *_args, **_kept: (_ for _ in ()).throw(Died))
        with pytest.raises(Died):
            renew(app, account)
    with pytest.raises(RateLimited):
        renew(app, account)
    clock.advance(RENEW_WITHIN)
    object.__setattr__(app, "tokens", type(app.tokens)(clock))
    report = capture_account(app, account)
    assert report.status == "needs_reconnect"
    asked = server.refreshes
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        assert capture_account(app, account).status == "needs_reconnect"
    assert server.refreshes == asked == 2


def test_a_withdrawn_grant_stops_its_account_and_a_new_one_keeps_it(
    app: Application, server: AuthorizationServer, clock: FixedClock
) -> None:
    account = connected(app, server)
    server.withdraw()
    clock.advance(timedelta(hours=1))
    assert capture_account(app, account).status == "needs_reconnect"
    assert connected(app, server) == account
    assert capture_account(app, account).status == "ok"


def test_an_endpoint_that_is_away_leaves_the_account_as_it_is(
    app: Application, server: AuthorizationServer, clock: FixedClock
) -> None:
    account = connected(app, server)
    clock.advance(timedelta(hours=1))
    for faults, status in (
        ([(500, {}, b"")], "unreachable"),
        ([(429, {"Retry-After": "9"}, b"")], "rate_limited"),
    ):
        server.faults = list(faults)
        assert capture_account(app, account).status == status
    clock.advance(timedelta(hours=1))
    assert capture_account(app, account).status == "ok"


def test_an_answer_lost_on_its_way_keeps_a_grant_that_does_not_rotate_strictly(
    app: Application, server: AuthorizationServer, clock: FixedClock
) -> None:
    server.rotation = "gently"
    account = connected(app, server)
    clock.advance(timedelta(hours=1))
    server.after_effect = [(502, {}, b"")]
    with pytest.raises(Unreachable):
        renew(app, account)
    renew(app, account)


def test_no_access_token_is_in_the_database(
    app: Application, server: AuthorizationServer, tmp_path: Path
) -> None:
    account = connected(app, server)
    grant(app, account).access_token(True)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    for secret in [*server.issued, *server._grants]:
        assert secret.encode() not in stored


def test_an_organisation_grants_the_mailboxes_that_are_listed_and_no_others(app: Application) -> None:
    with pytest.raises(SetupError, match="not listed"):
        granted_by_organisation(app, "microsoft", "ceo@ours.example", ["Mail.ReadBasic.All"])
    listed = app.settings.microsoft.model_copy(update={"mailboxes": ("Rep@ours.example",), "client_id": "c"})
    object.__setattr__(app, "settings", app.settings.model_copy(update={"microsoft": listed}))
    made = granted_by_organisation(app, "microsoft", "rep@ours.example", ["Mail.ReadBasic.All"])
    assert (made.stored.by, made.stored.refresh_token) == ("application", "")


def test_an_account_without_a_grant_asks_for_one(app: Application, server: AuthorizationServer) -> None:
    account = connected(app, server)
    with pytest.raises(ReconnectNeeded):
        renew(app, account + 1)
    with pytest.raises(CredentialRejected):
        app.clients.get("company").refresh("of nobody", frozenset())
    with pytest.raises(SetupError, match="nowhere"):
        app.clients.get("nowhere")
