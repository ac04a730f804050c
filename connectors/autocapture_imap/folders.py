"""Which folders of a mailbox are captured. Pure: LIST answers in, a choice out.

Everything that may hold business mail is captured, since rules file mail away from the inbox before anybody looks. Drafts,
junk and deleted mail are not. The server's special-use flags decide (RFC 6154); for a role that no folder is flagged with,
the names that mail programs give such folders decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imapclient.imap_utf7 import decode as decode_utf7

from autocapture_imap.folder_names import NAMES, Role

_FLAGS: Mapping[str, Role] = {"\\sent": "sent", "\\drafts": "drafts", "\\junk": "junk", "\\trash": "trash"}
_LEFT_OUT: Mapping[Role, str] = {"drafts": "drafts", "junk": "junk mail", "trash": "deleted mail"}


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


@dataclass(frozen=True, slots=True)
class Choice:
    """The folders to capture, in their order, and the selectable ones left out, each with the reason in a few words."""

    captured: list[Listed]
    left_out: list[tuple[Listed, str]]


def choose(listed: Sequence[Listed], foreign: Sequence[str] = ()) -> Choice:
    """Inbox first, then sent mail, then the others by name.

    `foreign` are the prefixes of other people's and shared folders (RFC 2342). A folder flagged `\\All` holds every
    message, so it is captured alone (Gmail).
    """
    usable = [folder for folder in listed if folder.selectable]
    ours = [folder for folder in usable if not any(map(folder.name.startswith, foreign))]
    roles = _roles(ours)
    own = {folder.name for folder in ours}
    reasons = {folder.name: "other people's or shared mail" for folder in usable if folder.name not in own}
    unwanted = [folder for folder in ours if roles.get(folder.name) in _LEFT_OUT]
    everything = next((folder for folder in ours if "\\all" in folder.flags), None)
    for folder in ours:
        if everything is None:
            reason = _unwanted(folder, unwanted, roles)
        else:
            reason = (
                None
                if folder is everything
                else f"{everything.display_name} is read, which holds all but junk and trash"
            )
        if reason is not None:
            reasons[folder.name] = reason
    captured = [folder for folder in usable if folder.name not in reasons]
    return Choice(
        sorted(captured, key=lambda folder: (_rank(folder, roles), folder.name)),
        [(folder, reasons[folder.name]) for folder in usable if folder.name in reasons],
    )


def _unwanted(folder: Listed, unwanted: Sequence[Listed], roles: Mapping[str, Role]) -> str | None:
    """Why a folder is left out for its role or for that of one above it; sent mail is wanted wherever it lies.

    `unwanted`: the folders left out for their roles, the few that others are compared with."""
    role = roles.get(folder.name)
    if role == "sent":
        return None
    if role is not None:
        return _LEFT_OUT[role]
    parent = next((each for each in unwanted if folder.is_below(each)), None)
    return None if parent is None else f"it lies below {parent.display_name}"


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
