"""Folders whose pages say little: only what is left out, nothing at all, the same again, or less than their neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlmodel import select

from autocapture.connector import Channel, Page
from autocapture.model.accounts import Channel as Row
from autocapture.model.ledger import LedgerEntry
from autocapture.records import EmailRecord
from autocapture.store.engine import reading
from autocapture.testing.fakes.source import email
from autocapture.testing.fakes.uids import Folder, UidConnection, UidWorld
from autocapture.testing.loop import Loop
from autocapture.workflows.change_scope import Scope, change_scope, scope_of

FIRST, SECOND = "folder0", "folder1"
MACHINES_UP_TO = 20


@pytest.fixture
def loop() -> Iterator[Loop]:
    with Loop(UidWorld()) as made:
        yield made


def folder(loop: Loop, name: str) -> Folder:
    assert isinstance(loop.world, UidWorld)
    return loop.world.source.folders[name]


def fill(loop: Loop, name: str, numbers: range) -> None:
    for number in numbers:
        folder(loop, name).append(number)


def items(numbers: range) -> Counter[str]:
    return Counter(f"item {number}" for number in numbers)


def written_by_a_machine_at_first(number: int) -> EmailRecord:
    record = email(number)
    return (
        replace(record, headers={"auto-submitted": "auto-generated"}) if number < MACHINES_UP_TO else record
    )


def outcomes(loop: Loop) -> Counter[str]:
    with reading(loop.app.engine) as session:
        return Counter(session.exec(select(LedgerEntry.outcome)))


def test_pages_of_nothing_but_skipped_mail_move_the_cursor_on() -> None:
    """Four pages and more of them: what comes behind is reached, and none of it is read twice."""
    world = UidWorld()
    world.source.compose = written_by_a_machine_at_first
    with Loop(world) as loop:
        fill(loop, FIRST, range(MACHINES_UP_TO))
        loop.drain()
        assert outcomes(loop) == {"skipped": MACHINES_UP_TO}
        known, asked = loop.cursors(), world.requests() or 0
        loop.capture()
        assert loop.cursors() == known
        assert (world.requests() or 0) - asked <= 1 + world.channel_count, "not begun anew"
        fill(loop, FIRST, range(MACHINES_UP_TO, MACHINES_UP_TO + 5))
        loop.drain()
        assert loop.held()[0] == items(range(MACHINES_UP_TO, MACHINES_UP_TO + 5))


def test_each_folder_goes_on_from_where_it_was_itself(loop: Loop) -> None:
    """One is far ahead of the other, in numbers and in what was read of it."""
    fill(loop, FIRST, range(40))
    fill(loop, SECOND, range(100, 102))
    loop.drain()
    fill(loop, SECOND, range(102, 104))
    loop.drain()
    fill(loop, FIRST, range(40, 42))
    loop.drain()
    assert loop.held() == [items(range(42)), items(range(100, 104))]


def test_a_folder_that_comes_later_is_read_from_its_first_mail(loop: Loop) -> None:
    fill(loop, FIRST, range(5))
    loop.drain()
    assert isinstance(loop.world, UidWorld)
    loop.world.source.folders["folder2"] = Folder()
    fill(loop, "folder2", range(50, 57))
    loop.drain()
    assert loop.held() == [items(range(5)), Counter(), items(range(50, 57))]


def test_a_folder_that_was_left_out_is_read_whole_when_it_is_back(loop: Loop) -> None:
    """Also what came while it was left out."""
    fill(loop, FIRST, range(5))
    fill(loop, SECOND, range(50, 55))
    loop.drain()
    everything = scope_of(loop.app, loop.account_id)
    without = Scope(everything.since, everything.level, frozenset({SECOND}))
    assert change_scope(loop.app, loop.account_id, without, purge=True).removed == 5
    fill(loop, SECOND, range(55, 60))
    loop.drain()
    assert sorted(loop.activities()) == sorted(items(range(5)))
    change_scope(loop.app, loop.account_id, everything)
    loop.drain()
    assert loop.held() == [items(range(5)), items(range(50, 60))]


class RoundInACircle(UidConnection):
    """The first folder's pages lead back to where they came from."""

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        page = super().pull(channel, cursor, limit=limit)
        return replace(page, more=True, complete=False) if channel.id == FIRST else page


def test_pages_that_lead_round_in_a_circle_come_to_an_end() -> None:
    """They are given up for now, what they told is kept, and the other folder is captured."""
    with Loop(UidWorld(connection=RoundInACircle)) as loop:
        fill(loop, FIRST, range(5))
        fill(loop, SECOND, range(50, 55))
        report = loop.capture()
        assert report is not None
        assert report.status == "incomplete"
        assert loop.held() == [items(range(5)), items(range(50, 55))]
        with reading(loop.app.engine) as session:
            told = {row.source_id: row.last_error for row in session.exec(select(Row))}
    assert told == {FIRST: "the provider's pages lead round in a circle", SECOND: None}
