"""The mail of one person: folders and messages, each with the id that stays and the one that changes with every move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autocapture.testing.fakes.microsoft.calendar import FakeCalendar
from autocapture.testing.fakes.microsoft.changes import ChangeLog
from autocapture.testing.fakes.microsoft.http import Json

USUAL = {
    "inbox": "Postvak IN",
    "sentitems": "Verzonden items",
    "drafts": "Concepten",
    "outbox": "Postvak UIT",
    "junkemail": "Ongewenste e-mail",
    "deleteditems": "Verwijderde items",
}
"""The folders of a mailbox whose language is Dutch, by their well-known names."""


@dataclass(slots=True)
class Folder:
    id: str
    name: str
    parent: str | None = None
    well_known: str = ""
    kind: str = "#microsoft.graph.mailFolder"


@dataclass(slots=True)
class Message:
    """`told` is all that Graph tells of it, but ids and place."""

    number: int
    folder: str
    told: Json
    moves: int = 0
    changes: int = 1

    @property
    def id(self) -> str:
        return f"AAkALg/{self.number:06d}+A="

    @property
    def passing_id(self) -> str:
        return f"AAMkAG.{self.number:06d}.{self.moves}="


@dataclass(slots=True)
class FakeMailbox:
    """`is_closed`: inactive, deleted or moved to a server of the organisation's own."""

    address: str
    log: ChangeLog = field(default_factory=ChangeLog)
    folders: dict[str, Folder] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    calendars: dict[str, FakeCalendar] = field(default_factory=dict)
    is_closed: bool = False

    def __post_init__(self) -> None:
        for number, (well_known, name) in enumerate(USUAL.items()):
            self.add_folder(name, well_known=well_known, id_=f"AQMkFolder{number:02d}==")
        self.add_calendar("Agenda", is_default=True)

    def add_folder(
        self,
        name: str,
        parent: str | None = None,
        *,
        well_known: str = "",
        id_: str = "",
        kind: str = "#microsoft.graph.mailFolder",
    ) -> str:
        """Its id. `parent` is an id or a well-known name."""
        made = Folder(
            id_ or f"AQMkFolder{len(self.folders):02d}==",
            name,
            self.folder_id(parent) if parent else None,
            well_known,
            kind,
        )
        self.folders[made.id] = made
        return made.id

    def remove_folder(self, folder: str) -> None:
        gone = self.folder_id(folder)
        del self.folders[gone]
        for number in [number for number, each in self.messages.items() if each.folder == gone]:
            del self.messages[number]

    def folder_id(self, name: str) -> str:
        """The id for an id or a well-known name. Raises KeyError."""
        if name in self.folders:
            return name
        for folder in self.folders.values():
            if folder.well_known == name.casefold() != "":
                return folder.id
        raise KeyError(name)

    def add_calendar(self, name: str, *, is_default: bool = False, **more: Any) -> FakeCalendar:
        made = FakeCalendar(f"AQMkCalendar{len(self.calendars):02d}==", name, self.log, is_default, **more)
        made.owner = made.owner or self.address
        self.calendars[made.id] = made
        return made

    @property
    def calendar(self) -> FakeCalendar:
        return next(each for each in self.calendars.values() if each.is_default)

    def add(self, told: Json, folder: str, number: int | None = None) -> int:
        made = Message(len(self.messages) if number is None else number, self.folder_id(folder), told)
        while made.number in self.messages:
            made.number += 1
        self.messages[made.number] = made
        self.log.note(made.folder, made.id)
        return made.number

    def edit(self, number: int, **told: Any) -> None:
        """What changes is told whole; where only flags do, Graph tells only those."""
        message = self.messages[number]
        message.told = {**message.told, **told}
        message.changes += 1
        self.log.note(message.folder, message.id, partial=told.keys() <= {"isRead", "flag"})

    def remove(self, number: int) -> None:
        message = self.messages.pop(number)
        self.log.note(message.folder, message.id)

    def move(self, number: int, folder: str, *, added_first: bool = True) -> None:
        """To another folder, told there before where it came from, or after; to the same one, as changed."""
        message = self.messages[number]
        left, message.folder = message.folder, self.folder_id(folder)
        message.moves += 1
        places = [message.folder, left] if added_first else [left, message.folder]
        for place in dict.fromkeys(places):
            self.log.note(place, message.id)

    def in_folder(self, folder: str) -> list[Message]:
        return [each for each in self.messages.values() if each.folder == folder]

    def find(self, id_: str, *, immutable: bool) -> Message | None:
        """By either id: the one that stays is found whatever was preferred, as at Graph."""
        for each in self.messages.values():
            if id_ == each.id or (not immutable and id_ == each.passing_id):
                return each
        return None
