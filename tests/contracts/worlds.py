"""Worlds over real sources: files in every layout, mailboxes on real servers."""

from __future__ import annotations

import csv
import os
import uuid
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from imapclient import IMAPClient
from tests.peers.dovecot import Dovecot
from tests.peers.maildevel import MailDevel

from autocapture.connector import PasswordCredential
from autocapture.testing.fakes.source import REP, call, callee
from autocapture.testing.source_world import SourceWorld
from autocapture_files import connector as files_connector
from autocapture_imap import connector as imap_connector


@dataclass(frozen=True)
class Kept:
    """An item as the world remembers it. `copy` counts how often it was written anew, `version` its edits."""

    channel: int
    copy: int = 0
    version: int = 0
    readable: bool = True


class RememberingWorld(SourceWorld):
    """Remembers what it put into the source; a subclass says how an item gets there and out again."""

    def __init__(self) -> None:
        self.items: dict[int, Kept] = {}

    @abstractmethod
    def put(self, number: int, kept: Kept) -> None:
        """Writes the item as it shall be now; `items` holds it already."""

    @abstractmethod
    def take(self, number: int, kept: Kept) -> None:
        """Takes the item out; `items` no longer holds it."""

    def content(self, number: int, kept: Kept) -> str:
        return f"item {number}"

    def add(self, number: int, channel: int) -> None:
        self._replace(number, Kept(channel))

    def remove(self, number: int) -> None:
        self.take(number, self.items.pop(number))

    def edit(self, number: int) -> None:
        kept = self.items[number]
        self._replace(number, replace(kept, version=kept.version + 1))

    def move(self, number: int, channel: int) -> None:
        self._replace(number, replace(self.items[number], channel=channel))

    def poison(self, number: int) -> None:
        self._replace(number, replace(self.items[number], readable=False))

    def heal(self, number: int) -> None:
        self._replace(number, replace(self.items[number], readable=True))

    def _replace(self, number: int, after: Kept) -> None:
        before = self.items.pop(number, None)
        if before is not None:
            self.take(number, before)
            after = replace(after, copy=before.copy + 1)
        self.items[number] = after
        self.put(number, after)

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(
                self.content(n, kept) for n, kept in self.items.items() if kept.channel == i and kept.readable
            )
            for i in range(self.channel_count)
        ]

    def unreadable(self) -> list[int]:
        return [
            sum(kept.channel == i and not kept.readable for kept in self.items.values())
            for i in range(self.channel_count)
        ]


def message(number: int) -> str:
    return (
        f"From: Buyer {number} <buyer{number}@customer.example>\nTo: {REP}\nSubject: item {number}\n"
        f"Message-ID: <{number}@customer.example>\nDate: Mon, 2 Nov 2026 09:{number % 60:02}:00 +0000\n\nhello\n"
    )


class FilesWorld(RememberingWorld):
    """Files below `root`. Each change gets a time of its own, as on a file system whose clock never stands still between
    two of them; what the connector does about clocks that do is tested with the connector."""

    can = frozenset({"remove", "poison"})

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.connector = files_connector
        self.root = directory / "source"
        self.root.mkdir()
        self._time = datetime(2026, 11, 1, tzinfo=UTC).timestamp()

    def write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8", newline="")
        self.touch(path)

    def touch(self, *paths: Path) -> None:
        self._time += 1
        for path in paths:
            os.utime(path, (self._time, self._time))

    def fingerprint(self) -> object:
        return sorted(
            (str(path), status.st_mtime_ns, status.st_size, status.st_mode)
            for path in self.root.rglob("*")
            if (status := path.stat())
        )


