"""What changes while a channel is enumerated is known of it afterwards, whichever form its cursor has."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest
from tests.connectors.files.support import Holder, id_of, message, opened

from autocapture.connector import Broken
from autocapture_files.connection import WHOLE

WRITES = count(1_700_000_000)
"""A time of its own for each write."""

EITHER_FORM = pytest.mark.usefixtures("form")


@pytest.fixture(params=["listing", "sums"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cursor remembers: a listing, or sums as of a channel too large for one."""
    if request.param == "sums":
        monkeypatch.setattr("autocapture_files.cursor.KNOWN_LIMIT", 0)


def maildir(root: Path, numbers: str) -> Path:
    for part in ("new", "cur", "tmp"):
        (root / part).mkdir()
    for number in numbers:
        deliver(root, number)
    return root


def deliver(root: Path, number: str) -> None:
    (root / "new" / number).write_bytes(message(number))


def calendar(path: Path, **titles: str) -> Path:
    events = (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20261116T090000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        for uid, title in titles.items()
    )
    path.write_text(f"BEGIN:VCALENDAR\r\n{''.join(events)}END:VCALENDAR\r\n", newline="")
    written_at = next(WRITES)
    os.utime(path, (written_at, written_at))
    return path


@EITHER_FORM
def test_mail_that_came_and_was_listed_and_left_meanwhile_is_not_held(tmp_path: Path) -> None:
    root = maildir(tmp_path, "1235")
    holder = Holder()
    with opened(maildir=root) as connection:
        channel = connection.channels()[0]
        assert holder.step(connection, channel, limit=2)
        deliver(root, "4")
        assert not holder.step(connection, channel, limit=3)
        (root / "new" / "4").unlink()
        holder.drain(connection, channel)
        assert sorted(holder.held) == ["1", "2", "3", "5"]


@EITHER_FORM
def test_mail_that_came_too_late_to_be_listed_follows(tmp_path: Path) -> None:
    root = maildir(tmp_path, "1357")
    holder = Holder()
    with opened(maildir=root) as connection:
        channel = connection.channels()[0]
        assert holder.step(connection, channel, limit=3)
        deliver(root, "2")
        assert not holder.step(connection, channel, limit=3)
        holder.drain(connection, channel)
        assert sorted(holder.held) == ["1", "2", "3", "5", "7"]
    assert sum(page.complete for page in holder.pages) == 1


@EITHER_FORM
def test_mail_that_left_meanwhile_listed_or_not_is_not_held(tmp_path: Path) -> None:
    root = maildir(tmp_path, "1234")
    holder = Holder()
    with opened(maildir=root) as connection:
        channel = connection.channels()[0]
        assert holder.step(connection, channel, limit=2)
        (root / "new" / "1").unlink()
        (root / "new" / "3").unlink()
        assert not holder.step(connection, channel, limit=2)
        holder.drain(connection, channel)
        assert sorted(holder.held) == ["2", "4"]


@EITHER_FORM
def test_an_event_that_was_another_one_only_while_it_was_listed_is_told_again(tmp_path: Path) -> None:
    """Versions are of the content here: what was changed and changed back is the same version."""
    path = calendar(tmp_path / "work.ics", a="one", b="one", c="one")
    holder, before = Holder(), Holder()
    with opened(ics=path) as connection:
        [channel] = connection.channels()
        before.drain(connection, channel)
        assert holder.step(connection, channel, limit=1)
        calendar(path, a="two", b="two", c="two")
        assert not holder.step(connection, channel, limit=2)
        calendar(path, a="one", b="one", c="one")
        holder.drain(connection, channel)
        assert holder.held == before.held


@EITHER_FORM
def test_what_is_enumerated_once_a_file_can_be_read_is_followed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autocapture_files.calendars.CALENDAR_LIMIT", 1_000)
    path = calendar(tmp_path / "work.ics", a="too long" * 200)
    holder = Holder()
    with opened(ics=path) as connection:
        [channel] = connection.channels()
        page = connection.pull(channel, None, limit=2)
        assert [(type(item), item.id) for item in page.items] == [(Broken, WHOLE)]
        holder.cursor, holder.listed = page.cursor, set()
        calendar(path, a="1", b="1", c="1", d="1")
        assert holder.step(connection, channel, limit=3)
        assert not holder.step(connection, channel, limit=3)
        calendar(path, b="1")
        holder.drain(connection, channel)
        assert list(holder.held) == [id_of("b")]


def test_a_listing_that_outgrows_the_cursor_in_its_course_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = maildir(tmp_path, "123456789")
    holder = Holder()
    monkeypatch.setattr("autocapture_files.cursor.KNOWN_LIMIT", 100)
    with opened(maildir=root) as connection:
        channel = connection.channels()[0]
        forms = []
        while holder.step(connection, channel, limit=2):
            forms.append('"known":null' in str(holder.cursor))
        assert sorted(set(forms)) == [False, True], "small at first, and then large"
        deliver(root, "a")
        holder.drain(connection, channel)
        assert sum(page.complete for page in holder.pages) == 1, "one addition needs no new enumeration"
        (root / "new" / "1").unlink()
        holder.drain(connection, channel)
        assert sorted(holder.held) == list("23456789a")
