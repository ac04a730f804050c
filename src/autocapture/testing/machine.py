"""The stateful search of the conformance suite: anything may happen to the source and to the process, in any order."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import accumulate, count
from pathlib import Path
from typing import ClassVar, TypeVar

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
from autocapture.testing.loop import Loop
from autocapture.testing.points import Crash, Disturbance
from autocapture.testing.promises import AtRest, Items
from autocapture.testing.source_world import SourceWorld
from autocapture.workflows.report import CaptureReport

Result = TypeVar("Result")
Change = tuple[str, int, int]

NOTHING = Counter[str]()
MANY = 12
"""Items from which on the source rather changes than grows: more would cost time and show nothing else."""

CHANGE = st.tuples(
    st.sampled_from([*["add"] * 4, *["edit"] * 3, *["remove"] * 3, *["move"] * 2, *["poison"] * 2, "expire"]),
    st.integers(0, 30),
    st.integers(0, 3),
)
"""What happens to the source, to which of its items, and in which channel."""

BURST = st.lists(CHANGE, min_size=1, max_size=5)


@dataclass(frozen=True)
class Course:
    """What happens around a run and in its course.

    `anew`: the run begins with expired cursors. Bugs of listings show while there is one; a listing mends what others miss.
    `during`: each change with the number of moments since the one before. A moment is a place within a request, or between
    two of them: a run has a few dozen. `rest`: what the run missed is looked for at once, before the next listing mends it.
    """

    before: list[Change]
    anew: bool
    during: list[tuple[int, Change]]
    rest: bool


ARRIVAL = st.tuples(st.just("add"), st.just(0), st.integers(0, 3))
GAP = st.sampled_from([3, 0, 1, 2, 5, 8, 13])

COURSE = st.one_of(
    st.builds(
        Course,
        before=BURST,  # a run without news shows little
        anew=st.booleans(),
        during=st.lists(st.tuples(GAP, CHANGE), max_size=6),
        rest=st.booleans(),
    ),
    st.builds(
        Course,  # where items only arrive, nothing mends what a run missed
        before=st.lists(ARRIVAL, min_size=1, max_size=4),
        anew=st.just(False),
        during=st.lists(st.tuples(GAP, ARRIVAL), max_size=2),
        rest=st.just(True),
    ),
)

CALL = st.sampled_from([3, 2, 4, 1, 5, 6, 8, 12])
"""Which of a run's calls of the connection is disturbed. A run over two channels makes three where there is no news, and a
dozen where there are small pages of it."""

STATEMENT = st.integers(1, 60)
"""Which statement that writes is a run's last."""