class MaildirWorld(FilesWorld):
    can = frozenset({"remove", "move", "poison"})
    channel_count = 2

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.options = {"maildir": str(self.root)}
        self._folders = (self.root / ".Work", self.root)
        for folder in self._folders:
            for name in ("cur", "new", "tmp"):
                (folder / name).mkdir(parents=True)

    def _path(self, number: int, kept: Kept) -> Path:
        """Mail arrives in new/; a program that has seen it moves it to cur/."""
        name = f"{1_793_600_000 + number}.{number}c{kept.copy}.host"
        folder = self._folders[kept.channel]
        return folder / "new" / name if number % 2 else folder / "cur" / f"{name}:2,S"

    def put(self, number: int, kept: Kept) -> None:
        path = self._path(number, kept)
        self.write(path, message(number) if kept.readable else "")
        self.touch(path.parent)

    def take(self, number: int, kept: Kept) -> None:
        path = self._path(number, kept)
        path.unlink()
        self.touch(path.parent)


class MessageFolderWorld(FilesWorld):
    can = frozenset({"remove", "move", "poison"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.options = {"eml": str(self.root)}

    def _path(self, number: int, kept: Kept) -> Path:
        return self.root / str(kept.copy) / f"{number}.eml"

    def put(self, number: int, kept: Kept) -> None:
        path = self._path(number, kept)
        path.parent.mkdir(exist_ok=True)
        self.write(path, message(number) if kept.readable else "")

    def take(self, number: int, kept: Kept) -> None:
        self._path(number, kept).unlink()


class OneFileWorld(FilesWorld):
    """Every change writes the whole file anew, the item that changed last at its end."""

    def put(self, number: int, kept: Kept) -> None:
        self.save(kept.channel)

    def take(self, number: int, kept: Kept) -> None:
        self.save(kept.channel)

    def of(self, channel: int) -> list[tuple[int, Kept]]:
        return [(number, kept) for number, kept in self.items.items() if kept.channel == channel]

    @abstractmethod
    def save(self, channel: int) -> None: ...


class MboxWorld(OneFileWorld):
    can = frozenset({"remove", "move", "poison"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.options = {"mbox": str(self.root / "mbox")}
        self.save(0)

    def save(self, channel: int) -> None:
        line = "From buyer@customer.example Mon Nov  2 09:00:00 2026\n"
        self.write(
            self.root / "mbox",
            "".join(f"{line}{message(n) if kept.readable else ''}\n\n" for n, kept in self.of(channel)),
        )


class CalendarFolderWorld(OneFileWorld):
    can = frozenset({"edit", "remove", "move", "poison"})
    channel_count = 2

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.options = {"ics": str(self.root)}
        for channel in range(self.channel_count):
            self.save(channel)

    def content(self, number: int, kept: Kept) -> str:
        return f"item {number} v{kept.version}"

    def save(self, channel: int) -> None:
        events = "".join(self._event(number, kept) for number, kept in self.of(channel))
        self.write(self.root / f"{channel}.ics", f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n")

    def _event(self, number: int, kept: Kept) -> str:
        lines = (
            "BEGIN:VEVENT",
            f"UID:{number}@customer.example",
            f"SUMMARY:{self.content(number, kept)}",
            f"SEQUENCE:{kept.version}",
            f"DTSTART:202611{2 + number // 20:02}T{number % 20:02}0000Z"
            if kept.readable
            else "DTSTART:never",
            "DURATION:PT30M",
            f"ORGANIZER:mailto:{REP}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{REP}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:buyer{number}@customer.example",
            "END:VEVENT",
            "",
        )
        return "\r\n".join(lines)


class CalendarFileWorld(CalendarFolderWorld):
    can = frozenset({"edit", "remove", "poison"})
    channel_count = 1

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.options = {"ics": str(self.root / "0.ics")}


class AsteriskWorld(OneFileWorld):
    """Master.csv as Asterisk writes it: no header, eighteen columns."""

    can = frozenset({"edit", "remove", "poison"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.log = self.root / "Master.csv"
        self.options = {"calls": str(self.log)}
        self.save(0)

    def content(self, number: int, kept: Kept) -> str:
        return f"{callee(number)}:{60 + kept.version}"

    def save(self, channel: int) -> None:
        with self.log.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(self.rows())
        self.touch(self.log)

    def rows(self) -> list[list[str]]:
        rows = []
        for number, kept in self.of(0):
            made = call(number, kept.version)
            starts = f"{made.started_at:%Y-%m-%d %H:%M:%S}" if kept.readable else "never"
            talked = str(int(made.talked_for.total_seconds()))
            rows.append(
                [
                    *(REP, made.caller, made.callee, "internal", "", "", "", "Dial", "", starts, "", ""),
                    *(talked, talked, "ANSWERED", "", f"call-{number}", ""),
                ]
            )
        return rows


MAPPING = """\
delimiter = ";"
[columns]
call_id = "Call"
caller = "From"
callee = "To"
started_at = "Began"
talked_for = "Seconds"
outcome = "Result"
owner = "Agent"
[values.outcome]
"ok" = "answered"
"""


class CallLogWorld(AsteriskWorld):
    """A log of its own layout, read by a mapping."""

    def __init__(self, directory: Path) -> None:
        (directory / "mapping.toml").write_text(MAPPING, encoding="utf-8")
        super().__init__(directory)
        self.options = {"calls": str(self.log), "mapping": str(directory / "mapping.toml")}

    def save(self, channel: int) -> None:
        with self.log.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(["Agent", "Call", "From", "To", "Began", "Seconds", "Result"])
            for row in self.rows():
                writer.writerow([row[0], row[16], row[1], row[2], row[9], row[13], "ok"])
        self.touch(self.log)


class ImapWorld(RememberingWorld):
    """A mailbox of its own on a running server. The test's changes go through another mail client's session."""

    can = frozenset({"remove", "move", "poison"})
    channel_count = 2
    folders = ("INBOX", "Sent")

    def __init__(self, server: Dovecot | MailDevel) -> None:
        super().__init__()
        self.server = server
        self.user = f"{uuid.uuid4().hex[:12]}@example.org"
        self.connector = imap_connector
        self.options = {"host": server.host, "port": server.port, "security": "none"}
        self.credential = PasswordCredential(self.user, server.password)
        self.client: IMAPClient = server.client(self.user)

    def put(self, number: int, kept: Kept) -> None:
        text = message(number).replace("\n", "\r\n").encode()
        if not kept.readable:
            text = (
                b"Subject: " + b"x" * (1 << 20) + b"\r\n" + text
            )  # its header block is beyond the parser's limit
        self.client.append(self.folders[kept.channel], text, (), datetime(2026, 11, 2, 9, tzinfo=UTC))

    def take(self, number: int, kept: Kept) -> None:
        self.client.select_folder(self.folders[kept.channel])
        uids = self.client.search(["HEADER", "Message-ID", f"<{number}@customer.example>"])
        self.client.delete_messages(uids, silent=True)
        self.client.expunge(uids)
        self.client.close_folder()

    def close(self) -> None:
        self.client.logout()


class DovecotWorld(ImapWorld):
    can = ImapWorld.can | {"expire"}
    server: Dovecot

    def __init__(self, server: Dovecot) -> None:
        super().__init__(server)
        self._validity = 2_000_000_000

    def expire(self) -> None:
        """As after a restored backup, for which the mailbox was out of use: every session ended, the connector's too."""
        self.server.end_sessions(self.user)
        for folder in self.folders:
            self._validity += 1
            self.server.new_uid_validity(folder, self._validity, user=self.user)
        self.client.shutdown()
        self.client = self.server.client(self.user)

    def requests(self) -> int:
        return len(self.server.commands())

    def fingerprint(self) -> object:
        return self.server.files(self.user)


class MailDevelWorld(ImapWorld):
    """This server hangs up when a folder is deleted, so nothing expires here."""

    def __init__(self, server: MailDevel) -> None:
        super().__init__(server)
        if not self.client.folder_exists("Sent"):
            self.client.create_folder("Sent")

    def fingerprint(self) -> object:
        found = {}
        for folder in self.folders:
            self.client.select_folder(folder, readonly=True)
            uids = self.client.search()
            found[folder] = {uid: item[b"FLAGS"] for uid, item in self.client.fetch(uids, ["FLAGS"]).items()}
        return found
