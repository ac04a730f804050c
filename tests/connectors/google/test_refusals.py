"""What each refusal of Google means: status and body to the error that says who must act."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from tests.connectors.google.account import CALENDARS, MAIL, MAILBOX, PRIMARY

from autocapture.clock import FixedClock
from autocapture.connector import Connection, Grant, Tools
from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    CredentialRejected,
    CursorExpired,
    RateLimited,
    ScopeMissing,
    SetupError,
    Unreachable,
)
from autocapture_google import GoogleOptions, connector

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
SECRET = "buyer@customer.example"
MAIL_CURSOR = '{"v":1,"id":"99","page":null,"skip":0,"list":null}'
LISTING = '{"v":1,"id":"99","page":null,"skip":0,"list":"bmV4dA=="}'
EVENT_CURSOR = '{"v":1,"sync":"token","page":null,"size":250}'


def body(reason: str, message: str = f"about {SECRET}", **more: Any) -> bytes:
    errors = [{"domain": "global", "reason": reason, "message": message}] if reason else []
    return json.dumps({"error": {"code": 0, "message": message, "errors": errors, **more}}).encode()


def info(reason: str) -> bytes:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
    }
    return json.dumps({"error": {"code": 403, "message": "no", "details": [detail]}}).encode()


@dataclass
class Scripted:
    """A session that gives the answers in their order, the last one for ever."""

    answers: Sequence[tuple[int, bytes, dict[str, str]]]
    tokens: list[str] = field(default_factory=list)

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def request(self, method: str, url: str, headers: dict[str, str], **_: object) -> requests.Response:
        status, content, more = self.answers[min(len(self.tokens), len(self.answers) - 1)]
        self.tokens.append(headers["authorization"])
        response = requests.Response()
        response.status_code, response._content, response.url = status, content, url
        response.headers.update({"Content-Type": "application/json", **more})
        return response


def asked(session: Scripted, ask: Callable[[Connection], object]) -> object:
    given = iter(["first", "second", "third"])
    current = ["none"]

    def access_token(fresh: bool) -> str:
        if fresh or current[0] == "none":
            current[0] = next(given)
        return current[0]

    grant = Grant("subject", "rep@ours.example", MAIL | CALENDARS, access_token)
    tools = Tools(FixedClock(NOW), since=date(2026, 1, 1), http=lambda: session)  # type: ignore[arg-type, return-value]
    with connector.open(GoogleOptions(), grant, tools) as connection:
        return ask(connection)


EVERYWHERE: list[tuple[int, bytes, dict[str, str], type[AutocaptureError]]] = [
    (429, body("rateLimitExceeded"), {}, RateLimited),
    (429, b"", {}, RateLimited),
    (403, body("rateLimitExceeded"), {}, RateLimited),
    (403, body("userRateLimitExceeded"), {}, RateLimited),
    (403, body("quotaExceeded"), {}, RateLimited),
    (403, body("dailyLimitExceeded"), {}, RateLimited),
    (403, info("RATE_LIMIT_EXCEEDED"), {}, RateLimited),
    (503, b"", {"Retry-After": "30"}, RateLimited),
    (503, b"<html>busy</html>", {}, Unreachable),
    (500, body("backendError"), {}, Unreachable),
    (502, b"", {}, Unreachable),
    (504, b"half a docum", {}, Unreachable),
    (401, body("authError"), {}, CredentialRejected),
    (403, body("insufficientPermissions"), {}, ScopeMissing),
    (403, info("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), {}, ScopeMissing),
    (403, body("forbidden", "Metadata scope does not support 'q' parameter"), {}, ScopeMissing),
    (403, body("accessNotConfigured"), {}, SetupError),
    (403, info("SERVICE_DISABLED"), {}, SetupError),
    (403, body("domainPolicy"), {}, SetupError),
    (400, body("failedPrecondition"), {}, Unreachable),
    (400, body("failedPrecondition", "Mail service not enabled"), {}, ChannelGone),
    (400, body("", "Precondition check failed.", status="FAILED_PRECONDITION"), {}, Unreachable),
    (302, b"", {"Location": "https://elsewhere.example"}, Unreachable),
    (418, b"", {}, Unreachable),
    (200, b"<html>Sign in</html>", {}, Unreachable),
    (200, b"[]", {}, Unreachable),
    (403, b"[]", {}, Unreachable),
    (403, b'{"error": 7}', {}, Unreachable),
    (404, b"null", {}, Unreachable),
    (404, b"<html>no such page</html>", {}, Unreachable),
    (410, b"", {}, Unreachable),
    (400, b"", {}, Unreachable),
    (403, b"<html>the proxy forbids it</html>", {}, Unreachable),
    (200, b"", {}, Unreachable),
    (200, b"[" * 100_000, {}, Unreachable),
]


@pytest.mark.parametrize(("status", "content", "headers", "meant"), EVERYWHERE)
@pytest.mark.parametrize("service", ["mail", "calendar"])
def test_a_refusal_anywhere(
    service: str, status: int, content: bytes, headers: dict[str, str], meant: type[AutocaptureError]
) -> None:
    channel = MAILBOX if service == "mail" else PRIMARY
    with pytest.raises(meant) as told:
        asked(Scripted([(status, content, headers)]), lambda c: c.pull(channel, None, limit=10))
    assert type(told.value) is meant
    assert SECRET not in str(told.value)
    assert "http" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "reason", "cursor", "meant"),
    [
        (404, "notFound", MAIL_CURSOR, CursorExpired),
        (404, "", MAIL_CURSOR, CursorExpired),
        (400, "invalidArgument", MAIL_CURSOR, CursorExpired),
        (404, "notFound", EVENT_CURSOR, ChannelGone),
        (410, "fullSyncRequired", EVENT_CURSOR, CursorExpired),
        (410, "updatedMinTooLongAgo", EVENT_CURSOR, CursorExpired),
        (410, "", EVENT_CURSOR, CursorExpired),
        (400, "invalid", EVENT_CURSOR, CursorExpired),
        (403, "forbidden", EVENT_CURSOR, ChannelGone),
        (403, "requiredAccessLevel", EVENT_CURSOR, ChannelGone),
        (403, "forbidden", MAIL_CURSOR, ScopeMissing),
    ],
)
def test_a_refusal_of_a_cursor(status: int, reason: str, cursor: str, meant: type[AutocaptureError]) -> None:
    channel = PRIMARY if cursor == EVENT_CURSOR else MAILBOX
    with pytest.raises(meant):
        asked(Scripted([(status, body(reason), {})]), lambda c: c.pull(channel, cursor, limit=10))


def test_a_token_of_a_listing_that_gmail_no_longer_knows_begins_a_new_one() -> None:
    quiet = (200, b'{"historyId": "99"}', {})
    nothing = (200, b'{"resultSizeEstimate": 0}', {})
    refused = (400, body("invalidArgument"), {})
    with pytest.raises(CursorExpired):
        asked(Scripted([quiet, nothing, nothing, refused]), lambda c: c.pull(MAILBOX, LISTING, limit=10))


def test_an_answer_that_tells_no_size_is_not_taken_for_an_empty_mailbox() -> None:
    quiet = (200, b'{"historyId": "99"}', {})
    with pytest.raises(Unreachable, match="no listing"):
        asked(Scripted([quiet, (200, b"{}", {})]), lambda c: c.pull(MAILBOX, LISTING, limit=10))


@pytest.mark.parametrize(
    ("header", "message", "wait"),
    [
        ("17", "", timedelta(seconds=17)),
        ("0", "", timedelta(seconds=1)),
        ("1000000000", "", timedelta(hours=1)),
        ("Mon, 16 Nov 2026 09:02:00 GMT", "", timedelta(minutes=2)),
        (None, "User-rate limit exceeded.  Retry after 2026-11-16T09:05:00.000Z", timedelta(minutes=5)),
        (None, "User-rate limit exceeded.  Retry after 2026-11-16T08:00:00.000Z", timedelta(seconds=1)),
        ("soon", "", None),
        (None, "", None),
    ],
)
def test_how_long_to_wait(header: str | None, message: str, wait: timedelta | None) -> None:
    headers = {} if header is None else {"Retry-After": header}
    answer = (429, body("userRateLimitExceeded", message), headers)
    with pytest.raises(RateLimited) as told:
        asked(Scripted([answer]), lambda c: c.pull(MAILBOX, MAIL_CURSOR, limit=10))
    assert told.value.retry_after == wait


def test_a_refused_token_is_replaced_once() -> None:
    session = Scripted([(401, body("authError"), {}), (200, b'{"historyId": "99"}', {})])
    asked(session, lambda c: c.pull(MAILBOX, MAIL_CURSOR, limit=10))
    assert session.tokens == ["Bearer first", "Bearer second"]
    session = Scripted([(401, body("authError"), {})])
    with pytest.raises(CredentialRejected):
        asked(session, lambda c: c.pull(MAILBOX, MAIL_CURSOR, limit=10))
    assert session.tokens == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"{}", {"Content-Type": "application/json"}),
        (200, b"", {"Content-Type": "multipart/mixed; boundary=b"}),
        (
            200,
            b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b--",
            {"Content-Type": "multipart/mixed; boundary=b"},
        ),
        (200, b"\xff\xfe", {"Content-Type": "multipart/mixed; boundary=b"}),
        (
            200,
            b"--b\r\nContent-ID: <response-x + a>\r\n\r\nnonsense\r\n--b--",
            {"Content-Type": "multipart/mixed; boundary=b"},
        ),
        (500, b"", {}),
        (502, b"<html>", {}),
    ],
)
def test_a_batch_that_cannot_be_understood_is_a_fault_of_the_server(
    answer: tuple[int, bytes, dict[str, str]],
) -> None:
    with pytest.raises(Unreachable):
        asked(Scripted([answer]), lambda c: c.get(MAILBOX, ["a", "b"]))


def test_a_user_without_google_calendar_has_a_mailbox_all_the_same() -> None:
    session = Scripted([(403, body("notACalendarUser"), {})])
    channels = asked(session, lambda c: [channel.id for channel in c.channels()])
    assert channels == ["mailbox"]


@pytest.mark.parametrize("content", [body("forbidden"), f"<html>{SECRET}</html>".encode(), b"[]"])
def test_what_a_refusal_says_is_not_logged(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(AutocaptureError):
        asked(Scripted([(403, content, {})]), lambda c: c.pull(MAILBOX, MAIL_CURSOR, limit=10))
    assert SECRET not in caplog.text
    assert "historyTypes" not in caplog.text
