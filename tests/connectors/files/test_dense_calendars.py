"""Calendars that are large or dense, honest or not: read a bounded part at a time, and nothing of them is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.connectors.files.support import Holder, id_of, opened

from autocapture.connector import Broken, Gone, Record
from autocapture.errors import Unreachable
from autocapture_files.calendar_index import PART

MOST_SECONDS = 2.0  # of processor time, for one call
MOST_MEBIBYTES = 256

GUEST = (
    "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Guest \r\n"
    " No {0};X-NUM-GUESTS=0:mailto:guest{0}@customer.example"
)
EVERY_WEEK = "BYWEEKNO=" + ",".join(str(week) for week in range(1, 54)) + ";BYDAY=MO,TU,WE,TH,FR,SA,SU"


def event(uid: str, *lines: str, start: str = "DTSTART:20261110T090000Z") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", start, *lines, "END:VEVENT", ""])


def guests(count: int) -> list[str]:
    return [GUEST.format(number) for number in range(count)]


def calendar(*events: str) -> bytes:
    return "".join(["BEGIN:VCALENDAR\r\n", *events, "END:VCALENDAR\r\n"]).encode()


def exceptions(uid: str, count: int, *lines: str) -> list[str]:
    days = (date(2015, 1, 1) + timedelta(days=number) for number in range(count))
    return [event(uid, f"RECURRENCE-ID:{day:%Y%m%d}T090000Z", *lines) for day in days]


CALENDARS: dict[str, tuple[Callable[[], bytes], int]] = {
    "meetings of 100 guests": (lambda: calendar(*(event(f"u{n}", *guests(100)) for n in range(600))), 600),
    "a long diary": (lambda: calendar(*(event(f"u{n}", *guests(2)) for n in range(5_000))), 5_000),
    "many short events": (lambda: calendar(*(event(f"u{n}") for n in range(8_000))), 8_000),
    "many that cannot be read": (
        lambda: calendar(*(event(f"u{n}", start="DTSTART:never") for n in range(8_000))),
        8_000,
    ),
    "costly rules of a crowd": (
        lambda: calendar(
            *(
                event(
                    f"u{n}",
                    *guests(130),
                    *(f"RRULE:FREQ=YEARLY;INTERVAL={k};{EVERY_WEEK};BYSETPOS=-366" for k in range(1, 11)),
                )
                for n in range(50)
            )
        ),
        50,
    ),
    "exceptions without their master": (lambda: calendar(*exceptions("u", 4_000)), 4_000),
    "a series with 4,000 exceptions": (
        lambda: calendar(event("u", "RRULE:FREQ=DAILY"), *exceptions("u", 4_000, *guests(3))),
        1,
    ),
    "exceptions with too many guests": (
        lambda: calendar(event("u", "RRULE:FREQ=DAILY"), *exceptions("u", 1_000, *guests(80))),
        1,
    ),
    "one event 30,000 times": (lambda: calendar(*[event("u", "SEQUENCE:1")], *[event("u")] * 30_000), 1),
    "10,000 events that say nothing": (lambda: calendar(*["BEGIN:VEVENT\r\n"] * 10_000), 10_000),
}


@pytest.mark.parametrize("name", CALENDARS)
def test_no_pull_and_no_page_of_a_calendar_takes_long_and_all_of_it_is_told(
    name: str, tmp_path: Path
) -> None:
    make, count = CALENDARS[name]
    (tmp_path / "c.ics").write_bytes(make())
    told: set[str] = set()
    worst, cursor, more = 0.0, None, True
    with opened(ics=tmp_path / "c.ics") as connection:
        [channel] = connection.channels()
        while more:
            begun = time.process_time()
            page = connection.pull(channel, cursor, limit=4_000)
            worst, begun = max(worst, time.process_time() - begun), time.process_time()
            found = connection.get(channel, [item.id for item in page.items])
            worst = max(worst, time.process_time() - begun)
            assert not any(isinstance(each, Gone) for each in found)
            told.update(item.id for item in page.items)
            cursor, more = page.cursor, page.more
    assert page.complete
    assert len(told) == count
    assert worst < MOST_SECONDS


MEASURED = """
import re, sys
from pathlib import Path
from tests.connectors.files.support import Holder, opened
with opened(ics=Path(sys.argv[1])) as connection:
    [channel] = connection.channels()
    holder = Holder()
    holder.drain(connection, channel, 4_000)
    print(len(holder.held), int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not tell a process' memory"
)
def test_a_large_calendar_is_listed_in_bounded_memory(tmp_path: Path) -> None:
    raw = calendar(*(event(f"u{n}", *guests(100)) for n in range(1_000)))
    (tmp_path / "c.ics").write_bytes(raw)
    assert len(raw) > 12 << 20
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "c.ics")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    held, mebibytes = map(int, done.stdout.split())
    assert held == 1_000
    assert mebibytes < MOST_MEBIBYTES - 100, "one of 64 MiB needs as much more as it is larger"


