"""Which mail folders are captured. Everything that may hold business mail is, since rules file mail away from the inbox
before anybody looks. Folders have names in the mailbox's language; by their well-known names they are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autocapture_microsoft.batch import Ask, ask_all
from autocapture_microsoft.faults import refuse
from autocapture_microsoft.graph import Graph, segment
from autocapture_microsoft.shape import Item, id_of, text

_LEFT_OUT: Mapping[str, str] = {
    "drafts": "drafts",
    "outbox": "not sent yet",
    "junkemail": "junk mail",
    "deleteditems": "deleted mail",
    "syncissues": "Outlook's own records",
    "conversationhistory": "chats, not mail",
}
_FIRST = ("inbox", "sentitems")
_WELL_KNOWN = (*_FIRST, *_LEFT_OUT)

_REMEMBERED_FOR = timedelta(days=1)

_SELECT = {"$select": "id,displayName,parentFolderId,childFolderCount,totalItemCount", "$top": "100"}
_MOST_AT_ONE_PLACE = 2_000
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Folder:
    """`name` is its path, in the mailbox's language."""

    id: str
    name: str
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Folders:
    captured: list[Folder] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


class WellKnown:
    """The ids of well-known folders by their names, remembered for a day: they stay while the mailbox lives, but Outlook makes
    some of them only when it needs them."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[datetime, Mapping[str, str]]] = {}

    def ids(self, graph: Graph, whose: str) -> Mapping[str, str]:
        """Those that the mailbox has. `whose` tells it from every other one."""
        now = graph.tools.clock.now()
        asked_at, known = self._held.get(whose, (now, None))
        if known is None or not timedelta(0) <= now - asked_at < _REMEMBERED_FOR:
            known = _ask(graph)
            self._held[whose] = (now, known)
        return known


def _ask(graph: Graph) -> Mapping[str, str]:
    """A folder that Graph does not tell of for another reason than that there is none must not be taken for missing: junk would
    be captured."""
    asks = [Ask(name, f"{graph.mailbox}/mailFolders/{name}?$select=id") for name in _WELL_KNOWN]
    found = {}
    for name, answer in ask_all(graph, asks).items():
        if answer.status == 404:
            continue
        refuse(answer)
        found[name] = id_of(answer.body) or ""
    return found


def find_folders(graph: Graph, known: Mapping[str, str]) -> Folders:
    """The folders of the mailbox, the inbox first, then sent mail, then the others by name. What lies below a folder that is
    left out is left out with it, and not even looked for."""
    reasons = {known[name]: why for name, why in _LEFT_OUT.items() if name in known}
    found = Folders()
    waiting = [(f"{graph.mailbox}/mailFolders", "")]
    while waiting and len(found.captured) < _MOST:
        path, above = waiting.pop()
        for item in graph.every(path, _SELECT, most=_MOST_AT_ONE_PLACE):
            folder = _folder(item, above)
            if folder is None:
                continue
            why = reasons.get(folder.id) or _why_not(item, folder, top=not above)
            if why is not None:
                found.left_out[folder.name] = why
                continue
            found.captured.append(folder)
            if item.get("childFolderCount"):
                waiting.append(
                    (f"{graph.mailbox}/mailFolders/{segment(folder.id)}/childFolders", f"{folder.name}/")
                )
    first = [known.get(name) for name in _FIRST]
    found.captured.sort(key=lambda folder: (_rank(folder, first), folder.name))
    return found


def _folder(item: Item, above: str) -> Folder | None:
    id_, total = id_of(item), item.get("totalItemCount")
    if id_ is None:
        return None
    return Folder(id_, above + (text(item, "displayName") or "?"), total if isinstance(total, int) else None)


def _why_not(item: Item, folder: Folder, *, top: bool) -> str | None:
    """RSS has no well-known name, but in every language its name; Outlook puts it at the top."""
    if "mailSearchFolder" in str(item.get("@odata.type", "")):
        return "a search, not a folder"
    if top and "rss" in folder.name.casefold().replace("-", " ").split():
        return "news feeds, not mail"
    return None


def _rank(folder: Folder, first: Sequence[str | None]) -> int:
    return first.index(folder.id) if folder.id in first else len(first)
