"""Accounts that an organisation granted: what only the operator can mend is told to the operator, once for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, func, select, update
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.integration.connect.organization import Organization, organization
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.web.granting import GoogleWorld, at, google_world, with_google

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.jobs.tasks import tasks
from autocapture.model.accounts import Account
from autocapture.model.activities import Activity
from autocapture.model.organization import User
from autocapture.service.schedule import schedule
from autocapture.settings import SmtpSettings
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.microsoft import message
from autocapture.workflows.granting import Wanted, connect_delegated
from autocapture.workflows.health import diagnosis
from autocapture.workflows.listings import list_accounts
from autocapture.workflows.outcome import LONGEST_BACKOFF

REP, SAM, ADMIN = PEOPLE
ROBOT = "robot@project.example"


@dataclass
class Delegated:
    """Two accounts of an organisation, `mend` for what was broken, and `arrive` for a mail that comes to the first one."""

    app: Application
    clock: FixedClock
    sink: Mailbox
    world: GoogleWorld | Organization
    arrive: Callable[[], None]

    def service(self, rounds: int, every: timedelta = timedelta(minutes=2)) -> None:
        """The service's schedule in simulated time: each time, what is due is done."""
        work = tasks(self.app, lambda: False)
        for _ in range(rounds):
            self.clock.advance(every)
            for tick in schedule(self.app):
                if tick.name in ("capture", "dead logins"):
                    for job in tick.due():
                        work[job.name](job)

    def states(self) -> list[str]:
        with reading(self.app.engine) as session:
            return list(session.exec(select(Account.state).order_by(col(Account.id))))

    def captured(self) -> int:
        with reading(self.app.engine) as session:
            return session.exec(select(func.count()).select_from(Activity)).one()


def with_people(app: Application, sink: Mailbox) -> Application:
    """An admin, and a mail server."""
    with writing(app.engine) as session:
        session.execute(update(User).where(col(User.email) == ADMIN).values(role="admin"))
    smtp = SmtpSettings(host="127.0.0.1", port=sink.port, security="none", sender="autocapture@ours.example")
    return replace(app, settings=app.settings.model_copy(update={"smtp": smtp}))


@contextmanager
def at_google(folder: Path, clock: FixedClock, sink: Mailbox) -> Iterator[Delegated]:
    app = with_people(deploy(folder / "home", clock=clock), sink)
    with google_world(app) as world:
        accounts = world.server.service_accounts
        key_file = folder / "delegate.json"
        key_file.write_text(json.dumps(accounts.make_key(ROBOT)), encoding="utf-8")
        key_file.chmod(0o600)
        accounts.delegate(ROBOT, app.registry.get("google").auth.scopes["subject"])
        for address in (REP, SAM):
            world.services.add_user(address)
        made = with_google(app, world, folder)
        google = made.settings.google.model_copy(
            update={"service_account_file": key_file, "mailboxes": (REP, SAM)}
        )
        made = replace(made, settings=made.settings.model_copy(update={"google": google}))
        for address in (REP, SAM):
            connect_delegated(made, Wanted(address, "google"), address)
        yield Delegated(made, clock, sink, world, lambda: world.receive(1, newest=clock.now(), of=REP))
    app.engine.dispose()


@contextmanager
def at_microsoft(folder: Path, clock: FixedClock, sink: Mailbox) -> Iterator[Delegated]:
    with organization(folder, clock) as ours:
        app = with_people(ours.app, sink)
        for address in (REP, SAM):
            connect_delegated(app, Wanted(address, "microsoft"), address)

        def arrive() -> None:
            number = len(ours.graph.asked)
            ours.graph.mailboxes[REP].add(message(number, received=clock.now()), "inbox")

        yield Delegated(app, clock, sink, ours, arrive)


def key_deleted(world: GoogleWorld) -> Callable[[], None]:
    kept = dict(world.server.service_accounts._keys)
    world.server.service_accounts.delete_keys(ROBOT)
    world.services.revoke_tokens()
    return lambda: world.server.service_accounts._keys.update(kept)


def clock_wrong(world: GoogleWorld) -> Callable[[], None]:
    accounts = world.server.service_accounts
    ours, accounts.clock = accounts.clock, FixedClock(accounts.clock.now() + timedelta(days=2))
    world.services.revoke_tokens()
    return lambda: setattr(accounts, "clock", ours)


def delegation_withdrawn(world: GoogleWorld) -> Callable[[], None]:
    accounts = world.server.service_accounts
    scopes = accounts._delegated[ROBOT]
    accounts.delegate(ROBOT, ())
    world.services.revoke_tokens()
    return lambda: accounts.delegate(ROBOT, scopes)


