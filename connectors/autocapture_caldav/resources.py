"""One resource as an item: a single event, or a series with its exceptions (RFC 4791, 4.1)."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import replace
from hashlib import blake2b

from autocapture.connector import Broken, Gone, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.icalendar import Unreadable, parse_calendar
from autocapture.records import EventRecord

RESOURCE_LIMIT = 4 << 20
"""Bytes of one resource: a series of thirteen years whose every instance was moved."""

_BEGIN, _END = b"BEGIN:VCALENDAR", b"END:VCALENDAR"


def read_resource(name: str, raw: bytes, version: str | None, time_zone: str) -> Record | Gone | Broken:
    """`Gone` for a task or a journal entry: as an event it is not there. `time_zone` is that of times without one.

    A series is read whole or not at all: without one of its exceptions it would say that a meeting took place which did not.
    Exceptions without their master travel together, the first one carrying the others.
    """
    version = version or blake2b(raw, digest_size=16).hexdigest()
    if len(raw) > RESOURCE_LIMIT:
        return Broken(name, f"it is larger than {RESOURCE_LIMIT >> 20} MiB", version)
    if not _is_whole(raw):  # cut or garbled on its way, perhaps: what it does not say is not taken for gone
        return Broken(name, "it is not a whole calendar, as the server gives it", version)
    try:
        found = parse_calendar(raw, default_time_zone=time_zone)
    except RecordUnusable as error:
        return Broken(name, str(error), version)
    if not found:
        return Gone(name)
    events: list[EventRecord] = []
    for each in found:
        if isinstance(each, Unreadable):
            return Broken(name, each.why, version)
        events.append(each)
    if len({event.uid for event in events}) > 1:
        return Broken(name, "it holds several events that have nothing to do with each other", version)
    first, *others = events
    return Record(name, replace(first, overrides=(*first.overrides, *others)), version)


def _is_whole(raw: bytes) -> bool:
    """Whether it begins and ends as an iCalendar object does (RFC 5545, 3.4)."""
    text = raw.removeprefix(BOM_UTF8).strip()
    return text[: len(_BEGIN)].upper() == _BEGIN and text[-len(_END) :].upper() == _END
