"""Calendars and call logs through the connector's front door."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.connectors.files.support import Holder, id_of, opened, settle, tools

from autocapture.clock import FixedClock
from autocapture.connector import Broken, Record
from autocapture.errors import ChannelGone, SetupError
from autocapture.records import CallRecord, EventRecord
from autocapture_files.call_mapping import ASTERISK, load_mapping


def calendar(*events: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", *events, "END:VCALENDAR", ""])


def vevent(uid: str, *lines: str, start: str = "DTSTART:20261116T090000Z") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", start, *lines, "END:VEVENT"])


def test_each_calendar_is_a_channel_and_each_series_one_item(tmp_path: Path) -> None:
    moved = vevent("a", "RECURRENCE-ID:20261123T090000Z", start="DTSTART:20261124T090000Z")
    (tmp_path / "work.ics").write_text(calendar(vevent("a", "RRULE:FREQ=WEEKLY;COUNT=3"), moved, vevent("b")))
    (tmp_path / "team.ICS").write_text(calendar(moved))
    (tmp_path / "notes.txt").write_text("")
    with opened(ics=tmp_path) as connection:
        team, work = connection.channels()
        assert (work.id, work.kind, work.name) == ("ics:work.ics", "event", "work")
        holder = Holder()
        holder.drain(connection, work)
        assert sorted(holder.held) == sorted([id_of("a"), id_of("b")])
        [record] = connection.get(work, [id_of("a")])
        assert isinstance(record, Record)
        assert isinstance(record.data, EventRecord)
        assert [each.starts_at for each in record.data.overrides] == [datetime(2026, 11, 24, 9, tzinfo=UTC)]
        holder = Holder()
        holder.drain(connection, team)
        assert list(holder.held) == [id_of("a#2026-11-23T09:00:00+00:00")]


def test_only_what_changed_in_a_calendar_is_told_again(tmp_path: Path) -> None:
    path = tmp_path / "work.ics"
    path.write_text(
        calendar(vevent("a", "SUMMARY:one", "DTSTAMP:20260101T000000Z"), vevent("b"), vevent("c"))
    )
    holder = Holder()
    with opened(ics=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        before = dict(holder.held)
        path.write_text(calendar(vevent("c"), vevent("a", "SUMMARY:two", "DTSTAMP:20260202T000000Z")))
        holder.drain(connection, channel)
        assert sorted(each.id for each in holder.pages[-1].items) == sorted([id_of("a"), id_of("b")])
        assert sorted(holder.held) == sorted([id_of("a"), id_of("c")])
        assert holder.held[id_of("c")] == before[id_of("c")]
        path.write_text(calendar(vevent("c"), vevent("a", "SUMMARY:two", "DTSTAMP:20260303T000000Z")))
        settle(path)
        holder.drain(connection, channel)
        assert list(holder.pages[-1].items) == []
        path.unlink()
        with pytest.raises(ChannelGone):
            connection.pull(channel, holder.cursor, limit=10)


def test_an_unreadable_event_is_broken_beside_its_readable_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "work.ics"
    path.write_text(
        calendar(vevent("a", "RRULE:FREQ=SECONDLY"), vevent("a", start="DTSTART:never"), vevent("b"))
    )
    holder = Holder()
    with opened(ics=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        found = connection.get(channel, sorted(holder.held))
    assert sorted(type(each).__name__ for each in found) == ["Broken", "Broken", "Record"]
    assert all(each.version == holder.held[each.id] for each in found)  # type: ignore[union-attr]


ROW = (
    '"anna@ourco.example","{src}","{dst}","{context}","""Anna"" <101>","PJSIP/101-1","PJSIP/t-2","{app}","x,30",'
    '"2026-11-16 10:00:00","{answer}","2026-11-16 10:05:00",300,{talked},"{disposition}","DOCUMENTATION","{id}",""\n'
)


def row(**changes: object) -> str:
    given: dict[str, object] = {"src": "101", "dst": "+4930901820", "context": "from-internal", "app": "Dial"}
    given |= {"answer": "2026-11-16 10:00:10", "talked": 290, "disposition": "ANSWERED", "id": "1763280000.1"}
    return ROW.format(**(given | changes))