def secret_expired(ours: Organization) -> Callable[[], None]:
    kept, ours.server.client_secret = ours.server.client_secret, "another"
    for token in list(ours.graph._logins):
        ours.graph.withdraw(token)
    return lambda: setattr(ours.server, "client_secret", kept)


def consent_withdrawn(ours: Organization) -> Callable[[], None]:
    kept = ours.roles
    ours.regrant(roles=frozenset())
    return lambda: ours.regrant(roles=kept)


BROKEN = [
    pytest.param(at_google, key_deleted, "the service account's key", id="key deleted"),
    pytest.param(
        at_google, clock_wrong, "this machine's clock is wrong", id="clock wrong", marks=pytest.mark.soak
    ),
    pytest.param(
        at_google,
        delegation_withdrawn,
        "enter it again in the Admin console",
        id="delegation withdrawn",
        marks=pytest.mark.soak,
    ),
    pytest.param(
        at_microsoft, secret_expired, "the client secret", id="secret expired", marks=pytest.mark.soak
    ),
    pytest.param(
        at_microsoft,
        consent_withdrawn,
        "the permission was taken back",
        id="consent withdrawn",
        marks=pytest.mark.soak,
    ),
]


@pytest.mark.parametrize(("place", "broken", "words"), BROKEN)
def test_what_the_operator_must_mend_is_mailed_to_the_operator_once_and_the_accounts_go_on_by_themselves(
    tmp_path: Path,
    place: Callable[..., Iterator[Delegated]],
    broken: Callable[..., Callable[[], None]],
    words: str,
) -> None:
    with mailbox() as sink, place(tmp_path, FixedClock(at("2026-11-16T07:00")), sink) as ours:  # type: ignore[attr-defined]
        ours.service(1)
        before = ours.captured()
        mend = broken(ours.world)
        ours.service(4)
        assert ours.states() == ["active", "active"]
        assert sink.recipients == [ADMIN], "one mail, and none to the reps"
        text = sink.messages[0].get_content()
        assert REP in text
        assert SAM in text
        assert words in " ".join(text.split())
        assert "sign in again" not in text
        for row in list_accounts(ours.app):
            assert words in row["why"]
        problems = [
            check.found for check in diagnosis(ours.app) if check.name.startswith("account ") and not check.ok
        ]
        assert sum(words in found for found in problems) == 2
        mend()
        ours.arrive()
        ours.service(1, LONGEST_BACKOFF * 1.1)
        ours.service(1)
        assert [row["why"] for row in list_accounts(ours.app)] == [None, None]
        assert ours.captured() == before + 1
        assert len(sink.messages) == 1
        broken(ours.world)
        ours.service(2)
        assert sink.recipients == [ADMIN, ADMIN], "another outage is told again"


def suspended(world: GoogleWorld) -> None:
    world.server.service_accounts.gone.add(REP)
    world.services.revoke_tokens()


def mailbox_deleted(ours: Organization) -> None:
    del ours.graph.mailboxes[REP]


@pytest.mark.parametrize(
    ("place", "removed", "words"),
    [
        pytest.param(at_google, suspended, "knows no such mailbox", id="Google", marks=pytest.mark.soak),
        pytest.param(at_microsoft, mailbox_deleted, "inactive, deleted", id="Microsoft"),
    ],
)
def test_a_mailbox_that_was_removed_is_the_matter_of_its_own_account(
    tmp_path: Path, place: Callable[..., Iterator[Delegated]], removed: Callable[..., None], words: str
) -> None:
    with mailbox() as sink, place(tmp_path, FixedClock(at("2026-11-16T07:00")), sink) as ours:  # type: ignore[attr-defined]
        ours.service(1)
        removed(ours.world)
        ours.service(3)
        assert ours.states() == ["needs_reconnect", "active"]
        assert sink.recipients == [REP]
        text = " ".join(sink.messages[0].get_content().split())
        assert words in text
        assert "there is nothing to sign in to: whoever runs autocapture can connect it again" in text
        found = [check.found for check in diagnosis(ours.app) if not check.ok]
        assert any(f"--user {REP} --delegated" in each for each in found)


@pytest.mark.soak
def test_a_mail_server_that_refuses_is_asked_again_until_the_operator_is_told(tmp_path: Path) -> None:
    with mailbox() as sink, at_google(tmp_path, FixedClock(at("2026-11-16T07:00")), sink) as ours:
        assert isinstance(ours.world, GoogleWorld)
        ours.service(1)
        sink.answer = "451 try again later"
        key_deleted(ours.world)
        ours.service(2)
        assert sink.messages == []
        sink.answer = "250 accepted"
        ours.service(3)
        assert sink.recipients == [ADMIN]
