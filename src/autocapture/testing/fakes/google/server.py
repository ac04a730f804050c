"""Gmail and Google Calendar on loopback: real enough that Google's own client library runs against it unchanged.

with FakeGoogle() as google:
    user = google.add_user("rep@ours.example")
    user.mailbox.receive([("Subject", "hello")], received_at)
    grant = google.grant("rep@ours.example", scopes)
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from autocapture.clock import Clock, SystemClock
from autocapture.connector import Grant
from autocapture.testing.fakes.google import batch
from autocapture.testing.fakes.google.answers import Answer, Refusal, Request, answered, masked
from autocapture.testing.fakes.google.calendars import Calendar
from autocapture.testing.fakes.google.mailbox import Mailbox
from autocapture.testing.fakes.google.quota import Quota
from autocapture.testing.fakes.google.routes import Call, Route, find
from autocapture.testing.fakes.source import Source

FAULTS = ("reset", "answer_lost", "truncated", "html", "unauthorized", "limited", "failed", "unavailable")


@dataclass(slots=True)
class User:
    address: str
    mailbox: Mailbox
    calendars: dict[str, Calendar] = field(default_factory=dict)


@dataclass(slots=True)
class _Token:
    user: User
    scopes: frozenset[str]


class FakeGoogle(Source, AbstractContextManager["FakeGoogle"]):
    """Both services, any number of users. Faults come when `break_next` asks for them, limits when `quota` has some."""

    def __init__(self, clock: Clock | None = None, *, record: bool = False) -> None:
        super().__init__()
        self.clock = clock or SystemClock()
        self.quota = Quota(lambda: self.clock.monotonic())
        self.users: dict[str, User] = {}
        self.calls: Counter[str] = Counter()
        """Requests by method, those within batches too."""
        self.exchanges: list[tuple[Request, Answer]] | None = [] if record else None
        self.at_once = 50
        """Calls of one user in one batch that are answered; those beyond are too many at once."""
        self._tokens: dict[str, _Token] = {}
        self._given = 0
        self._faults: list[tuple[int, str]] = []
        self._lock = threading.RLock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FakeGoogle:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def add_user(self, address: str, *, calendars: tuple[Calendar, ...] = ()) -> User:
        """A user with an empty mailbox and a primary calendar."""
        own = Calendar(address, address, self.step, primary=True)
        user = User(address, Mailbox(address, self.step), {each.id: each for each in (own, *calendars)})
        self.users[address] = user
        return user

    def grant(self, address: str, scopes: frozenset[str]) -> Grant:
        """What the user granted. Each token is good until a fresh one is asked for, or `revoke_tokens`."""
        current = [self._new_token(address, scopes)]

        def access_token(fresh: bool) -> str:
            if fresh:
                current[0] = self._new_token(address, scopes)
            return current[0]

        return Grant(f"subject-of-{address}", address, scopes, access_token)

    def accept(self, token: str, address: str, scopes: frozenset[str]) -> None:
        """Takes a token that an authorization server gave out."""
        with self._lock:
            if address in self.users:
                self._tokens[token] = _Token(self.users[address], scopes)

    def revoke_tokens(self) -> None:
        """Tokens given out so far are refused, as after an hour."""
        with self._lock:
            self._tokens.clear()

    def break_next(self, fault: str, nth: int = 1) -> None:
        """The nth request from now on fails in the way named: see `FAULTS`."""
        if fault not in FAULTS:
            raise ValueError(f"there is no fault {fault!r}")
        with self._lock:
            self._faults.append((self.requests + nth, fault))

    def exchange(self, request: Request) -> tuple[Answer, str]:
        """The answer to one HTTP request, and the fault that it shall suffer on its way back."""
        with self._lock:
            self.request()
            fault = next((kind for at, kind in self._faults if at == self.requests), "")
            early = _FAULTY_ANSWERS.get(fault)
            if early is not None:
                return early, ""
            if fault == "reset":
                return Answer(0), fault
            if batch.is_batch(request):
                return batch.answer(request, self._answer_each), fault
            return self._answer(request), fault

    def _answer_each(self, requests: list[Request]) -> list[Answer]:
        if len(requests) > batch.MOST:
            raise Refusal(
                400, "badRequest", f"Inner request count exceeds the limit. Received: {len(requests)}"
            )
        return [
            self._answer(request)
            if number < self.at_once
            else Refusal(429, "rateLimitExceeded", "Too many concurrent requests for user.").answer()
            for number, request in enumerate(requests)
        ]

    def _answer(self, request: Request) -> Answer:
        try:
            answer = self._called(request)
        except Refusal as refusal:
            answer = refusal.answer()
        if self.exchanges is not None:
            self.exchanges.append((request, answer))
        return answer

    def _called(self, request: Request) -> Answer:
        route, parts = find(request)
        self.calls[route.method] += 1
        token = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None:
            raise Refusal(401, "authError", "Invalid Credentials", location="Authorization")
        if not token.scopes & route.scopes:
            raise Refusal(403, "insufficientPermissions", "Insufficient Permission")
        self.quota.take(token.user.address, route.method)
        document = route.answer(self._call(route, request, parts, token))
        if document is None:
            return Answer(204)
        return answered(masked(document, request.query.one("fields")))

    def _call(self, route: Route, request: Request, parts: tuple[str, ...], token: _Token) -> Call:
        try:
            body = json.loads(request.body) if request.body else {}
        except ValueError:
            raise Refusal(400, "parseError", "Parse Error") from None
        return Call(token.user, token.scopes, parts, request.query, body, self.clock.now())

    def _new_token(self, address: str, scopes: frozenset[str]) -> str:
        with self._lock:
            self._given += 1
            name = f"token-{self._given}"
            self._tokens[name] = _Token(self.users[address], scopes)
            return name


_FAULTY_ANSWERS = {
    "html": Answer(200, b"<html><body>Sign in to the network</body></html>", {"Content-Type": "text/html"}),
    "unauthorized": Refusal(401, "authError", "Invalid Credentials").answer(),
    "limited": Refusal(429, "rateLimitExceeded", "Too many concurrent requests for user.").answer(),
    "failed": Refusal(500, "backendError", "Internal error encountered.").answer(),
    "unavailable": Answer(503, b"", {"Retry-After": "120"}),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, google: FakeGoogle) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.exchange: Callable[[Request], tuple[Answer, str]] = google.exchange

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away in the middle of an answer is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is sent in one piece
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """A fake keeps no log."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer, fault = self.server.exchange(Request(self.command, self.path, headers, body))
        if fault in ("reset", "answer_lost"):
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if fault == "truncated":
            self.close_connection = True
            self.wfile.write(answer.body[: len(answer.body) // 2])
        else:
            self.wfile.write(answer.body)
        self.wfile.flush()
