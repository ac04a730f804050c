"""A team whose week was told, and an export of its CRM in which more stands later."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from tests.integration.capture.deployment import connect_files, deliver, message
from tests.tables import make_tables
from typer.testing import CliRunner

from autocapture.bootstrap import build
from autocapture.cli.app import app as commands
from autocapture.connect.vault import create_key
from autocapture.match.rules import shipped_text
from autocapture.settings import load_settings

WEEK = "2026-W46"
ANNA = "Anna Berg <anna@ours.example>"

MAPPING = """
[source]
date_format = "%Y-%m-%d"
time_zone = "UTC"
currency = "EUR"
[companies]
file = "companies.csv"
[companies.columns]
key = "id"
name = "name"
domains = "domains"
[contacts]
file = "contacts.csv"
[contacts.columns]
key = "id"
name = "name"
emails = "mail"
company = "company"
[leads]
file = "leads.csv"
[leads.columns]
key = "id"
contact = "contact"
owner = "owner"
created_at = "created"
[deals]
file = "deals.csv"
[deals.columns]
key = "id"
name = "name"
company = "company"
owner = "owner"
stage = "stage"
created_at = "created"
closed_at = "closed"
amount = "amount"
contacts = "contacts"
[stage_changes]
file = "stages.csv"
[stage_changes.columns]
deal = "deal"
stage = "stage"
at = "at"
"""
CALLS = """
[columns]
call_id = "id"
caller = "from"
callee = "to"
started_at = "start"
talked_for = "seconds"
outcome = "result"
"""
EXPORT = {
    "companies": (
        "id,name,domains\nA1,Acme,acme.example\nA2,Bolt,bolt.example\n"
        "A3,Nord,nord.example\nA4,Nord Retail,nordretail.example\n"
    ),
    "contacts": (
        "id,name,mail,company\nC1,Jan de Vries,jan@acme.example,A1\nC2,J. de Vries,jdv@acme.example,A1\n"
        "C3,Ole,ole@nord.example,A3\nC4,Rik,rik@nordretail.example,A4\nC5,Lena,,A2\n"
    ),
    "leads": (
        "id,contact,owner,created\n"
        "L1,C1,anna@ours.example,2026-11-09T09:00:00Z\n"
        "L2,C5,anna@ours.example,2026-11-12T09:00:00Z\n"
    ),
    "deals": (
        "id,name,company,owner,stage,created,closed,amount,contacts\n"
        "D1,Pump North,A1,anna@ours.example,Offer,2026-09-01,,1000,\n"
        "D2,Pump South,A1,anna@ours.example,Offer,2026-09-01,,2000,\n"
        "D3,Press,A3,anna@ours.example,Won,2026-09-01,2026-11-12,4000,C3\n"
    ),
    "stages": (
        "deal,stage,at\nD1,Offer,2026-09-01\nD2,Offer,2026-09-01\nD3,Offer,2026-09-01\nD3,Won,2026-11-12\n"
    ),
}
"""Acme has two deals that nothing tells apart, and one person twice; Nord has a deal that was won in the week."""


def _at(day: int) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02}T10:00:00+00:00")


MAILS = (
    (10, "Jan <jan@acme.example>", "anna@ours.example", "Pump"),
    (11, ANNA, "jdv@acme.example", "Your visit"),
    (11, "Lena <lena@bolt.example>", "anna@ours.example", "Lathe"),
    (12, ANNA, "lena@bolt.example", "Another lathe"),
    (13, "Ole <ole@nord.example>", "anna@ours.example", "Press"),
    (13, "Zoe <zoe@nordretail.example>", "anna@ours.example", "Hello"),
    (13, "Rob <rob@acme.co.uk>", "anna@ours.example", "Good morning"),
)
"""Day of November, author, recipient and subject; their numbers begin with 1."""


@dataclass
class Told:
    """A deployment in `home` whose week was told. Whatever is done to it is a command that somebody types."""

    home: Path
    environ: dict[str, str | None]

    def run(self, *words: str) -> str:
        """A command in this process, whose end does not close its connections."""
        used: set[Engine] = set()

        def note(connection: Connection) -> None:
            used.add(connection.engine)

        event.listen(Engine, "engine_connect", note)
        done = CliRunner().invoke(commands, list(words), env=self.environ)
        event.remove(Engine, "engine_connect", note)
        for engine in used:
            engine.dispose()
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.stdout

    def enter(self, **changed: Callable[[str], str]) -> None:
        """Changes files of the export."""
        for name, change in changed.items():
            path = self.home / "crm" / (f"{name}.toml" if name == "crm" else f"{name}.csv")
            before = path.read_text()
            path.write_text(change(before))
            assert path.read_text() != before

    def learn(self, **changed: Callable[[str], str]) -> str:
        """Imports the export with some of its files changed, and captures, after which everything is counted; what is said."""
        self.enter(**changed)
        said = self.run("import", "crm", "--mapping", str(self.home / "crm" / "crm.toml"))
        self.run("capture")
        return said

    def set_rule(self, line: str) -> None:
        """Applies the shipped rules with one line changed."""
        changed = {each.partition(" = ")[0]: each for each in (line, "version = 2")}
        lines = [changed.get(each.partition(" = ")[0], each) for each in shipped_text().splitlines()]
        (self.home / "matching.toml").write_text("\n".join(lines))
        self.environ["AUTOCAPTURE_CAPTURE_MATCHING_FILE"] = str(self.home / "matching.toml")
        self.run("rules", "apply", "--yes")

    def deliver(self, mail: bytes) -> None:
        """Captures one more mail, from a mailbox of its own."""
        folder = self.home / "more"
        if not folder.exists():
            deliver(folder, mail)
            self.run("connect", "files", "--user", "anna@ours.example", "--maildir", str(folder))
        else:
            deliver(folder, mail)
        self.run("capture")

    def call(self, number: str) -> str:
        """Captures a call that Anna made, and tells why it is matched as it is."""
        (self.home / "calls.csv").write_text(
            f"id,from,to,start,seconds,result\nc1,+31201112233,{number},2026-11-13 10:00:00,300,answered\n"
        )
        (self.home / "calls.toml").write_text(CALLS)
        files = ("--calls", str(self.home / "calls.csv"), "--mapping", str(self.home / "calls.toml"))
        self.run("connect", "files", "--user", "anna@ours.example", *files)
        self.run("capture")
        return self.run("explain", "c1")

    def links(self, mail: int) -> set[str]:
        """The companies and deals of a mail, by key."""
        found = json.loads(self.run("explain", f"{mail}@customer.example", "--format", "json"))
        return {link["key"] for link in found["activities"][0]["links"]}

    def why(self, mail: int) -> str:
        return self.run("explain", f"{mail}@customer.example")

    def since(self, week: str = WEEK) -> list[str]:
        """What the page of the week says of what was learned after it was told, of its team."""
        out = self.home / "page.html"
        self.run("summary", "--week", week, "--team", "North", "--out", str(out))
        text = " ".join(unescape(re.sub(r"<[^>]+>", " ", out.read_text())).split())
        began = text.partition("Since it was told ")[2].partition(" People ")[0]
        return [
            f"{each[0]} {each[1]}"
            for each in re.findall(r"(\S+|not yet → \S+ \w+) ([a-z ,]+? for North, because [^.]+)", began)
        ]

    def metric(self, name: str, *words: str) -> dict[str | None, Any]:
        """Values of the week, by what they are cut by."""
        rows = json.loads(self.run("metrics", name, "--period", WEEK, "--format", "json", *words))
        return {row["by"]["company"] if row["by"] else "": row["value"] for row in rows}


def told(home: Path, url: str | None = None) -> Told:
    """The week captured and told."""
    home.mkdir(parents=True)
    environ: dict[str, str | None] = {"AUTOCAPTURE_HOME": str(home), "AUTOCAPTURE_DATABASE_URL": url}
    app = build(load_settings({name: value for name, value in environ.items() if value}))
    create_key(app.settings.key_file)
    make_tables(app.engine)
    world = Told(home, environ)
    (home / "users.csv").write_text(
        "email,name,team,phones\nanna@ours.example,Anna Berg,North,+31201112233\n"
    )
    (home / "crm").mkdir()
    (home / "crm" / "crm.toml").write_text(MAPPING)
    for name, text in EXPORT.items():
        (home / "crm" / f"{name}.csv").write_text(text)
    world.run("users", "import", str(home / "users.csv"))
    world.run("import", "crm", "--mapping", str(home / "crm" / "crm.toml"))
    for number, (day, author, to, subject) in enumerate(MAILS, 1):
        mail = message(number, author=author, to=to, subject=subject, at=_at(day))
        deliver(home / "mail", mail, at=int(_at(day).timestamp()))
    connect_files(app, "anna@ours.example", maildir=home / "mail")
    app.engine.dispose()
    world.run("capture")
    world.run("summary", "--week", WEEK)
    return world


def copied(world: Told, home: Path) -> Told:
    """The same deployment in another folder; its mailbox is that of the first."""
    shutil.copytree(world.home, home)
    return Told(home, {**world.environ, "AUTOCAPTURE_HOME": str(home)})