class ContractMachine(RuleBasedStateMachine):
    """Anything happens to a fresh world and to runs over it; `make_machine` says which world."""

    make_world: ClassVar[Callable[[Path], SourceWorld]]
    root: ClassVar[Path]
    examples: ClassVar[int] = 0
    """How many worlds were made so far."""

    world: SourceWorld
    loop: Loop

    @initialize(limit=st.sampled_from([2, 3, 1, 5]), items=st.integers(3, 9))
    def start(self, limit: int, items: int) -> None:
        kind = type(self)
        kind.examples += 1
        directory = kind.root / str(kind.examples)
        directory.mkdir()
        self.world = kind.make_world(directory)
        self.loop = Loop(self.world, page_limit=limit)
        self.items = Items()
        self.changes = 0
        self.is_at_rest = False
        self.activity: dict[int, int] = {}
        self.stable: set[str] = set()
        for number in range(items):
            self._add(number % self.world.channel_count)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            try:
                self._check_rest()
            finally:
                self.loop.__exit__()

    @rule(burst=BURST, rest=st.booleans())
    def the_source_changes(self, burst: list[Change], rest: bool) -> None:
        self._change_all(burst)
        if rest:
            self._check_rest()

    @rule(seen=st.booleans())
    @precondition(lambda self: bool(self.items.poisoned))
    def poison_is_healed(self, seen: bool) -> None:
        """After a run has met it, or before. Only what is asked for again is found, so it is looked for at once."""
        if seen:
            self._capture()
        self.is_at_rest = False
        for number in sorted(self.items.poisoned):
            self._learn(number, partial(self.world.heal, number))
        self.items.poisoned.clear()
        self._check_rest()

    @rule(course=COURSE)
    def a_run_is_overtaken_by_changes(self, course: Course) -> None:
        self._run(course, Disturbance())

    @rule(course=COURSE, call=CALL, after=st.booleans(), limited=st.booleans())
    def a_run_meets_a_fault(self, course: Course, call: int, after: bool, limited: bool) -> None:
        def fail() -> None:
            raise RateLimited("later", timedelta(seconds=1)) if limited else Unreachable("gone")

        self._run(course, Disturbance(call=call, after=after, act=fail))

    @rule(course=COURSE, call=CALL, after=st.booleans())
    def a_run_is_killed_at_a_call(self, course: Course, call: int, after: bool) -> None:
        def die() -> None:
            raise Crash

        self._run(course, Disturbance(call=call, after=after, act=die))

    @rule(course=COURSE, statement=STATEMENT)
    def a_run_is_killed_at_a_statement(self, course: Course, statement: int) -> None:
        self._run(course, Disturbance(statement=statement))

    @rule(course=COURSE, call=CALL, after=st.booleans(), burst=BURST)
    def another_worker_takes_over(self, course: Course, call: int, after: bool, burst: list[Change]) -> None:
        """A worker that slept through its lease writes nothing any more: what it read is old."""
        left: list[object] = []

        def take_over() -> None:
            self._change_all(burst)
            self.loop.take_over()
            left.append(self.loop.rows())

        def writes_no_more(report: CaptureReport | None) -> None:
            if left:
                assert report is not None
                assert report.status == "busy", "a worker went on without its lease"
                assert self.loop.rows() == left[0], "a worker wrote without its lease"

        self._run(course, Disturbance(call=call, after=after, act=take_over), writes_no_more)

    @invariant()
    def an_untouched_item_is_always_there(self) -> None:
        if hasattr(self, "loop") and self.stable:
            held = sum(self.loop.held(), NOTHING)
            missing = sorted(content for content in self.stable if not held[content])
            assert not missing, f"disappeared though untouched: {missing}"

    def _run(
        self,
        course: Course,
        disturbance: Disturbance,
        check: Callable[[CaptureReport | None], None] | None = None,
    ) -> None:
        self._change_all(course.before)
        if course.anew and "expire" in self.world.can:
            self._change("expire", None, 0)
        report = self._capture(disturbance, course.during)
        if check is not None:
            check(report)
        if course.rest:
            self._check_rest()

    def _change_all(self, burst: Sequence[Change]) -> None:
        for change in burst:
            self._happens(change)

    def _happens(self, change: Change) -> None:
        what, which, channel = change
        if (
            what not in self.world.can and what != "add"
        ):  # a source that cannot do it does something that it can
            able = sorted(self.world.can - {"expire"} | {"add"})
            what = able[which % len(able)]
        if what == "add" and len(self.items.alive) >= MANY and "remove" in self.world.can:
            what = "remove"
        self._change(what, self._pick(what, which), channel % self.world.channel_count)

    def _pick(self, what: str, which: int) -> int | None:
        """An item for the change; a poisoned one can only be removed."""
        items = self.items
        numbers = sorted(items.alive if what == "remove" else items.alive - items.poisoned)
        return numbers[which % len(numbers)] if numbers else None

    def _change(self, what: str, number: int | None, channel: int) -> None:
        """One change at the source; what it touches may be missing for a moment from now on, and nothing else."""
        world, items = self.world, self.items
        self.changes += 1
        self.is_at_rest = False
        if what == "expire":
            world.expire()
        elif what == "add" or number is None:
            self._add(channel)
        else:
            self.stable.discard(items.content[number])
            if what == "edit":
                self._learn(number, partial(world.edit, number))
            elif what == "remove":
                world.remove(number)
                items.alive.discard(number)
                items.poisoned.discard(number)
            elif what == "move":
                world.move(number, channel)
            elif what == "poison":
                world.poison(number)
                items.poisoned.add(number)

    def _add(self, channel: int) -> None:
        number = len(self.items.content)
        self._learn(number, partial(self.world.add, number, channel))

    def _learn(self, number: int, change: Callable[[], None]) -> None:
        """The item's content is what the change adds to the truth."""
        before = sum(self.world.truth(), NOTHING)
        change()
        (content,) = sum(self.world.truth(), NOTHING) - before
        self.items.learn(number, content)

    def _capture(
        self, disturbance: Disturbance | None = None, during: Sequence[tuple[int, Change]] = ()
    ) -> CaptureReport | None:
        """One run, in the course of which the changes `during` happen."""
        self.is_at_rest = False
        disturbance = disturbance or Disturbance()
        moments = count()
        due = deque(zip(accumulate(gap for gap, _ in during), (change for _, change in during), strict=True))

        def at_moment() -> None:
            now = next(moments)
            while due and due[0][0] <= now:
                self._happens(due.popleft()[1])

        disturbance.at_moment = at_moment
        report = self._untouched(lambda: self.loop.capture(disturbance))
        if report is not None:
            assert report.status != "broken", f"a defect: {report.why}"
        return report

    def _check_rest(self) -> None:
        """Undisturbed, the account comes to rest, and the store equals the source."""
        if self.is_at_rest:
            return
        self._untouched(self.loop.drain)
        truth, activities = self.world.truth(), self.loop.activities()
        at_rest = AtRest(
            self.items,
            truth,
            self.loop.held(),
            self.world.unreadable(),
            self.loop.quarantined(),
            activities,
        )
        broken = at_rest.broken()
        assert not broken, "; ".join(broken)
        for number in self.items.alive - self.items.poisoned:
            (activity_id,) = activities[self.items.content[number]]
            first = self.activity.setdefault(number, activity_id)
            assert activity_id == first, f"item {number} became another activity"
        self.stable = set(sum(truth, NOTHING))
        self.is_at_rest = True

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
