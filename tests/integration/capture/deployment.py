"""A small organisation whose accounts are captured, and everything that came of it as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel
from tests.peers.dovecot import Dovecot
from tests.peers.maildevel import MailDevel
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import Clock
from autocapture.connect.vault import create_key
from autocapture.connector import CaptureLevel, PasswordCredential
from autocapture.model.accounts import Channel
from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle
from autocapture.model.organization import User, UserHandle
from autocapture.settings import load_settings
from autocapture.store.engine import reading, writing
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.meetings import settle_meetings
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.rollups import refresh_rollups

CALLS_HEADER = "id,from,to,start,seconds,result,call\n"
CALLS_MAPPING = """
[columns]
call_id = "id"
caller = "from"
callee = "to"
started_at = "start"
talked_for = "seconds"
outcome = "result"
group = "call"
"""
"""A call log of several rows a call, and how its columns are called."""

PEOPLE = ("ruth@ours.example", "sam@ours.example", "tina@ours.example")

RUN_TIMES = {
    "account": {"lease_owner", "lease_until", "lease_no", "throttle_until", "created_at"},
    "channel": {"wake_at", "last_ok_at", "cursor", "generation", "newest_at"},
    "stall": {"checked_at"},
    "freshness": {"day", "counts"},
    "ledger": {"first_seen_at", "updated_at", "retry_at", "generation"},
    "activity": {"known_at", "changed_at"},
    "calendar_item": {"first_seen_at"},
    "outbox": {"queued_at", "version"},
    "credential": {"sealed", "updated_at", "renewing_until"},
    "subscription": {
        "id",
        "source_id",
        "mark",
        "notice_key",
        "secret_hash",
        "expires_at",
        "due_at",
        "claimed_until",
    },
    "activity_text": {"sealed"},
    "kept_key": {"sealed"},
    "audit_entry": {"at"},
    "creation_mark": {"id", "seen_until", "whole_at", "thresholds"},
}
"""What rightly differs between two runs that saw the same: when things happened, how often, and under which lease."""


def application(home: Path, *, url: str | None = None, clock: Clock | None = None) -> Application:
    """The application over the home folder, as the command `autocapture` would open it."""
    environ = {"AUTOCAPTURE_HOME": str(home)} | ({"AUTOCAPTURE_DATABASE_URL": url} if url else {})
    return build(load_settings(environ), clock)


def deploy(home: Path, *, url: str | None = None, clock: Clock | None = None) -> Application:
    """A database at the newest revision, a key, three users and one customer."""
    home.mkdir(parents=True, exist_ok=True)
    app = application(home, url=url, clock=clock)
    create_key(app.settings.key_file)
    make_tables(app.engine)
    with writing(app.engine) as session:
        for address in PEOPLE:
            user = User(email=address, name=address.partition("@")[0].title(), time_zone="Europe/Berlin")
            session.add(user)
            session.flush()
            session.add(UserHandle(kind="email", value=address, user_id=user.id or 0))
        session.add(Company(id=1, source_id="c1", name="Customer"))
        session.add(Contact(id=1, source_id="p1", name="Kim", company_id=1))
        session.flush()
        session.add(CompanyDomain(domain="customer.example", company_id=1))
        session.add(ContactHandle(kind="email", value="kim@customer.example", contact_id=1))
    return app


def connect_files(
    app: Application, user: str = PEOPLE[0], *, level: CaptureLevel = "subject", **paths: Path
) -> int:
    login = Login(user, "files", {name: str(path) for name, path in paths.items()}, capture_level=level)
    return connect_account(app, login).account_id


def connect_imap(
    app: Application,
    server: Dovecot | MailDevel,
    login: str,
    *,
    user: str = PEOPLE[0],
    port: int | None = None,
    password: str | None = None,
    level: CaptureLevel = "subject",
    since: date | None = None,
) -> int:
    options = {"host": "127.0.0.1", "port": port or server.port, "security": "none"}
    credential = PasswordCredential(login, password or server.password)
    return connect_account(app, Login(user, "imap", options, credential, since, level)).account_id


def capture(app: Application, account_id: int) -> CaptureReport:
    """One capture of an account that must end well."""
    report = capture_account(app, account_id)
    assert report.status == "ok", report
    return report


def settle(app: Application) -> None:
    """What the command `capture` and the service do after a capture."""
    settle_meetings(app)
    refresh_rollups(app)


def rows(app: Application, model: type[SQLModel]) -> list[dict[str, Any]]:
    """Every row of one table, in the order of its key."""
    table = model.__table__  # type: ignore[attr-defined]
    with reading(app.engine) as session:
        found = session.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        return [dict(row) for row in found]


def everything(app: Application) -> dict[str, list[Mapping[str, Any]]]:
    """Every row of every table, without run times. A channel is told by account and name: on PostgreSQL a number that a killed
    transaction drew is not given again."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    with reading(app.engine) as session:
        names = {row.id: f"{row.account_id} {row.source_id}" for row in session.scalars(select(Channel))}
        for table in SQLModel.metadata.sorted_tables:
            columns = [c for c in table.columns if c.name not in RUN_TIMES.get(table.name, ())]
            if not columns:
                continue
            listed = session.execute(select(*columns).order_by(*table.primary_key.columns)).mappings()
            plain = [{name: _plain(value) for name, value in row.items()} for row in listed]
            for row in plain:
                for column in ("channel_id", "id") if table.name == "channel" else ("channel_id",):
                    if column in row:
                        row[column] = names[row[column]]
            found[table.name] = sorted(plain, key=lambda row: json.dumps(row, sort_keys=True, default=str))
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def message(
    number: int,
    *,
    author: str = "Kim <kim@customer.example>",
    to: str = "ruth@ours.example",
    subject: str | None = None,
    message_id: str | None = None,
    at: datetime | None = None,
    extra: str = "",
    body: str = "text",
) -> bytes:
    """One mail between a customer and one of ours, an hour after the one before it."""
    when = at or datetime.fromisoformat("2026-11-02T09:00:00+00:00") + timedelta(hours=number)
    return (
        f"From: {author}\r\nTo: {to}\r\nSubject: {subject or f'number {number}'}\r\n"
        f"Message-ID: <{message_id or f'{number}@customer.example'}>\r\n"
        f"Date: {when:%a, %d %b %Y %H:%M:%S +0000}\r\n{extra}\r\n{body}\r\n"
    ).encode()


def deliver(maildir: Path, *messages: bytes, folder: str = "", at: int = 1_793_700_000) -> None:
    """Puts messages into a Maildir (or one of its sub-folders), made where it is missing; delivered a second apart."""
    base = maildir / f".{folder}" if folder else maildir
    for name in ("cur", "new", "tmp"):
        (base / name).mkdir(parents=True, exist_ok=True)
    start = len(list((base / "cur").iterdir()))
    for number, each in enumerate(messages, start):
        (base / "cur" / f"{at + number}.{number}.host:2,S").write_bytes(each)
