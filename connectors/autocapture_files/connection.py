"""An open connection over the files of one account."""

from __future__ import annotations

from collections.abc import Sequence

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


def open_sources(options: FilesOptions, tools: Tools) -> dict[str, Source]:
    """The sources that `options` name, by the beginning of their channels' ids. Raises SetupError for a wrong path."""
    sources: dict[str, Source] = {}
    if options.maildir is not None:
        sources["maildir"] = Maildir(options.maildir, tools)
    if options.mbox is not None:
        sources["mbox"] = Mbox(options.mbox, tools)
    if options.eml is not None:
        sources["eml"] = MessageFolder(options.eml)
    if options.ics is not None:
        refuse_other_files(options.ics)
        sources["ics"] = Calendars(options.ics, tools)
    if options.calls is not None:
        sources["calls"] = CallLog(options.calls, load_mapping(options.mapping), tools)
    elif options.mapping is not None:
        raise SetupError("a mapping is given without a call log")
    if not sources:
        raise SetupError("nothing to read: name a Maildir, mbox, folder of messages, calendar or call log")
    for source in sources.values():
        source.channels()
    return sources


WHOLE = "whole-file"
"""The id of a file itself, where it is told that nothing in it can be read."""


class FilesConnection:
    """The contract's `Connection` and `ReadsText`. What a listing found is kept while the connection is open."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources
        self._told: set[str] = set()

    def channels(self) -> Sequence[Channel]:
        return [channel for source in self._sources.values() for channel in source.channels()]

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
        source = self._sources.get(channel.id.partition(":")[0])
        if source is None:
            raise ChannelGone(f"the account no longer names the source of {channel.name}")
        return source
