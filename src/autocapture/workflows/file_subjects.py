"""What an account of files is called: its options with their paths, in one text that no two accounts of a person share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def subject_of_files(files: Iterable[tuple[str, Path]]) -> str:
    """`maildir=/var/mail/ann ics=/srv/ann's%20calendar`: a space is between two, never within one."""
    return " ".join(f"{option}={str(path).replace('%', '%25').replace(' ', '%20')}" for option, path in files)


def files_of_subject(subject: str) -> list[tuple[str, str]]:
    """Option and path of each; nothing where `subject` is a login."""
    named = [part.partition("=") for part in subject.split(" ")]
    if not all(path.startswith("/") for _, _, path in named):
        return []
    return [(option, path.replace("%20", " ").replace("%25", "%")) for option, _, path in named]