def test_a_calendar_larger_than_a_part_comes_after_empty_pages_that_keep_their_cursor(tmp_path: Path) -> None:
    events = [event(f"u{n}", *guests(100)) for n in range(300)]
    (tmp_path / "c.ics").write_bytes(calendar(*events))
    with opened(ics=tmp_path / "c.ics") as connection:
        [channel] = connection.channels()
        holder = Holder()
        holder.drain(connection, channel, 1_000)
        empty = [page for page in holder.pages if not page.items]
        assert len(empty) >= sum(map(len, events)) // PART
        assert {page.cursor for page in empty} == {empty[0].cursor}
        assert all(page.more and not page.complete for page in empty)
        assert len(holder.held) == 300
        assert connection.pull(channel, holder.cursor, limit=1_000).more is False

    (tmp_path / "c.ics").write_bytes(calendar(*events[1:], event("new")))
    with opened(ics=tmp_path / "c.ics") as connection:
        known, holder.pages = holder.cursor, []
        holder.drain(connection, channel, 1_000)
        assert [page.cursor for page in holder.pages if not page.items][:1] == [known], "not begun anew"
        assert [len(page.items) for page in holder.pages if page.items] == [2]
        assert (id_of("new") in holder.held, id_of("u0") in holder.held) == (True, False)


def test_a_large_calendar_that_is_written_again_and_again_is_given_up_for_now(tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    with opened(ics=path.parent) as connection:
        path.write_bytes(calendar(*(event(f"u{n}", *guests(100)) for n in range(300))))
        [channel] = connection.channels()
        cursor = None
        for size in (301, 302, 303):
            page = connection.pull(channel, cursor, limit=1_000)
            assert (page.items, page.more) == ((), True)
            cursor = page.cursor
            path.write_bytes(calendar(*(event(f"u{n}", *guests(100)) for n in range(size))))
        with pytest.raises(Unreachable, match="changes while it is read"):
            connection.pull(channel, cursor, limit=1_000)
        holder = Holder()
        holder.drain(connection, channel, 1_000)
        assert len(holder.held) == 303


def test_an_event_is_read_although_its_calendar_was_not_listed_before(tmp_path: Path) -> None:
    (tmp_path / "c.ics").write_bytes(calendar(*(event(f"u{n}", *guests(100)) for n in range(300))))
    with opened(ics=tmp_path / "c.ics") as connection:
        [channel] = connection.channels()
        found = connection.get(channel, [id_of("u299"), id_of("nobody")])
        assert [type(each) for each in found] == [Record, Gone]


def test_a_series_of_too_many_guests_is_named_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "c.ics").write_bytes(CALENDARS["exceptions with too many guests"][0]())
    with opened(ics=tmp_path / "c.ics") as connection:
        [channel] = connection.channels()
        [found] = connection.get(channel, [id_of("u")])
    assert isinstance(found, Broken)
    assert found.why == "it has more than 5,000 exceptions, or too many guests or dates in them"
