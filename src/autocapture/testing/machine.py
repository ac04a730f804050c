"""The stateful search of the conformance suite: anything may happen to the source and to the process, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from autocapture.errors import RateLimited, Unreachable
from autocapture.testing.loop import Crash, Disturbance, Loop
from autocapture.testing.source_world import SourceWorld
from autocapture.workflows.report import CaptureReport

Result = TypeVar("Result")

NOTHING = Counter[str]()

CHANGES = st.tuples(
    st.sampled_from(["add", "add", "add", "edit", "remove", "move", "expire", "poison"]),
    st.integers(0, 30),
    st.integers(0, 3),
)
"""What happens to the source, to which of its items, and in which channel."""

BURST = st.lists(CHANGES, min_size=1, max_size=8)

CALL = st.integers(1, 12)
"""Which of a run's calls of the connection is disturbed. A run over two channels of small pages makes about a dozen."""


class ContractMachine(RuleBasedStateMachine):
    """Anything happens to a fresh world and to runs over it; `make_machine` says which world."""

    make_world: ClassVar[Callable[[Path], SourceWorld]]
    root: ClassVar[Path]
    examples: ClassVar[int] = 0
    """How many worlds were made so far."""

    world: SourceWorld
    loop: Loop

    @initialize(limit=st.integers(1, 3), items=st.integers(0, 9))
    def start(self, limit: int, items: int) -> None:
        kind = type(self)
        kind.examples += 1
        directory = kind.root / str(kind.examples)
        directory.mkdir()
        self.world = kind.make_world(directory)
        self.loop = Loop(self.world, page_limit=limit)
        self.issued = 0
        self.changes = 0
        self.alive: dict[int, int] = {}
        self.poisoned: set[int] = set()
        self.content: dict[int, str] = {}
        self.stable: set[str] = set()
        for _ in range(items):
            self._add(0)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            try:
                self._check_rest()
            finally:
                self.loop.__exit__()

    @rule(burst=BURST)
    def the_source_changes(self, burst: list[tuple[str, int, int]]) -> None:
        self._change_all(burst)

    @rule()
    @precondition(lambda self: bool(self.poisoned))
    def poison_is_healed(self) -> None:
        for number in sorted(self.poisoned):
            self._learn(number, partial(self.world.heal, number))
        self.poisoned.clear()

    @rule()
    def a_run_goes_well(self) -> None:
        self._capture()

    @rule(anew=st.booleans(), call=CALL, after=st.booleans(), limited=st.booleans(), rest=st.booleans())
    def a_run_meets_a_fault(self, anew: bool, call: int, after: bool, limited: bool, rest: bool) -> None:
        def fail() -> None:
            raise RateLimited("later", timedelta(seconds=1)) if limited else Unreachable("gone")

        self._begin(anew)
        self._capture(Disturbance(call=call, after=after, act=fail))
        self.loop.clock.advance(timedelta(hours=2))
        self._end(rest)

    @rule(anew=st.booleans(), call=CALL, after=st.booleans())
    def a_run_is_killed_at_a_call(self, anew: bool, call: int, after: bool) -> None:
        def die() -> None:
            raise Crash

        self._begin(anew)
        self._capture(Disturbance(call=call, after=after, act=die))

    @rule(anew=st.booleans(), statement=st.integers(1, 40))
    def a_run_is_killed_at_a_statement(self, anew: bool, statement: int) -> None:
        self._begin(anew)
        self._capture(Disturbance(statement=statement))

    @rule(anew=st.booleans(), call=CALL, after=st.booleans(), burst=BURST)
    def another_worker_takes_over(self, anew: bool, call: int, after: bool, burst: list[Any]) -> None:
        """A worker that slept through its lease writes nothing any more: what it read is old."""
        left: list[object] = []

        def take_over() -> None:
            self._change_all(burst)
            self.loop.take_over()
            left.append(self.loop.rows())

        self._begin(anew)
        report = self._capture(Disturbance(call=call, after=after, act=take_over))
        if left:
            assert report is not None
            assert report.status == "busy", "a worker went on without its lease"
            assert self.loop.rows() == left[0], "a worker wrote without its lease"

    @rule(anew=st.booleans(), call=CALL, after=st.booleans(), burst=BURST, rest=st.booleans())
    def the_source_changes_between_two_calls(
        self, anew: bool, call: int, after: bool, burst: list[Any], rest: bool
    ) -> None:
        self._begin(anew)
        self._capture(Disturbance(call=call, after=after, act=lambda: self._change_all(burst)))
        self._end(rest)

    @rule(anew=st.booleans(), nth=st.integers(1, 6), burst=BURST, rest=st.booleans())
    def the_source_changes_within_a_call(self, anew: bool, nth: int, burst: list[Any], rest: bool) -> None:
        self._begin(anew)
        self.world.on_step(lambda: self._change_all(burst), nth)
        self._capture()
        self.world.on_step(lambda: None, 1)  # had the run fewer requests, nothing is left behind
        self._end(rest)

    @rule()
    def everything_comes_to_rest(self) -> None:
        self._check_rest()

    @invariant()
    def an_untouched_item_is_always_there(self) -> None:
        if hasattr(self, "loop") and self.stable:
            held = sum(self.loop.held(), NOTHING)
            missing = sorted(content for content in self.stable if not held[content])
            assert not missing, f"disappeared though untouched: {missing}"

    def _begin(self, anew: bool) -> None:
        """Bugs of listings show while there is one: `anew` has the run begin with one."""
        if anew and "expire" in self.world.can:
            self._change("expire", None, 0)

    def _end(self, rest: bool) -> None:
        """What a run missed must be looked for before the next listing mends it."""
        if rest:
            self._check_rest()

    def _change_all(self, burst: list[tuple[str, int, int]]) -> None:
        for what, which, channel in burst:
            self._change(what, self._pick(what, which), channel % self.world.channel_count)

    def _pick(self, what: str, which: int) -> int | None:
        """An item for the change; a poisoned one can only be removed."""
        numbers = sorted(self.alive if what == "remove" else self.alive.keys() - self.poisoned)
        return numbers[which % len(numbers)] if numbers else None

    def _change(self, what: str, number: int | None, channel: int) -> None:
        """One change at the source; what it touches may be missing for a moment from now on, and nothing else."""
        world = self.world
        self.changes += 1
        if what == "expire" and what in world.can:
            world.expire()
        elif what == "add" or number is None or what not in world.can:
            self._add(channel)
        else:
            self.stable.discard(self.content[number])
            if what == "edit":
                self._learn(number, partial(world.edit, number))
            elif what == "remove":
                world.remove(number)
                del self.alive[number]
                self.poisoned.discard(number)
            elif what == "move":
                world.move(number, channel)
                self.alive[number] = channel
            elif what == "poison":
                world.poison(number)
                self.poisoned.add(number)

    def _add(self, channel: int) -> None:
        number, self.issued = self.issued, self.issued + 1
        self.alive[number] = channel
        self._learn(number, partial(self.world.add, number, channel))

    def _learn(self, number: int, change: Callable[[], None]) -> None:
        """The item's content is what the change adds to the truth."""
        before = sum(self.world.truth(), NOTHING)
        change()
        (self.content[number],) = sum(self.world.truth(), NOTHING) - before

    def _capture(self, disturbance: Disturbance | None = None) -> CaptureReport | None:
        return self._untouched(lambda: self.loop.capture(disturbance))

    def _check_rest(self) -> None:
        self._untouched(self.loop.drain)
        truth, held = self.world.truth(), self.loop.held()
        assert held == truth, f"held {held}, at the source {truth}"
        quarantined, unreadable = self.loop.quarantined(), self.world.unreadable()
        assert quarantined == unreadable, f"quarantined {quarantined}, unreadable {unreadable}"
        assert self.loop.activity_count() <= self.issued, "an item became two activities"
        before = self.loop.rows()
        self._untouched(self.loop.capture)
        written = {table for table, rows in self.loop.rows().items() if rows != before[table]}
        assert not written, f"an idle run wrote to {sorted(written)}"
        self.stable = set(sum(truth, NOTHING))

    def _untouched(self, work: Callable[[], Result]) -> Result:
        """Does `work`, during which the source may only be changed by the test itself."""
        before, changes = self.world.fingerprint(), self.changes
        result = work()
        assert self.changes != changes or self.world.fingerprint() == before, "the source was written to"
        return result


def make_machine(make_world: Callable[[Path], SourceWorld], root: Path) -> type[ContractMachine]:
    """A state machine class over fresh worlds made below `root`."""
    return type(
        "Machine", (ContractMachine,), {"make_world": staticmethod(make_world), "root": root, "examples": 0}
    )


def search(
    machine: type[ContractMachine], *, max_examples: int, steps: int, shrink: bool, derandomize: bool
) -> None:
    """Looks for a sequence of events that breaks a promise; raises what it broke. `shrink` makes the sequence small, which
    can take minutes; `derandomize` tries the same sequences at every run."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            database=None,
            derandomize=derandomize,
            report_multiple_bugs=False,
            print_blob=True,
        ),
    )