def read_calls(path: Path, mapping: Path | None = None, **lent: object) -> list[Record | Broken]:
    paths = {"calls": path} if mapping is None else {"calls": path, "mapping": mapping}
    holder = Holder()
    with opened(tools(**lent), **paths) as connection:  # type: ignore[arg-type]
        [channel] = connection.channels()
        holder.drain(connection, channel, limit=2)
        found = connection.get(channel, list(holder.held))
    assert all(each.version == holder.held[each.id] for each in found)  # type: ignore[union-attr]
    return found  # type: ignore[return-value]


def calls_of(found: list[Record | Broken]) -> list[CallRecord]:
    return [each.data for each in found if isinstance(each, Record) and isinstance(each.data, CallRecord)]


def test_asterisks_master_csv_is_read_without_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(
        row()
        + row(
            src="+4930901820",
            dst="101",
            context="from-trunk",
            id="2",
            disposition="NO ANSWER",
            answer="",
            talked=0,
        )
        + row(id="3", app="VoiceMail")
        + row(id="4", disposition="CONGESTION", talked=0)
        + row(id="5", disposition="PARKED")
    )
    first, second, third, fourth, fifth = sorted(calls_of(read_calls(path)), key=lambda call: call.call_id)
    assert first == CallRecord(
        call_id="1763280000.1",
        caller="101",
        callee="+4930901820",
        started_at=datetime(2026, 11, 16, 9, tzinfo=UTC),
        talked_for=timedelta(seconds=290),
        outcome="answered",
        direction="unknown",
        group="1763280000.1",
        owner="anna@ourco.example",
    )
    assert (second.outcome, second.direction, second.talked_for) == ("no_answer", "inbound", timedelta(0))
    assert [call.outcome for call in (third, fourth, fifth)] == ["voicemail", "failed", "unknown"]


def test_legs_that_share_an_id_are_items_of_one_group_and_twins_stay_two(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row() + row(dst="102") + row(dst="102"))
    calls = calls_of(read_calls(path))
    assert len({call.call_id for call in calls}) == 3
    assert {call.group for call in calls} == {"1763280000.1"}


def test_rows_that_cannot_be_read_are_broken_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    late = row(id="7").replace("2026-11-16 10:00:00", "16.11.2026")
    path.write_text(
        row() + "garbage\n\n" + late + row(id="8", talked="long") + '"open\n' + row(id="9") + row(id="10")
    )
    found = read_calls(path)
    # The unclosed quote takes the row behind it along: the reader cannot know where it should have ended.
    assert sorted(call.call_id for call in calls_of(found)) == ["10", "1763280000.1"]
    reasons = sorted(each.why for each in found if isinstance(each, Broken))
    assert reasons[:3] == [
        "line 2: the row is too short",
        "line 4: the start is not a date in the mapping's format",
        "line 5: the duration is not a number",
    ]
    assert reasons[3].startswith("line ")
    assert "garbage" not in " ".join(reasons)


MAPPING = """
delimiter = ";"
encoding = "cp1252"
date_format = ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"]
time_zone = "America/New_York"
duration_unit = "minutes"
[columns]
caller = "Von"
callee = "Nach"
started_at = "Datum"
talked_for = "Länge"
outcome = "Ergebnis"
[constants]
direction = "out"
owner = "anna@ourco.example"
[values.outcome]
"Besetzt" = "busy"
[values.direction]
"out" = "outbound"
"""


def test_any_layout_is_read_by_its_mapping(tmp_path: Path) -> None:
    mapping, path = tmp_path / "m.toml", tmp_path / "calls.csv"
    mapping.write_text(MAPPING, encoding="utf-8")
    text = "Länge;Von;Nach;Datum;Ergebnis\r\n1,5;101;110;16.11.2026 09:30;BESETZT\r\n01:02:03;101;111;17.11.2026 09:30:00;?\r\n"
    path.write_bytes(text.encode("cp1252"))
    busy, other = sorted(calls_of(read_calls(path, mapping)), key=lambda call: call.started_at)
    assert (busy.started_at, busy.talked_for) == (
        datetime(2026, 11, 16, 14, 30, tzinfo=UTC),
        timedelta(seconds=90),
    )
    assert (busy.outcome, busy.direction, busy.owner) == ("busy", "outbound", "anna@ourco.example")
    assert (other.talked_for, other.outcome) == (timedelta(hours=1, minutes=2, seconds=3), "unknown")
    assert busy.call_id.startswith("row-")


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        (("[columns]", "[columns"), "not TOML"),
        (('caller = "Von"', 'caler = "Von"'), "columns"),
        (('caller = "Von"\n', ""), "caller"),
        (("America/New_York", "No/Where"), "time_zone"),
        (("cp1252", "no-such"), "encoding"),
        (('"busy"', '"buzy"'), "values.outcome"),
        (('caller = "Von"', "caller = 3"), "names under a header"),
    ],
)
def test_a_bad_mapping_is_refused_with_its_place(
    tmp_path: Path, changed: tuple[str, str], place: str
) -> None:
    mapping = tmp_path / "m.toml"
    assert changed[0] in MAPPING
    mapping.write_text(MAPPING.replace(*changed))
    with pytest.raises(SetupError, match=place):
        load_mapping(mapping)


