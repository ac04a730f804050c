"""Three people with an account each, at Google, at Microsoft 365 and at a CalDAV server. The servers run in this process; the
accounts are captured by whatever process opens the home folder."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.connectors.google.test_calendars import meeting
from tests.connectors.microsoft.callbacks import callbacks
from tests.integration.capture.deployment import PEOPLE, application, capture, deploy, settle
from tests.peers.entra import entra

from autocapture.clock import FixedClock
from autocapture.connector import PasswordCredential
from autocapture.testing.fakes.authorization_server import AuthorizationServer, authorization_server
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Collection, Store, event_text
from autocapture.testing.fakes.entra_server import TENANT
from autocapture.testing.fakes.google import FakeGoogle
from autocapture.testing.fakes.microsoft import FakeGraph, event, message
from autocapture.testing.fakes.microsoft.samples import attendee, person, zulu
from autocapture.workflows.capture import due_accounts
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.granting import Wanted, answered, question
from autocapture.workflows.subscriptions import accounts_to_watch, keep_watched

BEGINS = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
LATER = BEGINS + timedelta(days=4)
"""When every subscription has lived for more than half of its time."""

KIM = "kim@customer.example"
BACK = "http://127.0.0.1:8000/back"


class Providers(AbstractContextManager["Providers"]):
    """`home` is made and its accounts are connected; nothing is captured yet."""

    def __init__(self, home: Path, *, url: str | None = None) -> None:
        self.home, self.url = home, url
        self.clock = FixedClock(BEGINS)

    def __enter__(self) -> Providers:
        self._stack = ExitStack()
        self.google = self._stack.enter_context(FakeGoogle(self.clock))
        self.graph = self._stack.enter_context(FakeGraph(self.clock))
        self.graph.subscriptions.reach = self._reached(self._stack.enter_context(callbacks()))
        self.dav = Store()
        server = CaldavServer(self.dav)
        server.start()
        self._stack.callback(server.stop)
        authority = self._stack.enter_context(authorization_server(self.clock))
        folder = self.home.with_name(f"{self.home.name}-certificates")
        login, ca_file = self._stack.enter_context(entra(folder, self.clock))
        for one, address, accept in (
            (authority, PEOPLE[0], self.google.accept),
            (login, PEOPLE[1], self.graph.accept),
        ):
            one.person.address, one.on_issue, one.rotation = address, accept, "gently"
            one.redirect_uris = {BACK}
        self._fill()
        deploy(self.home, url=self.url, clock=self.clock).engine.dispose()
        self._set_up(authority, login, ca_file)
        self._connect(authority, login, server)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @staticmethod
    def _reached(back: str) -> Any:
        return lambda _url: back

    def _set_up(self, authority: AuthorizationServer, login: AuthorizationServer, ca_file: Path) -> None:
        (self.home / "secret").write_text("s3cret\n", encoding="utf-8")
        client = {"client_id": "client", "client_secret_file": str(self.home / "secret")}
        sections: dict[str, dict[str, str]] = {
            "google": {
                **client, "issuer": authority.url, "authorize_url": f"{authority.url}/authorize",
                "token_url": f"{authority.url}/token", "keys_url": f"{authority.url}/keys",
                "gmail_url": self.google.url.rstrip("/"), "calendar_url": f"{self.google.url}calendar/v3",
            },
            "microsoft": {**client, "tenant": TENANT, "login_url": login.url, "graph_url": self.graph.url},
            "network": {"ca_file": str(ca_file)},
            "push": {"gmail_topic": "projects/ours/topics/gmail", "gmail_sender": "push@ours.iam"},
            "web": {"public_url": "https://capture.ours.example"},
        }  # fmt: skip
        lines = [
            line
            for name, section in sections.items()
            for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items()))
        ]
        (self.home / "autocapture.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _connect(self, authority: AuthorizationServer, login: AuthorizationServer, dav: CaldavServer) -> None:
        app = application(self.home, url=self.url, clock=self.clock)
        for connector, server, rep in (("google", authority, PEOPLE[0]), ("microsoft", login, PEOPLE[1])):
            wanted = Wanted(rep, connector)
            asked = question(app, wanted, BACK)
            answered(app, wanted, server.consent(asked.url), asked)
        credential = PasswordCredential(USER, PASSWORD)
        connect_account(app, Login(PEOPLE[2], "caldav", {"url": dav.url}, credential))
        app.engine.dispose()

    # what the three have

    def _fill(self) -> None:
        """Two mails that both of the first two have, and a meeting that all three have."""
        user, mailbox = self.google.add_user(PEOPLE[0]), self.graph.add_mailbox(PEOPLE[1])
        self.calendar = self.dav.make("work")
        for number in range(2):
            self._mail(number)
        user.calendars[PEOPLE[0]].put(self._google_meeting("shared"))
        user.calendars[PEOPLE[0]].put(
            self._google_meeting("weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
        )
        self._outlook = mailbox.calendar.add(self._graph_meeting("shared"))
        self._put(self.calendar, 1)

    def _mail(self, number: int) -> None:
        at = BEGINS - timedelta(hours=number)
        headers = [
            ("From", f"Kim <{KIM}>"), ("To", ", ".join(PEOPLE[:2])), ("Subject", f"item {number}"),
            ("Message-ID", f"<{number}@customer.example>"), ("Date", f"{at:%a, %d %b %Y %H:%M:%S} +0000"),
        ]  # fmt: skip
        self.google.users[PEOPLE[0]].mailbox.receive(headers, at)
        kim, people = person(KIM, "Kim"), [{"emailAddress": {"address": each}} for each in PEOPLE[:2]]
        times = dict.fromkeys(("sentDateTime", "receivedDateTime"), zulu(at))
        told = message(number, **{"from": kim, "sender": kim, "toRecipients": people, **times})
        self.graph.mailboxes[PEOPLE[1]].add(told, "inbox", number)

    def _google_meeting(self, name: str, **more: Any) -> dict[str, Any]:
        people = [{"email": address, "responseStatus": "accepted"} for address in (*PEOPLE[:2], KIM)]
        told = {"organizer": {"email": PEOPLE[0]}, "attendees": people, "created": "2026-11-02T08:00:00Z"}
        return meeting(name, **told, **more)

    def _graph_meeting(self, name: str) -> dict[str, Any]:
        people = [attendee(address, "accepted") for address in (*PEOPLE[:2], KIM)]
        told = event(1, name, starts=BEGINS, organizer=person(PEOPLE[0]), attendees=people)
        return {**told, "iCalUId": f"{name}@google.com"}

    def _put(self, collection: Collection, number: int, version: int = 0) -> None:
        text = event_text(number, version, more="CREATED:20261101T080000Z").replace(
            "rep@ours.example", PEOPLE[2]
        )
        text = text.replace(f"buyer{number}@customer.example", KIM)
        self.dav.put(collection, f"{number}.ics", text)

    # what happens

    def capture_and_change(self) -> None:
        """Everything is captured and watched; then items come, change and go, and Microsoft forgets what it told."""
        app = application(self.home, url=self.url, clock=self.clock)
        for account_id in due_accounts(app):
            capture(app, account_id)
        for account_id in accounts_to_watch(app):
            keep_watched(app, account_id)
        settle(app)
        app.engine.dispose()
        self.clock.advance(LATER - self.clock.now())
        user, outlook = self.google.users[PEOPLE[0]], self.graph.mailboxes[PEOPLE[1]]
        self._mail(5)
        user.mailbox.delete(next(iter(user.mailbox.messages)))
        user.calendars[PEOPLE[0]].put(self._google_meeting("shared", summary="moved"))
        outlook.calendar.edit(self._outlook, subject="moved")
        self.graph.links.expire()
        self._put(self.calendar, 1, version=1)
        self._put(self.calendar, 2)
