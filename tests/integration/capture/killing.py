"""A capture that kills its own process at one enumerated point. Run as a process of its own, since it forks.

    python -m tests.integration.capture.killing [--at TIME] TEMPLATE SCRATCH POINTS [SERVER TEMPLATE_DATABASE]

TEMPLATE is the home folder of a deployment that was never captured. For each of the comma-separated POINTS it is copied,
captured in a child that dies (SIGKILL) at that point, captured once more, and told as one line of JSON:
``{"point": 7, "died": true, "points": 40, "digest": "…"}``. Point 0 is never reached: an undisturbed capture, which counts
the points. With SERVER the database is a PostgreSQL database made from TEMPLATE_DATABASE. With --at the clock stands at TIME,
and for the second capture some minutes later, when what the first one had claimed is free again.

Points are: every statement that writes, every commit (just before and just after it), every call of a connection and every
request over HTTP (before and after it).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.default import DefaultDialect
from tests.integration.capture.deployment import application, everything, settle

from autocapture.clock import FixedClock
from autocapture.connect.transport import Transport
from autocapture.workflows import capture as capturing
from autocapture.workflows import pulling, subscriptions

CLAIMS_END = timedelta(minutes=6)
OF_EACH_TRY = {"rate_bucket"}
"""Tables that tell how often a provider was asked."""

PAGE_LIMIT = 7  # small pages: more of them, and more to get wrong between two


class Countdown:
    """Counts points and kills the process at one of them."""

    def __init__(self, fatal: int) -> None:
        self.passed, self._fatal = 0, fatal

    def point(self) -> None:
        self.passed += 1
        if self.passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def interrupt(connection: Any, countdown: Countdown) -> Any:
    """The connection, whose every call is two points from now on."""
    for name in ("channels", "pull", "get", "texts", "watch", "renew", "unwatch"):
        if hasattr(connection, name):
            setattr(connection, name, _two_points(getattr(connection, name), countdown))
    return connection


def _two_points(call: Any, countdown: Countdown) -> Any:
    def called(*given: Any, **named: Any) -> Any:
        countdown.point()
        answer = call(*given, **named)
        countdown.point()
        return answer

    return called


def install(countdown: Countdown) -> None:
    """Puts the points into this process, from outside: the product knows nothing of them."""

    @event.listens_for(Engine, "before_cursor_execute")
    def _statement(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA", "WITH")):
            countdown.point()

    commit = DefaultDialect.do_commit

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        countdown.point()
        commit(self, connection)
        countdown.point()

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
    Transport.send = _two_points_of_each(Transport.send, countdown)  # type: ignore[method-assign]
    really_open = capturing.open_account

    @contextmanager
    def open_account(*given: Any, **named: Any) -> Iterator[Any]:
        with really_open(*given, **named) as connection:
            yield interrupt(connection, countdown)

    capturing.open_account = subscriptions.open_account = open_account  # type: ignore[assignment]


def _two_points_of_each(method: Any, countdown: Countdown) -> Any:
    def called(self: Any, *given: Any, **named: Any) -> Any:
        return _two_points(partial(method, self), countdown)(*given, **named)

    return called


def captured(home: Path, url: str | None, at: datetime | None) -> Any:
    """What the service does at a tick, account by account; the application."""
    app = application(home, url=url, clock=FixedClock(at) if at else None)
    for account_id in capturing.due_accounts(app):
        report = capturing.capture_account(app, account_id)
        assert report.status == "ok", report
    for account_id in subscriptions.accounts_to_watch(app):
        subscriptions.keep_watched(app, account_id)
    settle(app)
    return app


def try_point(home: Path, url: str | None, at: datetime | None, fatal: int) -> dict[str, object]:
    """One capture that dies at `fatal`, and one that does not, each in a child of its own."""
    died, passed = _in_child(lambda: _counted(home, url, at, fatal))
    _, digest = _in_child(lambda: _digest(home, url, at and at + CLAIMS_END))
    return {"point": fatal, "died": died, "points": int(passed or 0), "digest": digest}


def _counted(home: Path, url: str | None, at: datetime | None, fatal: int) -> str:
    countdown = Countdown(fatal)
    install(countdown)
    captured(home, url, at)
    return str(countdown.passed)


def _digest(home: Path, url: str | None, at: datetime | None) -> str:
    app = captured(home, url, at)
    rows = {name: _as_facts(rows) for name, rows in everything(app).items() if name not in OF_EACH_TRY}
    told = json.dumps(rows, sort_keys=True, default=str, indent=1)
    (home / "everything.json").write_text(told)
    return hashlib.sha256(told.encode()).hexdigest()


def _as_facts(rows: list[Any]) -> list[Any]:
    """When an item was seen to be gone depends on who saw it; that it is does not."""
    return [{**row, "gone_at": row["gone_at"] is not None} if "gone_at" in row else row for row in rows]


def _in_child(work: Any) -> tuple[bool, str]:
    """Whether the child was killed, and what it answered."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, work().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        answer = answers.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True, answer
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("the capture failed instead of dying")
    return False, answer


def main(
    template: Path,
    scratch: Path,
    points: str,
    server: str = "",
    database: str = "",
    *,
    at: datetime | None = None,
) -> None:
    pulling.PAGE_LIMIT = PAGE_LIMIT
    with _copied(template, scratch / f"warm-up-{os.getpid()}", server, database) as (home, url):
        captured(home, url, at).engine.dispose()  # in this process: its children find every module imported
    for fatal in map(int, points.split(",")):
        with _copied(template, scratch / f"point-{fatal}", server, database) as (home, url):
            print(json.dumps(try_point(home, url, at, fatal)), flush=True)


@contextmanager
def _copied(template: Path, home: Path, server: str, database: str) -> Iterator[tuple[Path, str | None]]:
    """A copy of the home folder, and where there is a server of the database, which is dropped afterwards."""
    shutil.copytree(template, home)
    if not server:
        yield home, None
        return
    name = f"{database}_{home.name}"
    _sql(server, f'CREATE DATABASE "{name}" TEMPLATE "{database}"')
    try:
        yield home, make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _sql(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    """What a killed process had written stays written; only a power cut could take it."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def _sql(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


if __name__ == "__main__":
    given = sys.argv[1:]
    moment = datetime.fromisoformat(given[1]) if given[0] == "--at" else None
    given = given[2:] if moment else given
    main(Path(given[0]), Path(given[1]), *given[2:], at=moment)
