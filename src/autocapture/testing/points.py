"""The points of a run at which tests interfere: every call of a connection, every statement that writes, every commit.

The product knows nothing of them. A connector is wrapped, an engine is listened to, and a `Disturbance` says what happens
where.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from autocapture.connector import Broken, Channel, Connection, Connector, Gone, Page, Record, Tools

WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT")


class Crash(BaseException):
    """The process dies here: nothing catches it but the test."""


@dataclass(slots=True)
class Disturbance:
    """What happens during one run: `act` at the `call`-th call of the connection (before or after it reaches the source),
    a crash (`busy`: a database that takes nothing more for now) at the `statement`-th statement that writes, and `at_moment`
    whenever the source might change: before and after each call, and in the middle of those into which the world can see."""

    call: int = 0
    after: bool = False
    act: Callable[[], None] | None = None
    statement: int = 0
    busy: bool = False
    at_moment: Callable[[], None] | None = None
    calls: int = field(default=0, init=False)
    statements: int = field(default=0, init=False)
    dead: bool = field(default=False, init=False)

    def before_call(self) -> None:
        self.moment()
        self.calls += 1
        if self.calls == self.call and not self.after:
            self._act()

    def after_call(self) -> None:
        self.moment()
        if self.calls == self.call and self.after:
            self._act()

    def moment(self) -> None:
        if self.at_moment is not None:
            self.at_moment()

    def _act(self) -> None:
        try:
            if self.act is not None:
                self.act()
        except Crash:
            self.dead = True
            raise

    def before_statement(self, text: str) -> None:
        if self.dead:
            raise Crash  # what a `finally` would still do, a dead process does not
        if not text.startswith(WRITES):
            return
        self.statements += 1
        if self.statements == self.statement:
            if self.busy:
                raise OperationalError(text, None, sqlite3.OperationalError("database is locked"))
            self.dead = True
            raise Crash


class Disturbed(Protocol):
    """Who is being disturbed: asked at each point, since a run may be overtaken by another one."""

    disturbance: Disturbance
    page_limit: int


class DisturbedConnection:
    """A connection whose every call may be disturbed, and whose pages are small."""

    def __init__(self, inner: Connection, disturbed: Disturbed) -> None:
        self._inner = inner
        self._disturbed = disturbed

    def _call(self, ask: Callable[[], Any]) -> Any:
        disturbance = self._disturbed.disturbance
        disturbance.before_call()
        answer = ask()
        disturbance.after_call()
        return answer

    def channels(self) -> Sequence[Channel]:
        return self._call(self._inner.channels)  # type: ignore[no-any-return]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        return self._call(lambda: self._inner.pull(channel, cursor, limit=self._disturbed.page_limit))  # type: ignore[no-any-return]

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        return self._call(lambda: self._inner.get(channel, ids))  # type: ignore[no-any-return]


class DisturbedConnector:
    """A connector with disturbed connections."""

    def __init__(self, inner: Connector[Any], disturbed: Disturbed) -> None:
        self.name, self.kinds, self.auth, self.options = inner.name, inner.kinds, inner.auth, inner.options
        self._inner = inner
        self._disturbed = disturbed

    @contextmanager
    def open(self, options: Any, credential: Any, tools: Tools) -> Iterator[Connection]:
        with self._inner.open(options, credential, tools) as connection:
            yield DisturbedConnection(connection, self._disturbed)


@contextmanager
def watched(engine: Engine, disturbed: Disturbed) -> Iterator[None]:
    """Every statement and commit of `engine` is a point. The engine is lent: what listens to it leaves it again."""

    def before_statement(_c: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        disturbed.disturbance.before_statement(text)

    def before_commit(_connection: Any) -> None:
        disturbed.disturbance.before_statement("COMMIT")

    event.listen(engine, "before_cursor_execute", before_statement)
    event.listen(engine, "commit", before_commit)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before_statement)
        event.remove(engine, "commit", before_commit)
