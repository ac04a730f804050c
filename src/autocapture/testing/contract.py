"""One conformance suite for every connector, a third party's too.

A harness (`SourceWorld`) puts a source under the test's control; `ConnectorContract` runs the real engine on a real database
over the connector, interleaving changes at the source, changes in the middle of a pull, faults, poison, expired cursors,
crashes and lost leases at every kind of point, and checks after each recovery:

1. no loss: what the source holds is held here, or quarantined;
2. no ghosts: nothing is held that the source no longer has;
3. no duplicates: an item is one activity and stays that one, and an idle run writes nothing;
4. stability: an untouched item is there at every observable moment, even during a reset;
5. liveness: the channel comes to rest within a bounded number of runs, and poison blocks nobody;
6. idle is cheap: few requests where nothing changed;
7. the source is not written to.

A connector's test file fits on a screen::

    class TestMyConnector(ConnectorContract):
        def make_world(self, directory: Path) -> SourceWorld:
            return MyWorld(directory)

It needs the extra ``autocapture[testing]``: hypothesis and pytest are no part of the running service.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from autocapture.connector import Channel, Gone
from autocapture.errors import AutocaptureError, CredentialRejected, CursorExpired, RateLimited, Unreachable
from autocapture.testing.loop import Loop
from autocapture.testing.points import Disturbance
from autocapture.testing.source_world import SourceWorld

try:
    import pytest

    from autocapture.testing.machine import make_machine, search
except ModuleNotFoundError as missing:
    if missing.name not in ("hypothesis", "pytest"):
        raise
    raise ImportError(f"the conformance suite needs {missing.name}: install autocapture[testing]") from None

__all__ = ["ConnectorContract", "SourceWorld"]

LATER = timedelta(minutes=7)


class ConnectorContract(ABC):
    """Derive, say how to make a world, and pytest runs the suite."""

    max_examples: ClassVar[int] = 25
    steps: ClassVar[int] = 25
    shrink: ClassVar[bool] = False
    """Whether a failure is made small before it is reported; that can take minutes."""

    soak_examples: ClassVar[int] = 200
    soak_steps: ClassVar[int] = 40

    @abstractmethod
    def make_world(self, directory: Path) -> SourceWorld: ...

    def test_whatever_happens_the_store_comes_to_equal_the_source(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            machine = make_machine(self.make_world, Path(root))
            search(
                machine,
                max_examples=self.max_examples,
                steps=self.steps,
                shrink=self.shrink,
                derandomize=True,
            )

    @pytest.mark.soak
    def test_a_long_search_finds_nothing_either(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            machine = make_machine(self.make_world, Path(root))
            search(
                machine,
                max_examples=self.soak_examples,
                steps=self.soak_steps,
                shrink=self.shrink,
                derandomize=False,
            )

    def test_an_idle_run_asks_little_and_writes_nothing(self, tmp_path: Path) -> None:
        world = self.make_world(tmp_path)
        with Loop(world) as loop:
            for number in range(7):
                world.add(number, number % world.channel_count)
            loop.drain()
            before, rows = world.requests(), loop.rows()
            seen = world.fingerprint()
            loop.capture()
            after = world.requests()
            assert loop.rows() == rows
            assert world.fingerprint() == seen
            if before is not None and after is not None:
                assert after - before <= world.idle_requests * world.channel_count

    def test_an_unknown_form_of_cursor_is_expired_not_an_error(self, tmp_path: Path) -> None:
        world = self.make_world(tmp_path)
        with Loop(world) as loop, loop.open() as connection:
            world.add(0, 0)
            channel = connection.channels()[0]
            for old in ("", "garbage", "{}", '{"v": 0}', "[]", "null"):
                with pytest.raises(CursorExpired):
                    connection.pull(channel, old, limit=10)

    def test_a_cursor_survives_a_restart(self, tmp_path: Path) -> None:
        world = self.make_world(tmp_path)
        with Loop(world) as loop:
            world.add(0, 0)
            cursors: dict[Channel, str] = {}
            with loop.open() as connection:
                for channel in connection.channels():
                    page = connection.pull(channel, None, limit=100)
                    while page.more:
                        page = connection.pull(channel, page.cursor, limit=100)
                    cursors[channel] = page.cursor
            with loop.open() as connection:
                for channel, cursor in cursors.items():
                    page = connection.pull(channel, cursor, limit=100)
                    assert not page.more

    def test_an_id_that_is_not_there_is_gone(self, tmp_path: Path) -> None:
        world = self.make_world(tmp_path)
        with Loop(world) as loop:
            if "remove" not in world.can:
                pytest.skip("nothing is ever removed at this source")
            world.add(0, 0)
            world.add(1, 0)
            loop.drain()
            ids = loop.source_ids()
            world.remove(0)
            with loop.open() as connection:
                channel = min(connection.channels(), key=lambda each: each.id)
                answers = {item.id: item for item in connection.get(channel, ids)}
            assert set(answers) == set(ids)
            assert sum(isinstance(item, Gone) for item in answers.values()) == 1

    def test_what_two_accounts_see_is_one_activity(self, tmp_path: Path) -> None:
        world = self.make_world(tmp_path)
        with Loop(world) as loop:
            for number in range(4):
                world.add(number, 0)
            loop.drain()
            seen = loop.activities()
            loop.account_id = loop.connect("second@ours.example")
            loop.drain()
            assert loop.held() == world.truth()
            assert loop.activities() == seen
            assert len(seen) == 4

    @pytest.mark.parametrize(
        ("fault", "status"),
        [
            (RateLimited("later", LATER), "rate_limited"),
            (Unreachable("gone"), "incomplete"),
            (CredentialRejected("wrong password"), "needs_reconnect"),
        ],
        ids=["rate_limited", "unreachable", "needs_reconnect"],
    )
    def test_a_fault_leaves_every_cursor_where_it_was(
        self, tmp_path: Path, fault: AutocaptureError, status: str
    ) -> None:
        def fail() -> None:
            raise fault

        world = self.make_world(tmp_path)
        with Loop(world) as loop:
            for number in range(7):
                world.add(number, number % world.channel_count)
            loop.drain()
            world.add(7, 0)
            cursors, failed_at = loop.cursors(), loop.clock.now()
            report = loop.capture(Disturbance(call=2, act=fail))
            assert report is not None
            assert report.status == status
            kept = [name for name, cursor in loop.cursors().items() if cursor == cursors[name]]
            assert len(kept) >= (1 if status == "incomplete" else world.channel_count)  # others may go on
            if isinstance(fault, RateLimited):
                assert loop.throttled_until() == failed_at + LATER
