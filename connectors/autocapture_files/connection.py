"""An open connection over the files of one account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autocapture.connector import Broken, Channel, Cursor, Gone, Page, Record, Tools
from autocapture.errors import ChannelGone, SetupError
from autocapture_files.calendar_files import refuse_other_files
from autocapture_files.calendars import Calendars
from autocapture_files.call_log import CallLog
from autocapture_files.call_mapping import load_mapping
from autocapture_files.folder import MessageFolder
from autocapture_files.maildir import Maildir
from autocapture_files.mbox import Mbox
from autocapture_files.options import FilesOptions
from autocapture_files.pulling import beginning, pull
from autocapture_files.snapshot import Source, UnusableWhole, fingerprint


@dataclass(frozen=True, slots=True)
class Sources:
    """By how the ids of their channels begin: what an account names and can be read, and what is wrong with the rest."""

    usable: Mapping[str, Source]
    unusable: Mapping[str, SetupError]


def open_sources(options: FilesOptions, tools: Tools) -> Sources:
    """The sources that `options` name. Raises SetupError where they name none."""
    if options.calls is None and options.mapping is not None:
        raise SetupError("a mapping is given without a call log")
    usable: dict[str, Source] = {}
    unusable: dict[str, SetupError] = {}
    for name, make in _named(options, tools):
        try:
            source = make()
            source.channels()
        except SetupError as problem:
            unusable[name] = problem
        else:
            usable[name] = source
    if not usable and not unusable:
        raise SetupError("nothing to read: name a Maildir, mbox, folder of messages, calendar or call log")
    return Sources(usable, unusable)


def _named(options: FilesOptions, tools: Tools) -> Iterator[tuple[str, Callable[[], Source]]]:
    if (maildir := options.maildir) is not None:
        yield "maildir", lambda: Maildir(maildir, tools)
    if (mbox := options.mbox) is not None:
        yield "mbox", lambda: Mbox(mbox, tools)
    if (eml := options.eml) is not None:
        yield "eml", lambda: MessageFolder(eml)
    if (ics := options.ics) is not None:
        yield "ics", lambda: _calendars(ics, tools)
    if (calls := options.calls) is not None:
        yield "calls", lambda: CallLog(calls, load_mapping(options.mapping), tools)


def _calendars(path: Path, tools: Tools) -> Calendars:
    if path.is_file():
        refuse_other_files(path)
    return Calendars(path, tools)


WHOLE = "whole-file"
"""The id of a file itself, where it is told that nothing in it can be read."""


class FilesConnection:
    """The contract's `Connection`, `ListsInPart` and `ReadsText`. What a listing found is kept while the connection is open."""

    def __init__(self, sources: Sources) -> None:
        self._sources, self._unusable = sources.usable, sources.unusable
        self._told: set[str] = set()

    def channels(self) -> Sequence[Channel]:
        return [channel for source in self._sources.values() for channel in source.channels()]

    def unlisted(self) -> Mapping[str, SetupError]:
        return self._unusable

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        """As the contract says. Of a file that cannot be read at all a page tells first, by the item `WHOLE`, which is
        gone once it can; the pull after it fails, so what was captured before stays as it was."""
        try:
            return pull(self._source(channel), channel, cursor, limit)
        except UnusableWhole as problem:
            if channel.id in self._told:
                raise
            self._told.add(channel.id)
            broken = Broken(WHOLE, str(problem), fingerprint(problem.version.encode()))
            return Page((broken,), beginning() if cursor is None else cursor, more=True)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        source = self._source(channel)
        return [source.read(channel, item_id) for item_id in ids]

    def texts(self, channel: Channel, ids: Sequence[str]) -> dict[str, str]:
        source = self._source(channel)
        found = ((item_id, source.text(channel, item_id)) for item_id in ids)
        return {item_id: text for item_id, text in found if text}

    def _source(self, channel: Channel) -> Source:
        name = channel.id.partition(":")[0]
        if name in self._unusable:
            raise self._unusable[name]
        source = self._sources.get(name)
        if source is None:
            raise ChannelGone(f"the account no longer names the source of {channel.name}")
        return source
