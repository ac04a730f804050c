"""Whatever a calendar or a call log holds, it is read or refused by a typed error, and soon."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.connectors.files.mutations import ASTERISK, CALENDAR, CALLS, MAPPING, bent
from tests.connectors.files.support import opened

from autocapture.connector import Broken, Connection, Record, Ref
from autocapture.errors import ChannelGone, RecordUnusable, SetupError, Unreachable
from autocapture.formats.keys import ADDRESS_LENGTH, KEY_BYTES
from autocapture.formats.recurrence import OCCURRENCES_LIMIT, occurrences
from autocapture.records import CallRecord, EventRecord
from autocapture.store.calendar import record_from_json, record_to_json

MOST_SECONDS = 2.0
WINDOW = datetime(2025, 11, 21, tzinfo=UTC), datetime(2027, 11, 21, tzinfo=UTC)
SOAK = 20_000
LAYOUTS = ("calendar", "calls", "asterisk")


def paths_of(layout: str, folder: Path, content: bytes) -> dict[str, Path]:
    """The options of a connection to one bent file."""
    if layout == "calendar":
        (folder / "bent.ics").write_bytes(content)
        return {"ics": folder / "bent.ics"}
    (folder / "bent.csv").write_bytes(content)
    if layout == "asterisk":
        return {"calls": folder / "bent.csv"}
    (folder / "mapping.toml").write_text(MAPPING)
    return {"calls": folder / "bent.csv", "mapping": folder / "mapping.toml"}


def check(layout: str, folder: Path, seed: int) -> int:
    """Reads one bent file through the connector's door; the number of items that could be read."""
    sample = {"calendar": CALENDAR, "calls": CALLS, "asterisk": ASTERISK}[layout]
    content = bent(sample, seed)
    started = time.process_time()
    try:
        with opened(**paths_of(layout, folder, content)) as connection:
            found = everything_in(connection)
    except (SetupError, ChannelGone, Unreachable):
        return 0
    for record in found:
        check_record(record)
    assert time.process_time() - started < MOST_SECONDS, f"seed {seed} of {layout}"
    return len(found)


def everything_in(connection: Connection) -> list[Record]:
    [channel] = connection.channels()
    page = connection.pull(channel, None, limit=100_000)
    refs = {item.id: item.version for item in page.items if isinstance(item, Ref)}
    answers = connection.get(channel, list(refs))
    assert {answer.id for answer in answers} == refs.keys()
    assert all(len(answer.id.encode()) <= KEY_BYTES + 10 for answer in answers)
    assert all(isinstance(answer, Record | Broken) for answer in answers), "what is listed is there"
    assert all(each.version == refs[each.id] for each in answers if isinstance(each, Record | Broken))
    assert all("\n" not in each.why and len(each.why) < 200 for each in answers if isinstance(each, Broken))
    return [each for each in answers if isinstance(each, Record)]


def check_record(record: Record) -> None:
    """What a database must be able to hold, and the later stages to work with."""
    data = record.data
    repr(data).encode()  # no half surrogates
    if isinstance(data, CallRecord):
        assert max(len(data.call_id.encode()), len((data.group or "").encode())) <= KEY_BYTES + 10
        return
    assert isinstance(data, EventRecord)
    assert "\\x00" not in repr(data)
    assert len(data.uid.encode()) <= KEY_BYTES
    assert all(len(each.email) <= ADDRESS_LENGTH for each in data.attendees)
    stored = record_from_json(record_to_json(data))
    try:
        found = occurrences([stored], window_start=WINDOW[0], window_end=WINDOW[1])
    except RecordUnusable:
        return
    assert len(found) <= OCCURRENCES_LIMIT


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bent_file_is_read_or_refused_soon(layout: str, tmp_path: Path) -> None:
    read = sum(check(layout, tmp_path, seed) for seed in range(67))
    assert read > 30, "most of what is bent can still be read in part"


@pytest.mark.soak
@pytest.mark.parametrize("layout", LAYOUTS)
def test_thousands_of_bent_files_are_read_or_refused_soon(layout: str, tmp_path: Path) -> None:
    assert sum(check(layout, tmp_path, seed) for seed in range(SOAK // len(LAYOUTS) + 1))
