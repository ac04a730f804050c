"""Reading one page ahead of the one that is being stored, in a process of its own.

A first capture fetches and parses on one core and matches and stores on another. Only reading is done ahead: pages are listed
here, stored here and committed in their order, so a run that is killed loses nothing but work. The process opens its own
connection to the account. Whatever goes wrong in it, the page is read again here, where the same error, if it is one, is told.
"""

from __future__ import annotations

import pickle
import selectors
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread, Timer
from types import TracebackType
from typing import IO, Any

import structlog

from autocapture.application import Application
from autocapture.model.accounts import Account
from autocapture.store.engine import reading
from autocapture.workflows import collector
from autocapture.workflows.open_account import open_account
from autocapture.workflows.reading import Answer, Wanted, read
from autocapture.workflows.staging import Scope

log = structlog.get_logger()

WORTH_READING_AHEAD = 1_000
"""Items to read on one page from which a process is started: it takes as long to start as a thousand mails take to read."""

_ANSWER_WITHIN = 240.0  # seconds for one page; the account's lease is longer
_MOST_AHEAD = 2  # pages held in memory besides the one that is being stored

Ticket = int
"""Stands for a page that is being read: pages come back in the order in which they were asked for."""


@dataclass(frozen=True, slots=True)
class _Request:
    """`scope` is None where an earlier request named the channel's."""

    wanted: Wanted
    channel_id: int
    scope: Scope | None


class ReadAhead:
    """The parent's side, for one capture of an account, however often that connects. Starts nothing before there is much to
    read; ends its process when it is left."""

    def __init__(self, app: Application, account_id: int) -> None:
        self._start = app.start_reader
        self._account_id = account_id
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._asked = self._answered = 0
        self._answers: dict[int, list[Answer] | None] = {}
        self._forgotten: set[Ticket] = set()
        self._scopes: set[int] = set()

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def process_id(self) -> int | None:
        """The process while there is one, for whoever watches it."""
        return None if self._process is None else self._process.pid

    @property
    def is_awaited(self) -> bool:
        """Whether a process was started and has not connected yet."""
        return self._process is not None and not self._ready

    def start(self) -> None:
        """Starts the process, once and where there is one to start; `is_ready` tells when it has connected."""
        if self._start is None or self._process is not None:
            return
        try:
            self._process = self._start()
        except OSError:  # as many processes, files or bytes of memory as this machine allows
            self._end()
            return
        self._send(self._account_id)

    def has_room(self) -> bool:
        """Whether the process is there, connected, and not more than two pages behind."""
        awaited = self._asked - self._answered - len(self._forgotten)
        if self._process is None or awaited >= _MOST_AHEAD:
            return False
        if not self._ready and _has_news(_pipe(self._process.stdout)):
            self._ready = self._receive() is True
        return self._ready

    def ask(self, wanted: Wanted, scope: Scope) -> Ticket:
        """Has the items read while the caller does something else."""
        known = scope.channel_id in self._scopes
        self._scopes.add(scope.channel_id)
        self._send(_Request(wanted, scope.channel_id, None if known else scope))
        self._asked += 1
        return self._asked

    def collect(self, ticket: Ticket) -> list[Answer] | None:
        """What was read, once. None when it could not be: the caller reads it."""
        while self._answered < ticket:
            self._answered += 1
            answer = self._receive()
            if self._answered in self._forgotten:
                self._forgotten.remove(self._answered)
            else:
                self._answers[self._answered] = answer
        return self._answers.pop(ticket)

    def forget(self, ticket: Ticket) -> None:
        """Nobody will collect it."""
        if self._answers.pop(ticket, None) is None and ticket > self._answered:
            self._forgotten.add(ticket)

    def _send(self, message: object) -> None:
        if self._process is None:
            return
        try:
            with _killed_after(_ANSWER_WITHIN, self._process):
                pickle.dump(message, _pipe(self._process.stdin), pickle.HIGHEST_PROTOCOL)
                _pipe(self._process.stdin).flush()
        except OSError:
            self._end()

    def _receive(self) -> Any:
        if self._process is None:
            return None
        try:
            with _killed_after(_ANSWER_WITHIN, self._process):
                received = pickle.load(_pipe(self._process.stdout))
        except Exception:  # half an answer may raise anything, and so may what else came through the pipe
            received = None
        if received is None:
            self._end()
        return received

    def give_up(self) -> bool:
        """Reads ahead no more in this capture; whether a process did until now."""
        if self._process is None:
            return False
        self._end()
        return True

    def _end(self) -> None:
        log.warning("reading_ahead_ended", account_id=self._account_id)
        self._stop()
        self._start = None

    def _stop(self) -> None:
        process, self._process, self._ready = self._process, None, False
        if process is None:
            return
        process.kill()  # it holds nothing that must be finished
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()


@contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends a process that is alive and does not move: the pipe then ends, and so does waiting for it."""
    timer = Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _has_news(pipe: IO[bytes]) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(0))


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the reading process is started with pipes")
    return pipe


def serve_reader(
    app: Application, requests: IO[bytes], answers: IO[bytes], leave: Callable[[], None]
) -> None:
    """The other side: answers requests in their order until the pipe ends. An error ends it: the parent reads for itself.

    `leave` ends the process at once, in the middle of a request too: it is called when the parent is no longer there.
    """
    account_id: int = pickle.load(requests)
    with reading(app.engine) as session:
        account = session.get_one(Account, account_id)
    waiting: SimpleQueue[_Request] = SimpleQueue()
    with open_account(app, account) as connection:
        _answer(answers, True)
        Thread(target=_listen, args=(requests, waiting, leave), daemon=True).start()
        scopes: dict[int, Scope] = {}
        while True:
            request = waiting.get()
            scope = scopes[request.channel_id] = request.scope or scopes[request.channel_id]
            with collector.at_rest():
                _answer(answers, read(connection, request.wanted, scope, app.clock.now()))


def _listen(requests: IO[bytes], waiting: SimpleQueue[_Request], leave: Callable[[], None]) -> None:
    """Empties the pipe into memory, so that the parent never waits in the middle of asking.

    However the pipe ends, in the middle of a request too, nobody is left to ask."""
    try:
        while True:
            waiting.put(pickle.load(requests))
    finally:
        leave()


def _answer(answers: IO[bytes], message: object) -> None:
    pickle.dump(message, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()
