"""A rep's mailbox and calendars at Microsoft 365, and the organisation's Teams calls."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.connectors.microsoft.callbacks import callbacks
from tests.integration.capture.deployment import PEOPLE
from tests.integration.connect.organization import has_an_account
from tests.integration.faults.authority import AUTHORITY_WORDS, authority_route
from tests.integration.faults.story import BEGINS, Story

from autocapture.model.accounts import Account
from autocapture.sections import MicrosoftSettings
from autocapture.settings import Settings
from autocapture.testing.fakes.entra_server import TENANT, entra_server
from autocapture.testing.fakes.gateway import Reply
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, event, message
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.samples import attendee, person
from autocapture.testing.fakes.microsoft.worlds import call_record
from autocapture.workflows.granting import Wanted, answered, connect_delegated, question
from autocapture.workflows.preview import take_preview

REP = PEOPLE[0]
BACK = "http://127.0.0.1:8000/back"
KIM = "kim@customer.example"
CALL_REP = "821809f5-0000-0000-0000-3b5136c0e777"
_ID = re.compile(r"A[AQ].*=+|call-\d+|7f105c7d.*")


def _said(status: int, code: str) -> Reply:
    return Reply(
        status, json.dumps(refusal(status, code).body).encode(), {"Content-Type": "application/json"}
    )


GRAPH_WORDS: Mapping[int, Reply] = {
    400: _said(400, "ErrorInvalidRequest"),
    401: _said(401, "InvalidAuthenticationToken"),
    403: _said(403, "ErrorAccessDenied"),
    404: _said(404, "ErrorItemNotFound"),
    410: _said(410, "syncStateNotFound"),
    429: _said(429, "ApplicationThrottled"),
}


def graph_route(verb: str, target: str, body: bytes) -> str:
    """Method and path without ids; of a batch what its first request asks for."""
    path = urlsplit(target).path
    if path.endswith("/$batch"):
        return f"batch of {graph_route('GET', json.loads(body)['requests'][0]['url'], b'')}"
    parts = path.removeprefix("/v1.0").split("/")
    of = " with texts" if "select=id,body" in target else ""
    return f"{verb} {'/'.join('*' if _ID.fullmatch(unquote(part)) else part for part in parts)}{of}"


class _Story(Story):
    """Graph and Entra with a gateway before each."""

    def begin(self) -> None:
        self.graph = self.stack.enter_context(FakeGraph(self.clock))
        self.authority = self.stack.enter_context(entra_server(self.tls.served, self.clock))
        self.authority.redirect_uris = {BACK}
        self.services = self.gateway("graph", self.graph.root, graph_route, GRAPH_WORDS)
        self.tokens = self.gateway("tokens", self.authority.url, authority_route, AUTHORITY_WORDS)
        self.authority.url = self.tokens.url
        self.authority.person.address = REP
        self.authority.on_issue = self._issued
        back = self.stack.enter_context(callbacks())
        self.graph.subscriptions.reach = lambda _url: back
        self.fill()

    def _issued(self, token: str, address: str, scopes: frozenset[str]) -> None:
        self.graph.accept(token, address, frozenset({"CallRecords.Read.All"}) if not address else scopes)

    def fill(self) -> None:
        raise NotImplementedError

    def settings(self, settings: Settings) -> dict[str, Any]:
        (self.home / "secret").write_text("s3cret\n", encoding="utf-8")
        microsoft = MicrosoftSettings(
            tenant=TENANT, client_id="client", client_secret_file=self.home / "secret", login_url=self.tokens.url,
            graph_url=f"{self.services.url}/v1.0",
        )  # fmt: skip
        web = settings.web.model_copy(update={"public_url": "https://capture.ours.example"})
        return {"microsoft": microsoft, "web": web}

    def servers(self) -> list[tuple[Any, tuple[str, ...]]]:
        return [
            (self.graph, ("mailboxes", "calls", "_logins")),
            (self.graph.links, ("_marks", "_epoch", "_refusals")),
            (self.graph.subscriptions, ("held", "_numbers")),
            (self.authority, ("_codes", "_grants", "_numbers", "issued", "_public")),
        ]

    def imported(self) -> None:
        self.caught_up()

    def prolonged(self) -> None:
        self.watched()


class MicrosoftStory(_Story):
    moments = (
        ("connected", timedelta()),
        ("previewed", timedelta(days=3)),
        ("imported", timedelta(days=6)),
        ("watched", timedelta(days=9)),
        ("prolonged", timedelta(days=13)),
        ("forgotten", timedelta(days=17)),
        ("unwatched", timedelta(days=20)),
        ("changed", timedelta(days=23)),
        ("counted", timedelta(days=26)),
        ("expired", timedelta(days=29)),
        ("listed_anew", timedelta(days=32)),
    )

    def connect(self) -> int:
        wanted = Wanted(REP, "microsoft", level="full", account_id=self.account_id or None)
        asked = question(self.app, wanted, BACK)
        return answered(self.app, wanted, self.authority.consent(asked.url), asked).connected.account_id

    @property
    def mailbox(self) -> FakeMailbox:
        return self.graph.mailboxes[REP]

    def fill(self) -> None:
        self.graph.add_mailbox(REP)
        projects = self.mailbox.add_folder("Projecten", "inbox")
        self.mailbox.add_calendar("Verkoop")
        self.mailbox.add_calendar("Feestdagen", can_edit=False)
        for number in range(6):
            self._mail(number, "inbox")
        self._mail(6, "sentitems")
        self._mail(7, projects)
        self.mailbox.add(message(8, toRecipients="unreadable"), "inbox", 8)
        calendar = self.mailbox.calendar
        for number in range(3):
            calendar.add(self._meeting(number))
        weeks = [BEGINS + timedelta(weeks=week, hours=3) for week in range(3)]
        self._series = calendar.add_series(self._meeting(20, starts=weeks[0]), weeks)
        calendar.replace(self._series, weeks[1], subject="another", start=_at(weeks[1] + timedelta(hours=1)),
                         end=_at(weeks[1] + timedelta(hours=2)))  # fmt: skip
        self._weeks = weeks

    def _mail(self, number: int, folder: str) -> None:
        kim = person(KIM, "Kim")
        told = message(number, **{"from": kim, "sender": kim, "toRecipients": [person(REP)]})
        self.mailbox.add(told, folder, number)

    def _meeting(self, number: int, **more: Any) -> dict[str, Any]:
        people = {
            "organizer": person(REP),
            "attendees": [attendee(REP, "organizer"), attendee(KIM, "accepted")],
        }
        return event(number, f"review {number}", **people, **more)

    def news(self) -> None:
        self._mail(90, "inbox")
        first = next(id_ for id_ in self.mailbox.calendar.events if id_ != self._series)
        self.mailbox.calendar.edit(first, subject="and once more")

    def previewed(self) -> None:
        for _ in range(40):
            preview = self.insist(lambda: take_preview(self.app, self.account_id))
            if all(each.total is not None and (each.by_year or not each.total) for each in preview.channels):
                break
            self.clock.advance(timedelta(minutes=1))
        assert {each.name: each.total for each in preview.channels if each.total} == {
            "Postvak IN": 7, "Verzonden items": 1, "Postvak IN/Projecten": 1, "Agenda": 4,
        }  # fmt: skip
        self.reconnect_if_asked()

    def forgotten(self) -> None:
        """Graph has forgotten its subscriptions when they are to be prolonged."""
        self.graph.subscriptions.held.clear()
        self.watched()

    def changed(self) -> None:
        mailbox, calendar = self.mailbox, self.mailbox.calendar
        for number in range(30, 32):
            self._mail(number, "inbox")
        mailbox.edit(1, isRead=True)
        mailbox.remove(2)
        mailbox.move(3, "sentitems")
        singles = [id_ for id_ in calendar.events if id_ != self._series]
        calendar.edit(singles[0], subject="moved")
        calendar.remove(singles[1])
        calendar.take_out(self._series, self._weeks[2])
        calendar.add(self._meeting(40))
        self.caught_up()

    def expired(self) -> None:
        self._mail(50, "inbox")
        self.mailbox.calendar.add(self._meeting(50))
        self.graph.links.expire()
        self.caught_up()


class CallsStory(_Story):
    moments = (
        ("connected", timedelta()),
        ("imported", timedelta(days=3)),
        ("watched", timedelta(days=6)),
        ("prolonged", timedelta(days=10)),
        ("unwatched", timedelta(days=13)),
        ("changed", timedelta(days=16)),
        ("counted", timedelta(days=19)),
        ("listed_anew", timedelta(days=22)),
    )

    def connect(self) -> int:
        options = {"reps": [f"{CALL_REP}={REP}"]}
        if not any(row.connector == "files" for row in self._rows(Account)):
            has_an_account(self.app, REP)
        wanted = Wanted(REP, "microsoft-calls", account_id=self.account_id or None, options=options)
        return connect_delegated(self.app, wanted, "").connected.account_id

    def fill(self) -> None:
        for number in range(6):
            self._call(number)

    def _call(self, number: int, version: int = 1) -> None:
        began = BEGINS - timedelta(hours=number)
        talked = timedelta(seconds=60 + version)
        self.graph.calls[f"call-{number}"] = call_record(number, CALL_REP, began, talked, version=version)

    def _called_now(self, number: int) -> None:
        began = self.clock.now() - timedelta(minutes=30)
        self.graph.calls[f"call-{number}"] = call_record(number, CALL_REP, began, timedelta(seconds=77))

    def news(self) -> None:
        self._called_now(90)

    def changed(self) -> None:
        self._called_now(20)
        self._called_now(21)
        self.caught_up()


def _at(moment: Any) -> dict[str, str]:
    return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}
