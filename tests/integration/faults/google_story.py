"""A rep's mailbox and calendars at Google, from consent to revocation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.connectors.google.test_calendars import exception, meeting, series
from tests.integration.capture.deployment import PEOPLE
from tests.integration.faults.authority import AUTHORITY_WORDS, authority_route
from tests.integration.faults.story import BEGINS, Story
from tests.peers.pubsub import SUBSCRIPTION, FakePubSub, pubsub_server

from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.model.accounts import Credential
from autocapture.sections import GoogleSettings, PushSettings
from autocapture.service.puller import Puller
from autocapture.settings import Settings
from autocapture.store.engine import reading
from autocapture.testing.fakes.authorization_server import authorization_server
from autocapture.testing.fakes.gateway import Kind, Reply, Site
from autocapture.testing.fakes.google import Calendar, FakeGoogle, User
from autocapture.testing.fakes.google.answers import Answer, Refusal, Request
from autocapture.testing.fakes.google.routes import find
from autocapture.workflows.capture import due_accounts
from autocapture.workflows.granting import Wanted, answered, question
from autocapture.workflows.preview import take_preview

REP = PEOPLE[0]
BACK = "http://127.0.0.1:8000/back"
KIM = "Kim <kim@customer.example>"
VISITS = "visits@group.calendar.google.com"
TOPIC = "projects/our-project/topics/gmail"
_INNER = re.compile(rb"^([A-Z]+) (\S+) HTTP/1\.1", re.MULTILINE)


def _said(answer: Answer) -> Reply:
    return Reply(answer.status, answer.body, answer.headers)


GOOGLE_WORDS: Mapping[int, Reply] = {
    status: _said(Refusal(status, reason, message, domain=domain).answer())
    for status, reason, message, domain in (
        (400, "invalid", "Invalid value.", "global"),
        (401, "authError", "Invalid Credentials", "global"),
        (403, "insufficientPermissions", "Request had insufficient authentication scopes.", "global"),
        (404, "notFound", "Requested entity was not found.", "global"),
        (410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.", "calendar"),
        (429, "rateLimitExceeded", "Too many concurrent requests for user.", "usageLimits"),
    )
}


def google_route(verb: str, target: str, body: bytes) -> str:
    """The method as Google calls it; of a batch that of its first request."""
    if target.startswith("/batch"):
        inner = _INNER.search(body)
        assert inner is not None
        return f"batch of {google_route(inner[1].decode(), inner[2].decode(), b'')}"
    route, _ = find(Request(verb, target))
    return f"{route.method} with texts" if "format=full" in target else route.method


def pubsub_route(_verb: str, target: str, _body: bytes) -> str:
    return target.rpartition(":")[2]


class GoogleStory(Story):
    moments = (
        ("connected", timedelta()),
        ("previewed", timedelta(days=3)),
        ("imported", timedelta(days=6)),
        ("watched", timedelta(days=9)),
        ("prolonged", timedelta(days=13)),
        ("notified", timedelta(days=16)),
        ("unwatched", timedelta(days=19)),
        ("changed", timedelta(days=22)),
        ("counted", timedelta(days=25)),
        ("expired", timedelta(days=28)),
        ("listed_anew", timedelta(days=31)),
        ("revoked", timedelta(days=34)),
    )

    def begin(self) -> None:
        self.google = self.stack.enter_context(FakeGoogle(self.clock))
        self.authority = self.stack.enter_context(authorization_server(self.clock))
        self.authority.redirect_uris = {BACK}
        self.pubsub: FakePubSub = self.stack.enter_context(pubsub_server())
        self.services = self.gateway("google", self.google.url, google_route, GOOGLE_WORDS)
        self.tokens = self.gateway("tokens", self.authority.url, authority_route, AUTHORITY_WORDS)
        self.notices = self.gateway("pubsub", self.pubsub.url, pubsub_route, GOOGLE_WORDS)
        self.authority.url = self.tokens.url
        self.authority.person.address, self.authority.person.subject = REP, "sub-1"
        self.authority.on_issue = self._issued
        self._fill()

    def _issued(self, token: str, address: str, scopes: frozenset[str]) -> None:
        self.google.accept(token, address, scopes)
        self.pubsub.tokens.append(token)

    def settings(self, settings: Settings) -> dict[str, Any]:
        (self.home / "secret").write_text("s3cret\n", encoding="utf-8")
        key = self.authority.service_accounts.make_key("reader@our-project.iam")
        (self.home / "pubsub.json").write_text(json.dumps(key))
        url = self.tokens.url
        google = GoogleSettings(
            client_id="client", client_secret_file=self.home / "secret", issuer=url, authorize_url=f"{url}/authorize",
            token_url=f"{url}/token", keys_url=f"{url}/keys", revoke_url=f"{url}/revoke", gmail_url=self.services.url,
            calendar_url=f"{self.services.url}/calendar/v3",
        )  # fmt: skip
        push = PushSettings(
            gmail_topic=TOPIC, gmail_sender="push@our-project.iam", gmail_subscription=SUBSCRIPTION,
            pubsub_account_file=self.home / "pubsub.json", pubsub_url=self.notices.url,
        )  # fmt: skip
        web = settings.web.model_copy(update={"public_url": "https://capture.ours.example"})
        return {"google": google, "push": push, "web": web}

    def connect(self) -> int:
        wanted = Wanted(REP, "google", level="full", account_id=self.account_id or None)
        asked = question(self.app, wanted, BACK)
        return answered(self.app, wanted, self.authority.consent(asked.url), asked).connected.account_id

    def applies(self, kind: Kind, site: Site) -> bool:
        """Where a grant is taken back, nothing is what a provider answers (RFC 7009, 2.2), and Google an empty object."""
        rightly = "revoke" in site.route and kind.name in ("200 with nothing", "200 with an empty object")
        return not rightly and super().applies(kind, site)

    def servers(self) -> list[tuple[Any, tuple[str, ...]]]:
        return [
            (self.google, ("users", "_tokens", "_given")),
            (self.authority, ("_codes", "_grants", "_numbers", "issued")),
            (self.pubsub, ("waiting", "tokens")),
        ]

    @property
    def user(self) -> User:
        return self.google.users[REP]

    @property
    def own(self) -> Calendar:
        return self.user.calendars[REP]

    @property
    def visits(self) -> Calendar:
        return self.user.calendars[VISITS]

    # what the rep has

    def _fill(self) -> None:
        visits = Calendar(VISITS, "Visits", self.google.step)
        boss = Calendar("boss@ours.example", "Boss", self.google.step, role="reader")
        self.google.add_user(REP, calendars=(visits, boss))
        for number in range(6):
            self._mail(number)
        self.user.mailbox.receive([("Subject", "a draft")], BEGINS, labels={"DRAFT"})
        for number in range(4):
            self.own.put(self._meeting(f"review{number}"))
        self.own.put(self._meeting("weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"]))
        self.own.put(exception("weekly", **self._guests()))
        self.visits.put(self._meeting("visit"))
        self.visits.put(self._meeting("odd", start={"dateTime": "1500-01-01T00:00:00Z"}))
        self.visits.put(series("alone", **self._guests()))

    def _mail(self, number: int) -> str:
        at = BEGINS - timedelta(hours=number)
        headers = [
            ("From", KIM), ("To", REP), ("Subject", f"number {number}"), ("Message-ID", f"<{number}@customer.example>"),
            ("Date", f"{at:%a, %d %b %Y %H:%M:%S} +0000"),
        ]  # fmt: skip
        return self.user.mailbox.receive(headers, at, text=f"text {number}").id

    def _guests(self) -> dict[str, Any]:
        guests = [
            {"email": REP, "self": True, "organizer": True, "responseStatus": "accepted"},
            {"email": "kim@customer.example", "responseStatus": "accepted"},
        ]
        booked = "2026-11-02T08:00:00Z"
        return {
            "organizer": {"email": REP, "self": True},
            "attendees": guests,
            "created": booked,
            "updated": booked,
        }

    def _meeting(self, name: str, **more: Any) -> dict[str, Any]:
        return meeting(name, **{**self._guests(), **more})

    # what happens

    def news(self) -> None:
        self._mail(90)
        self.own.put(self._meeting("review3", summary="and once more"))
        self.visits.put(self._meeting("last"))

    def previewed(self) -> None:
        for _ in range(20):
            preview = self.insist(lambda: take_preview(self.app, self.account_id))
            if all(each.total is not None for each in preview.channels):
                break
            self.clock.advance(timedelta(minutes=1))
        assert [each.total for each in preview.channels] == [7, 6, 3]
        self.reconnect_if_asked()

    def imported(self) -> None:
        self.caught_up()

    def changed(self) -> None:
        mailbox, first = self.user.mailbox, next(iter(self.user.mailbox.messages))
        for number in range(20, 22):
            self._mail(number)
        mailbox.delete(first)
        mailbox.label(list(mailbox.messages)[2], "TRASH")
        mailbox.unlabel(list(mailbox.messages)[3], "UNREAD")
        self.own.put(self._meeting("review1", summary="moved"))
        self.own.cancel("review2")
        self.own.cancel("weekly_20261123T090000Z")
        gone = exception("alone", **self._guests())
        del gone["iCalUID"]
        self.visits.put(gone)
        self.caught_up()

    def expired(self) -> None:
        self._mail(30)
        self.own.put(self._meeting("later"))
        self.user.mailbox.forget_history()
        for calendar in (self.own, self.visits):
            calendar.expire_tokens()
        self.caught_up()

    def prolonged(self) -> None:
        self.watched()

    def notified(self) -> None:
        self._mail(40)
        self.clock.advance(timedelta(seconds=30))
        self.pubsub.publish(json.dumps({"emailAddress": REP, "historyId": 1}).encode())
        while self.pubsub.waiting:
            self.insist(Puller(self.app).pull_once)
        assert self.account_id in due_accounts(self.app)
        self.caught_up()

    def revoked(self) -> None:
        """What is to be done before a grant is forgotten here."""
        with reading(self.app.engine) as session:
            sealed = session.get_one(Credential, self.account_id).sealed
        grant = open_credential(self.app.vault, self.account_id, sealed)
        assert isinstance(grant, StoredGrant)
        assert self.insist(lambda: self.app.clients.get("google").revoke(grant.refresh_token))
        assert self.authority._grants.get(grant.refresh_token) is None
        self.insist(self.connect)