def test_a_header_without_a_mapped_column_is_a_matter_of_set_up(tmp_path: Path) -> None:
    mapping, path = tmp_path / "m.toml", tmp_path / "calls.csv"
    mapping.write_text(MAPPING)
    path.write_text("Von;Nach\n")
    with pytest.raises(SetupError, match="Datum"):
        read_calls(path, mapping)
    path.write_text("")
    assert read_calls(path, mapping) == []


def test_the_mapping_that_ships_is_the_default() -> None:
    assert load_mapping(None) == load_mapping(ASTERISK)


def test_calls_before_the_first_day_in_scope_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row() + row(id="2").replace("2026-11-16 10:00:00", "2026-11-15 23:59:59"))
    assert [call.call_id for call in calls_of(read_calls(path, since=date(2026, 11, 16)))] == ["1763280000.1"]


def test_more_calls_than_any_page_between_two_looks_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(id="0"))
    holder = Holder()
    with opened(tools(clock=FixedClock(datetime.now(UTC))), calls=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        path.write_text("".join(row(id=str(number)) for number in range(600)))
        holder.drain(connection, channel, limit=100)
    assert set(holder.held) == {str(number) for number in range(600)}


def test_appended_rows_follow_and_an_unfinished_last_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row() + row(id="2")[:40])
    holder = Holder()
    with opened(tools(clock=FixedClock(datetime.now(UTC))), calls=path) as connection:
        [channel] = connection.channels()
        holder.drain(connection, channel)
        assert list(holder.held) == ["1763280000.1"]
        path.write_text(row() + row(id="2") + row(id="3"))
        holder.drain(connection, channel)
        assert sorted(each.id for each in holder.pages[-1].items) == ["2", "3"]
        assert not holder.pages[-1].complete


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x7fELF\x02\x01\x00\x00\x00\n\x00", "is not a call log: it is not text"),
        (b"email,name\nann@example.com,Ann\n", "is not a call log that the mapping fits: line 1: "),
        (b"<html>\n<body>not found\n", "is not a call log that the mapping fits: line 1: "),
    ],
)
def test_a_file_that_is_no_call_log_is_refused_when_it_is_named(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=says), opened(calls=path):
        pass


def test_a_call_log_without_a_call_yet_or_with_one_bad_row_is_one(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    for content in ("", "\n", row()[:40], "no call\n" + row()):
        path.write_text(content)
        with opened(calls=path) as connection:
            assert [channel.kind for channel in connection.channels()] == ["call"]


@pytest.mark.parametrize("content", [b"\x7fELF\x00", b"<!doctype html><title>Sign in</title>", b"a,b\n1,2\n"])
def test_a_file_that_is_no_calendar_is_refused_when_it_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "work.ics"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=r"work\.ics is not an iCalendar file"), opened(ics=path):
        pass


@pytest.mark.parametrize(
    "content", ["", "\r\n", "\ufeffBEGIN:VCALENDAR\nEND:VCALENDAR\n", "begin:vevent\nUID:a\n"]
)
def test_a_calendar_that_is_empty_or_oddly_written_is_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "work.ics"
    path.write_text(content)
    with opened(ics=path) as connection:
        assert [channel.kind for channel in connection.channels()] == ["event"]


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    for name in ("calls", "mbox"):
        with pytest.raises(SetupError, match="it is a folder"), opened(**{name: tmp_path}):
            pass
