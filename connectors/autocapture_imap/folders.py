"""Which folders of a mailbox are captured. Pure: LIST answers in, a choice out.

Everything that may hold business mail is captured, since rules file mail away from the inbox before anybody looks. Drafts,
junk and deleted mail are not. The server's special-use flags decide (RFC 6154); for a role that no folder is flagged with,
the names that mail programs give such folders decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from imapclient.imap_utf7 import decode as decode_utf7

from autocapture_imap.folder_names import NAMES, Role

_FLAGS: Mapping[str, Role] = {"\\sent": "sent", "\\drafts": "drafts", "\\junk": "junk", "\\trash": "trash"}
_LEFT_OUT: tuple[Literal["drafts", "junk", "trash"], ...] = ("drafts", "junk", "trash")


@dataclass(frozen=True, slots=True)
class Listed:
    """One LIST answer: `name` as it travels (modified UTF-7), flags in lower case, "" where there is no hierarchy."""

    name: str
    flags: frozenset[str]
    delimiter: str

    @property
    def selectable(self) -> bool:
        return not self.flags & {"\\noselect", "\\nonexistent"}

    @property
    def display_name(self) -> str:
        try:
            return str(decode_utf7(self.name.encode("ascii")))
        except (UnicodeDecodeError, ValueError):
            return self.name

    def is_below(self, parent: Listed) -> bool:
        return bool(self.delimiter) and self.name.startswith(parent.name + self.delimiter)


def choose(listed: Sequence[Listed], foreign: Sequence[str] = ()) -> list[Listed]:
    """The folders to capture: inbox first, then sent mail, then the others by name.

    `foreign` are the prefixes of other people's and shared folders (RFC 2342). A folder flagged `\\All` holds every
    message, so it is captured alone (Gmail).
    """
    usable = [
        folder for folder in listed if folder.selectable and not any(map(folder.name.startswith, foreign))
    ]
    everything = [folder for folder in usable if "\\all" in folder.flags]
    if everything:
        return everything[:1]
    roles = _roles(usable)
    left_out = [folder for folder in usable if roles.get(folder.name) in _LEFT_OUT]
    chosen = [
        folder
        for folder in usable
        if folder not in left_out
        and (roles.get(folder.name) == "sent" or not any(folder.is_below(parent) for parent in left_out))
    ]
    return sorted(chosen, key=lambda folder: (_rank(folder, roles), folder.name))


def _roles(folders: Sequence[Listed]) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for folder in folders:
        for flag in folder.flags & _FLAGS.keys():
            roles[folder.name] = _FLAGS[flag]
    flagged = set(roles.values())
    for folder in folders:
        role = NAMES.get(_last_part(folder).casefold())
        if role is not None and role not in flagged:
            roles.setdefault(folder.name, role)
    return roles


def _last_part(folder: Listed) -> str:
    name = folder.display_name
    return name.rsplit(folder.delimiter, 1)[-1].strip() if folder.delimiter else name.strip()


def _rank(folder: Listed, roles: Mapping[str, Role]) -> int:
    if folder.name.upper() == "INBOX":
        return 0
    return 1 if roles.get(folder.name) == "sent" else 2
