"""The whole of the fake: who is let in, what is asked too often, what fails on purpose, and who answers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from autocapture.clock import Clock, FixedClock
from autocapture.testing.fakes.microsoft.calendar_answers import answer_calendar
from autocapture.testing.fakes.microsoft.call_answers import answer_calls, kept
from autocapture.testing.fakes.microsoft.changes import Links, refusal
from autocapture.testing.fakes.microsoft.http import Json, Request, Response, Server
from autocapture.testing.fakes.microsoft.mail_answers import NOT_FOUND, answer_mail
from autocapture.testing.fakes.microsoft.mailbox import FakeMailbox
from autocapture.testing.fakes.microsoft.session import Login, Session
from autocapture.testing.fakes.microsoft.subscriptions import Subscriptions

NO_TOKEN = refusal(401, "InvalidAuthenticationToken", "Access token is empty or has expired.")
NO_MAILBOX = refusal(
    404,
    "MailboxNotEnabledForRESTAPI",
    "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
)
MOST_IN_A_BATCH = 20
_MAIL = frozenset({"mailFolders", "messages"})


@dataclass(slots=True)
class Failure:
    """Answers to the next `times` requests whose address matches. `after`: the request is worked on all the same."""

    pattern: re.Pattern[str]
    response: Response
    times: int
    after: bool


class FakeGraph(AbstractContextManager["FakeGraph"]):
    """`requests` counts what came over HTTP, `asked` remembers all of it and what lay in batches."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or FixedClock(datetime(2026, 11, 16, 9, tzinfo=UTC))
        self.mailboxes: dict[str, FakeMailbox] = {}
        self.calls: dict[str, Json] = {}
        self.links = Links()
        self.subscriptions = Subscriptions(self.clock)
        self.requests = 0
        self.asked: list[Request] = []
        self.left: int | None = None
        """Requests that are still let through before 429, or None where there is no end."""
        self.at_once: int | None = None
        """How many requests of one batch Outlook works on; the others are turned away."""
        self.wait = "17"
        self.judge: Callable[[Request, Response], None] = lambda _request, _response: None
        """Told of every request and its answer, those within batches too."""
        self._logins: dict[str, Login] = {}
        self._failures: list[Failure] = []
        self._tokens = itertools.count(1)
        self._act: Callable[[], None] | None = None
        self._steps_left = 0
        self._defects: list[Exception] = []
        self._lock = RLock()
        self._server = Server(self._handle)

    def __exit__(self, *_: object) -> None:
        """Raises the first defect of the fake's own, which its clients took for a server's."""
        self._server.close()
        if self._defects:
            raise self._defects[0]

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1.0"

    def add_mailbox(self, address: str) -> FakeMailbox:
        self.mailboxes[address] = FakeMailbox(address)
        return self.mailboxes[address]

    def sign_in(self, address: str, scopes: set[str]) -> str:
        """A token for a person's own mailbox."""
        return self._let_in(Login(address, frozenset(scopes)))

    def sign_in_application(self, scopes: set[str], reaches: set[str] | None = None) -> str:
        """A token of an application, which reaches every mailbox unless its reach is limited."""
        return self._let_in(
            Login("", frozenset(scopes), frozenset(self.mailboxes if reaches is None else reaches))
        )

    def accept(
        self, token: str, address: str, scopes: frozenset[str], reaches: frozenset[str] = frozenset()
    ) -> None:
        """Takes a token that an authorization server gave out; without an address it is the application's own."""
        self._logins[token] = Login(address, scopes, reaches)

    def _let_in(self, login: Login) -> str:
        token = f"token{next(self._tokens)}"
        self._logins[token] = login
        return token

    def withdraw(self, token: str) -> None:
        self._logins.pop(token, None)

    def fail(self, response: Response, *, where: str = "", times: int = 1, after: bool = False) -> None:
        self._failures.append(Failure(re.compile(where), response, times, after))

    def forget_failures(self) -> int:
        """How many of those planned did not come to pass."""
        left = sum(failure.times for failure in self._failures)
        self._failures.clear()
        return left

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self._act, self._steps_left = act, nth

    def step(self) -> None:
        """A place inside a request where the world may change."""
        self._steps_left -= 1
        if self._act is not None and self._steps_left <= 0:
            act, self._act = self._act, None
            act()

    def _handle(self, request: Request) -> Response:
        with self._lock:
            self.requests += 1
            try:
                response = self._answered(request)
                self.judge(request, response)
            except Exception as defect:
                self._defects.append(defect)
                return refusal(500, "InternalServerError")
            return response

    def _answered(self, request: Request) -> Response:
        if request.path[-1:] == ("$batch",) and request.verb == "POST":
            return self._planned(request, lambda: self._batch(request))
        self.asked.append(request)
        return self._planned(request, lambda: self._one(request))

    def _planned(self, request: Request, work: Callable[[], Response]) -> Response:
        """What was planned to fail does, the first plan that fits; anything else is worked on."""
        for failure in self._failures:
            if failure.times > 0 and failure.pattern.search(request.target):
                failure.times -= 1
                if failure.after:
                    work()
                return failure.response
        return work()

    def _one(self, request: Request) -> Response:
        login = self._logins.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if login is None:
            return NO_TOKEN
        if self.left is not None:
            if self.left <= 0:
                return refusal(
                    429, "ApplicationThrottled", "Application is over its limit.", Retry_After=self.wait
                )
            self.left -= 1
        request = replace(request, root=self.root, path=(*request.path[:-1], *map(_plain, request.path[-1:])))
        session = Session(login, self.links, self.root, self.step)
        match list(request.path):
            case [_, "subscriptions", *rest]:
                return self.subscriptions.answer(login, request, rest[0] if rest else None)
            case [_, "communications", "callRecords", *rest]:
                return answer_calls(session, kept(self.calls, self.clock.now()), request, rest)
            case [_, "me", *rest] if not login.is_application:
                return self._of_mailbox(session, login.address, request, rest)
            case [_, "users", address, *rest]:
                if address != login.address and address not in login.reaches:
                    return refusal(403, "ErrorAccessDenied", "Access to OData is disabled.")
                return self._of_mailbox(session, address, request, rest)
            case _:
                return refusal(400, "BadRequest", "Resource not found for the segment.")

    def _of_mailbox(self, session: Session, address: str, request: Request, rest: list[str]) -> Response:
        mailbox = self.mailboxes.get(address)
        if mailbox is None or mailbox.is_closed:
            return NO_MAILBOX
        if request.verb != "GET":
            return refusal(405, "MethodNotAllowed", "This mailbox is only read.")
        if not rest:
            return NOT_FOUND
        work = answer_mail if rest[0] in _MAIL else answer_calendar
        return work(session, mailbox, request, rest)

    def _batch(self, request: Request) -> Response:
        """Each by itself; the answers come in another order than the questions."""
        inner: list[Mapping[str, Any]] = request.body.get("requests", [])
        if not 0 < len(inner) <= MOST_IN_A_BATCH:
            return refusal(400, "BadRequest", "A batch holds at most 20 requests.")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._logins:
            return NO_TOKEN
        answers = []
        for number, each in enumerate(inner):
            headers = {**each.get("headers", {}), "authorization": request.headers["authorization"]}
            asked = Request.of(each["method"], f"/v1.0{each['url']}", headers, {})
            self.asked.append(asked)
            if self.at_once is not None and number >= self.at_once:
                answer = refusal(429, "ApplicationThrottled", "MailboxConcurrency limit", Retry_After="1")
            else:
                answer = self._planned(asked, lambda asked=asked: self._one(asked))  # type: ignore[misc]
                self.judge(asked, answer)
            answers.append(
                {
                    "id": each["id"],
                    "status": answer.status,
                    "headers": dict(answer.headers),
                    "body": answer.body,
                }
            )
        return Response(200, {"responses": answers[::-1]})


def _plain(segment: str) -> str:
    """A function by its short name, as it may be asked for: the vendor's own clients write delta()."""
    return segment.removesuffix("()").removeprefix("microsoft.graph.") if segment.endswith("()") else segment
