"""The stateful search of the conformance suite: anything may happen to the source and to the process, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autocapture.errors import RateLimited, Unreachable
from autocapture.testing.contract import SourceWorld
from autocapture.testing.loop import Crash, Disturbance, Loop

NOTHING = Counter[str]()


def make_machine(make_world: Callable[[Path], SourceWorld], root: Path) -> type[RuleBasedStateMachine]:
    """A state machine class over fresh worlds made below `root`."""
    serial = count()

    class Machine(RuleBasedStateMachine):
        world: SourceWorld
        loop: Loop

        @initialize(limit=st.integers(1, 4), items=st.integers(0, 9))
        def start(self, limit: int, items: int) -> None:
            directory = root / str(next(serial))
            directory.mkdir()
            self.world = make_world(directory)
            self.loop = Loop(self.world, page_limit=limit)
            self.issued = 0
            self.alive: dict[int, int] = {}
            self.poisoned: set[int] = set()
            self.stable: set[str] = set()
            for _ in range(items):
                self._add(0)

        def teardown(self) -> None:
            if hasattr(self, "loop"):
                try:
                    self._check_rest()
                finally:
                    self.loop.__exit__()

        def _add(self, channel: int) -> None:
            number, self.issued = self.issued, self.issued + 1
            channel %= self.world.channel_count
            self.world.add(number, channel)
            self.alive[number] = channel

        def _pick(self, which: int) -> int | None:
            numbers = sorted(self.alive.keys() - self.poisoned)
            return numbers[which % len(numbers)] if numbers else None

        def _change(self, what: str, which: int, channel: int) -> None:
            """One change at the source; what was touched may be missing for a moment from now on."""
            self.stable = set()
            number = self._pick(which)
            if what == "add" or number is None or what not in self.world.can:
                self._add(channel)
            elif what == "edit":
                self.world.edit(number)
            elif what == "remove":
                self.world.remove(number)
                del self.alive[number]
            elif what == "move":
                self.world.move(number, channel % self.world.channel_count)
                self.alive[number] = channel % self.world.channel_count
            elif what == "expire":
                self.world.expire()
            elif what == "poison":
                self.world.poison(number)
                self.poisoned.add(number)

        changes = st.tuples(
            st.sampled_from(["add", "add", "add", "edit", "remove", "move", "expire", "poison"]),
            st.integers(0, 30),
            st.integers(0, 3),
        )

        @rule(burst=st.lists(changes, min_size=1, max_size=6))
        def the_source_changes(self, burst: list[tuple[str, int, int]]) -> None:
            for change in burst:
                self._change(*change)

        @rule()
        @precondition(lambda self: bool(self.poisoned))
        def poison_is_healed(self) -> None:
            self.stable = set()
            for number in sorted(self.poisoned):
                self.world.heal(number)
            self.poisoned.clear()

        @rule()
        def a_run_goes_well(self) -> None:
            self.loop.capture()

        @rule(call=st.integers(1, 8), after=st.booleans(), limited=st.booleans())
        def a_run_meets_a_fault(self, call: int, after: bool, limited: bool) -> None:
            def fail() -> None:
                raise RateLimited("later", timedelta(seconds=1)) if limited else Unreachable("gone")

            self.loop.capture(Disturbance(call=call, after=after, act=fail))
            self.loop.clock.advance(timedelta(hours=2))

        @rule(call=st.integers(1, 8), after=st.booleans())
        def a_run_is_killed_at_a_call(self, call: int, after: bool) -> None:
            def die() -> None:
                raise Crash

            self.loop.capture(Disturbance(call=call, after=after, act=die))

        @rule(statement=st.integers(1, 40))
        def a_run_is_killed_at_a_statement(self, statement: int) -> None:
            self.loop.capture(Disturbance(statement=statement))

        @rule(call=st.integers(1, 8), after=st.booleans(), burst=st.lists(changes, min_size=1, max_size=4))
        def the_source_changes_between_two_calls(self, call: int, after: bool, burst: list[Any]) -> None:
            def change() -> None:
                for each in burst:
                    self._change(*each)

            self.loop.capture(Disturbance(call=call, after=after, act=change))

        @rule(burst=st.lists(changes, min_size=1, max_size=4))
        def the_source_changes_within_a_call(self, burst: list[Any]) -> None:
            def change() -> None:
                for each in burst:
                    self._change(*each)

            self.world.on_step(change)
            self.loop.capture()

        @rule()
        def everything_comes_to_rest(self) -> None:
            self._check_rest()

        @invariant()
        def an_untouched_item_is_always_there(self) -> None:
            if hasattr(self, "loop") and self.stable:
                held = sum(self.loop.held(), NOTHING)
                missing = sorted(content for content in self.stable if not held[content])
                assert not missing, f"disappeared though untouched: {missing}"

        def _check_rest(self) -> None:
            self.loop.drain()
            truth, held = self.world.truth(), self.loop.held()
            assert held == truth, f"held {held}, at the source {truth}"
            assert self.loop.quarantined() == self.world.unreadable()
            assert self.loop.activity_count() <= self.issued, "an item became two activities"
            before = self.loop.rows()
            self.loop.capture()
            written = {table for table, rows in self.loop.rows().items() if rows != before[table]}
            assert not written, f"an idle run wrote to {sorted(written)}"
            self.stable = set(sum(truth, NOTHING))

    return Machine
