"""The mailboxes: a Maildir++ for every user, with the time of delivery as the time of each file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from autocapture.testing.sample.mime import mail_bytes
from autocapture.testing.world.model import Delivery, Folder, Message, User

_DIRECTORY: dict[Folder, str] = {
    "INBOX": "",
    "Sent": ".Sent",
    "Archive": ".Archive",
    "Drafts": ".Drafts",
    "Trash": ".Trash",
    "Junk": ".Junk",
}
_FLAGS: dict[Folder, str] = {
    "INBOX": "S",
    "Sent": "S",
    "Archive": "RS",
    "Drafts": "DS",
    "Trash": "ST",
    "Junk": "",
}


def write_maildirs(messages: Iterable[Message], users: Iterable[User], directory: Path) -> dict[str, Path]:
    """Writes every copy below `directory`/<user>/Maildir and returns the Maildir of each user's address."""
    maildirs = {user.email: directory / user.email.split("@")[0] / "Maildir" for user in users}
    for maildir in maildirs.values():
        for name in _DIRECTORY.values():
            for part in ("cur", "new", "tmp"):
                (maildir / name / part).mkdir(parents=True, exist_ok=True)
            if name:
                (maildir / name / "maildirfolder").touch()
    for message in messages:
        plain = mail_bytes(message, with_bcc=False)
        own = mail_bytes(message, with_bcc=True) if message.bcc else plain
        for copy in message.copies:
            _write(maildirs[copy.user], message, copy, own if copy.folder == "Sent" else plain)
    return maildirs


def _write(maildir: Path, message: Message, copy: Delivery, content: bytes) -> None:
    moment = int(copy.at.timestamp())
    unique = hashlib.sha256(f"{message.message_id}/{copy.user}/{copy.folder}".encode()).hexdigest()[:16]
    name = f"{moment}.M{unique[:5]}P1R{unique}.mail.halvorin.example:2,{_FLAGS[copy.folder]}"
    path = maildir / _DIRECTORY[copy.folder] / "cur" / name
    path.write_bytes(content)
    os.utime(path, (moment, moment))
