"""One conformance suite for every connector, a third party's too.

A harness (`SourceWorld`) puts a source under the test's control; `ConnectorContract` runs the real engine on a real database
over the connector, interleaving changes at the source, changes in the middle of a pull, faults, poison, expired cursors and
crashes at every kind of point, and checks after each recovery:

1. no loss: what the source holds is held here, or quarantined;
2. no ghosts: nothing is held that the source no longer has;
3. no duplicates: one activity an item, and an idle run writes nothing;
4. stability: an untouched item is there at every observable moment, even during a reset;
5. liveness: the channel comes to rest within a bounded number of runs, and poison blocks nobody;
6. idle is cheap: few requests where nothing changed;
7. the source is not written to.

A connector's test file fits on a screen::

    class TestMyConnector(ConnectorContract):
        def make_world(self, directory: Path) -> SourceWorld:
            return MyWorld(directory)
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from autocapture.connector import Channel, Connector, Credential
from autocapture.errors import CursorExpired


class SourceWorld(ABC):
    """A source under the test's control, and how the connector reaches it.

    Items are named by the tests' own numbers. `content` of an item is what must be found in the store: its subject, title, or
    for a call the other party's number and the seconds talked. `can` names what the source is able to do: edit, remove, move
    (to another channel), expire (cursors), poison (make an item unreadable and readable again).
    """

    can: ClassVar[frozenset[str]] = frozenset({"remove"})
    channel_count: ClassVar[int] = 1
    idle_requests: ClassVar[int] = 3
    """The most requests one idle channel may cost."""

    connector: Connector[Any]
    options: Mapping[str, Any]
    credential: Credential = None

    @abstractmethod
    def add(self, number: int, channel: int) -> None:
        """A new item appears in the channel."""

    @abstractmethod
    def truth(self) -> list[Counter[str]]:
        """The contents of the readable items of each channel now."""

    def unreadable(self) -> list[int]:
        """How many items of each channel cannot be read now."""
        return [0] * self.channel_count

    def edit(self, number: int) -> None:
        raise NotImplementedError

    def remove(self, number: int) -> None:
        raise NotImplementedError

    def move(self, number: int, channel: int) -> None:
        raise NotImplementedError

    def expire(self) -> None:
        """Every cursor given out so far is refused from now on."""
        raise NotImplementedError

    def poison(self, number: int) -> None:
        raise NotImplementedError

    def heal(self, number: int) -> None:
        raise NotImplementedError

    def on_step(self, act: Any) -> None:  # noqa: B027 -- optional
        """Sources that can: call `act` once, in the middle of the connector's next request. Default: never."""

    def requests(self) -> int | None:
        """Requests the source has answered so far, or None where it cannot count."""
        return None

    def fingerprint(self) -> object:
        """Anything that would change if the connector wrote to the source. Changes made by the test itself may change it."""
        return None

    def close(self) -> None:  # noqa: B027 -- optional
        """Stops what was started."""


class ConnectorContract(ABC):
    """Derive, say how to make a world, and pytest runs the suite."""

    max_examples: ClassVar[int] = 25
    steps: ClassVar[int] = 25
    shrink: ClassVar[bool] = False
    """Whether a failure is made small before it is reported; that can take minutes."""

    derandomize: ClassVar[bool] = True
    """The same examples at every run; a soak sets it to False."""

    @abstractmethod
    def make_world(self, directory: Path) -> SourceWorld: ...

    def test_whatever_happens_the_store_comes_to_equal_the_source(self) -> None:
        from autocapture.testing.machine import make_machine

        with tempfile.TemporaryDirectory() as root:
            machine: type[RuleBasedStateMachine] = make_machine(self.make_world, Path(root))
            run_state_machine_as_test(  # type: ignore[no-untyped-call]
                machine,
                settings=settings(
                    max_examples=self.max_examples,
                    stateful_step_count=self.steps,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    phases=(Phase.generate, Phase.shrink) if self.shrink else (Phase.generate,),
                    database=None,
                    derandomize=self.derandomize,
                    print_blob=True,
                ),
            )

    def test_an_idle_run_asks_little_and_writes_nothing(self, tmp_path: Path) -> None:
        from autocapture.testing.loop import Loop

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
        from autocapture.testing.loop import Loop

        world = self.make_world(tmp_path)
        with Loop(world) as loop, loop.open() as connection:
            world.add(0, 0)
            channel = connection.channels()[0]
            for old in ("", "garbage", "{}", '{"v": 0}', "[]", "null"):
                try:
                    connection.pull(channel, old, limit=10)
                except CursorExpired:
                    continue
                raise AssertionError(f"the cursor {old!r} was accepted")

    def test_a_cursor_survives_a_restart(self, tmp_path: Path) -> None:
        from autocapture.testing.loop import Loop

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
        from autocapture.connector import Gone
        from autocapture.testing.loop import Loop

        world = self.make_world(tmp_path)
        if "remove" not in world.can:
            world.close()
            return
        with Loop(world) as loop:
            world.add(0, 0)
            world.add(1, 0)
            loop.drain()
            ids = loop.source_ids()
            world.remove(0)
            with loop.open() as connection:
                channel = connection.channels()[0]
                answers = {item.id: item for item in connection.get(channel, ids)}
            assert set(answers) == set(ids)
            assert sum(isinstance(item, Gone) for item in answers.values()) == 1
