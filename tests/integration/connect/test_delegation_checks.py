"""What an organisation granted is tried, by `doctor` and before anybody is connected: it reads what it may, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlmodel import func, select
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.integration.connect.organization import OUTSIDE, organization
from tests.integration.web.granting import GoogleWorld, at, google_world, with_google

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import SetupError
from autocapture.model.accounts import Account
from autocapture.store.engine import reading
from autocapture.workflows.capture import capture_account
from autocapture.workflows.granting import Wanted, connect_delegated
from autocapture.workflows.health import Check, diagnosis

REP = PEOPLE[0]
ROBOT = "robot@project.example"
CLOCK = at("2026-11-16T07:00")


def accounts(app: Application) -> int:
    with reading(app.engine) as session:
        return session.exec(select(func.count()).select_from(Account)).one()


def line(app: Application, name: str) -> Check:
    [found] = [check for check in diagnosis(app) if check.name == name]
    return found


def test_no_mailbox_of_microsofts_is_connected_while_one_outside_the_scope_opens(tmp_path: Path) -> None:
    with organization(tmp_path, FixedClock(CLOCK)) as ours:
        ours.reaches |= {OUTSIDE}
        with pytest.raises(SetupError, match=f"the application reads mail and calendars of {OUTSIDE}"):
            connect_delegated(ours.app, Wanted(REP, "microsoft"), REP)
        assert not line(ours.app, "microsoft mailboxes").ok
        unnamed = ours.app.settings.microsoft.model_copy(update={"mailbox_outside": ""})
        app = replace(ours.app, settings=ours.app.settings.model_copy(update={"microsoft": unnamed}))
        with pytest.raises(SetupError, match=r"set microsoft\.mailbox_outside .* only trying it shows"):
            connect_delegated(app, Wanted(REP, "microsoft"), REP)
        assert accounts(app) == 0
        ours.reaches -= {OUTSIDE}
        assert connect_delegated(ours.app, Wanted(REP, "microsoft"), REP).connected.is_new
        assert line(ours.app, "microsoft mailboxes").ok


@dataclass
class Google:
    app: Application
    world: GoogleWorld
    key_file: Path

    def delegate(self, *more: str) -> None:
        scopes = self.app.registry.get("google").auth.scopes["subject"]
        self.world.server.service_accounts.delegate(ROBOT, (*scopes, *more))

    def found(self) -> str:
        check = line(self.app, "google delegation")
        with_connect = None
        try:
            connect_delegated(self.app, Wanted(REP, "google"), REP)
        except SetupError as problem:
            with_connect = str(problem)
        assert check.ok is (with_connect is None), (check, with_connect)
        return check.found


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    app = deploy(tmp_path / "home", clock=FixedClock(CLOCK))
    with google_world(app) as world:
        world.services.add_user(REP)
        key_file = tmp_path / "delegate.json"
        key_file.write_text(json.dumps(world.server.service_accounts.make_key(ROBOT)), encoding="utf-8")
        key_file.chmod(0o600)
        made = with_google(app, world, tmp_path)
        section = made.settings.google.model_copy(
            update={"service_account_file": key_file, "mailboxes": (REP,)}
        )
        made = replace(made, settings=made.settings.model_copy(update={"google": section}))
        found = Google(made, world, key_file)
        found.delegate()
        yield found
    app.engine.dispose()


def test_google_is_read_by_a_service_account_for_the_people_listed(google: Google) -> None:
    assert "google.mailboxes is the only bound" in google.found()
    assert capture_account(google.app, 1).status == "ok"
    with pytest.raises(SetupError, match=r"not listed in google\.mailboxes"):
        connect_delegated(google.app, Wanted(REP, "google", any_address=True), OUTSIDE)


def test_doctor_and_connecting_ask_google_for_a_token_and_refuse_what_is_wrong(google: Google) -> None:
    google.delegate("https://mail.google.com/")
    assert "may write and delete mail of" in google.found()
    google.delegate("https://www.googleapis.com/auth/calendar")
    assert "may write calendars of" in google.found()
    google.world.server.service_accounts.delegate(ROBOT, ())
    assert "the domain-wide delegation was taken back, or lacks a permission" in google.found()
    google.delegate()
    google.world.server.service_accounts.gone.add(REP)
    assert "take it out of google.mailboxes" in google.found()
    google.world.server.service_accounts.delete_keys(ROBOT)
    assert "does not take the service account's key" in google.found()
    google.key_file.write_text("{}", encoding="utf-8")
    assert "is no key of a service account" in google.found()
    google.key_file.chmod(0o644)
    assert "is open to others" in google.found()
    assert accounts(google.app) == 0
