"""A capture that kills its own process at one enumerated point. Run as a process of its own, since it forks.

    python -m tests.integration.capture.killing TEMPLATE SCRATCH POINTS [SERVER TEMPLATE_DATABASE]

TEMPLATE is the home folder of a deployment that was never captured. For each of the comma-separated POINTS it is copied,
captured in a child that dies (SIGKILL) at that point, captured once more, and told as one line of JSON:
``{"point": 7, "died": true, "points": 40, "digest": "…"}``. Point 0 is never reached: an undisturbed capture, which counts
the points. With SERVER the database is a PostgreSQL database made from TEMPLATE_DATABASE.

Points are: every statement that writes, every commit (just before and just after it), every call of a connection (before and
after it).
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
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.default import DefaultDialect
from tests.integration.capture.deployment import application, everything, settle

from autocapture.workflows import capture as capturing
from autocapture.workflows import pulling

PAGE_LIMIT = 7  # small pages: more of them, and more to get wrong between two


class Countdown:
    """Counts points and kills the process at one of them."""

    def __init__(self, fatal: int) -> None:
        self.passed, self._fatal = 0, fatal

    def point(self) -> None:
        self.passed += 1
        if self.passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class Interrupted:
    """A connection whose every call is two points."""

    def __init__(self, connection: Any, countdown: Countdown) -> None:
        self._connection, self._countdown = connection, countdown

    def _call(self, name: str, *given: Any, **named: Any) -> Any:
        self._countdown.point()
        answer = getattr(self._connection, name)(*given, **named)
        self._countdown.point()
        return answer

    def channels(self) -> Any:
        return self._call("channels")

    def pull(self, channel: Any, cursor: Any, *, limit: int) -> Any:
        return self._call("pull", channel, cursor, limit=limit)

    def get(self, channel: Any, ids: Any) -> Any:
        return self._call("get", channel, ids)

    def texts(self, channel: Any, ids: Any) -> Any:
        return self._call("texts", channel, ids)


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
    really_open = capturing.open_account

    @contextmanager
    def open_account(*given: Any) -> Iterator[Interrupted]:
        with really_open(*given) as connection:
            yield Interrupted(connection, countdown)

    capturing.open_account = open_account  # type: ignore[assignment]


def captured(home: Path, url: str | None) -> Any:
    """What the command `capture` does, account by account; the application."""
    app = application(home, url=url)
    for account_id in capturing.due_accounts(app):
        report = capturing.capture_account(app, account_id)
        assert report.status == "ok", report
    settle(app)
    return app


def try_point(home: Path, url: str | None, fatal: int) -> dict[str, object]:
    """One capture that dies at `fatal`, and one that does not, each in a child of its own."""
    died, passed = _in_child(lambda: _counted(home, url, fatal))
    _, digest = _in_child(lambda: _digest(home, url))
    return {"point": fatal, "died": died, "points": int(passed or 0), "digest": digest}


def _counted(home: Path, url: str | None, fatal: int) -> str:
    countdown = Countdown(fatal)
    install(countdown)
    captured(home, url)
    return str(countdown.passed)


def _digest(home: Path, url: str | None) -> str:
    app = captured(home, url)
    told = json.dumps(everything(app), sort_keys=True, default=str, indent=1)
    (home / "everything.json").write_text(told)
    return hashlib.sha256(told.encode()).hexdigest()


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


def main(template: Path, scratch: Path, points: str, server: str = "", database: str = "") -> None:
    pulling.PAGE_LIMIT = PAGE_LIMIT
    with _copied(template, scratch / f"warm-up-{os.getpid()}", server, database) as (home, url):
        captured(
            home, url
        ).engine.dispose()  # in this process, so that its children find every module imported
    for fatal in map(int, points.split(",")):
        with _copied(template, scratch / f"point-{fatal}", server, database) as (home, url):
            print(json.dumps(try_point(home, url, fatal)), flush=True)


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
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
