"""The run: each database is filled once, and every program looks at the same messages once a round, in turning order."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autocapture.errors import SetupError
from autocapture.testing.bench.match.crm import Size
from autocapture.testing.bench.match.goals import DATABASES, POSTGRES, Figures, Found
from autocapture.testing.bench.match.programs import OURS, PER_ROW, PROGRAMS
from autocapture.testing.bench.match.servers import postgres_database
from autocapture.workflows.pulling import PAGE_LIMIT

Say = Callable[[str], None]
_WARM = 0
"""The seed of messages by which every program is tried first; the rounds count from 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: `messages` in all, a part of them each round; `activities` are stored and matched anew. `batch`
    messages are matched at once, as many as a first capture brings. `server`: a PostgreSQL by its URL, None for one of our own.
    """

    messages: int = 100_000
    rounds: int = 5
    size: Size = field(default_factory=Size)
    activities: int = 10_000
    mails: int = 100
    batch: int = PAGE_LIMIT
    one_by_one: int = 400
    without: Collection[str] = ()
    databases: Collection[str] = DATABASES
    server: str | None = None


def measure(plan: Plan, say: Say) -> Found:
    """All figures. Raises RuntimeError where programs disagree on who is who; a database that cannot be had is named in
    `skipped`."""
    found = Found(plan.messages, plan.rounds, plan.batch, plan.activities, asdict(plan.size))
    for name in plan.databases:
        try:
            with _database(name, plan) as (home, url):
                found.databases[name] = _figures(plan, home, url, _speaking_of(name, say))
        except SetupError as problem:
            found.skipped[name] = str(problem)
    if not found.databases:
        raise SetupError("; ".join(found.skipped.values()))
    return found


def _speaking_of(name: str, say: Say) -> Say:
    return lambda line: say(f"{name}: {line}")


@contextmanager
def _database(name: str, plan: Plan) -> Iterator[tuple[Path, str]]:
    """A home folder that is not there yet, and the address of an empty database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if name == POSTGRES:
            yield folder / "home", stack.enter_context(postgres_database(plan.server))
        else:
            yield folder / "home", f"sqlite:///{folder / 'bench.db'}"


def _figures(plan: Plan, home: Path, url: str, say: Say) -> Figures:
    found = Figures()
    with ExitStack() as stack:

        def process(program: str) -> Process:
            return stack.enter_context(_process(home, url, plan, program))

        say(f"{plan.size.contacts} contacts of {plan.size.companies} companies are loaded")
        ours = process(OURS)
        ours.ask("make")
        kept = [name for name in PROGRAMS if name == OURS or name not in plan.without]
        programs = {name: ours if name == OURS else process(name) for name in kept}
        _agree(programs, plan)
        for round_ in range(1, plan.rounds + 1):
            say(f"people and companies, round {round_} of {plan.rounds}")
            for name in _rotated(list(programs), round_):
                found.people.add(name, programs[name].ask("run", seed=round_, messages=_share(plan, name)))
        for name, other in programs.items():
            if name != OURS:
                other.end()
        say(f"{plan.size.deals} deals are loaded")
        ours.ask("add_deals")
        _with_deals(plan, process(OURS), found, say)
    return found


def _with_deals(plan: Plan, ours: Process, found: Figures, say: Say) -> None:
    ours.ask("run", seed=_WARM, messages=plan.one_by_one)
    ours.ask("store", messages=plan.activities)
    for round_ in range(1, plan.rounds + 1):
        say(f"deals, history and single mails, round {round_} of {plan.rounds}")
        found.deals.add(OURS, ours.ask("run", seed=round_, messages=plan.messages // plan.rounds))
        found.merged.append(ours.ask("merge", back=round_ % 2 == 0))
        found.single.append(ours.ask("single", seed=plan.rounds + round_, mails=plan.mails))


def _share(plan: Plan, program: str) -> int:
    a_round = plan.messages // plan.rounds
    return min(plan.one_by_one, a_round) if program == PER_ROW else a_round


def _agree(programs: Mapping[str, Process], plan: Plan) -> None:
    """Who finds something else than we do is no measure for us."""
    answers = {name: each.ask("run", seed=_WARM, messages=plan.one_by_one) for name, each in programs.items()}
    told = {name: (answer["contacts"], answer["companies"]) for name, answer in answers.items()}
    if len(set(told.values())) > 1:
        raise RuntimeError(f"contacts and companies differ: {told}")


def _rotated(names: Sequence[str], by: int) -> list[str]:
    by %= len(names)
    return [*names[by:], *names[:by]]


class Process:
    """A `match.process` that is running."""

    def __init__(self, program: subprocess.Popen[str], complaints: Any) -> None:
        self._program = program
        self._complaints = complaints

    def tell(self, words: Mapping[str, Any]) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(words) + "\n")
        self._program.stdin.flush()

    def ask(self, task: str, **given: Any) -> Mapping[str, Any]:
        """The answer of one task. Raises RuntimeError with the end of what the process said when it failed."""
        assert self._program.stdout is not None
        try:
            self.tell({"do": task, **given})
            line = self._program.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._program.wait()
            self._complaints.seek(0)
            raise RuntimeError(f"{task} failed: {self._complaints.read().strip()[-2_000:]}")
        answer: Mapping[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait()


@contextmanager
def _process(home: Path, url: str, plan: Plan, program: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "autocapture.testing.bench.match.process"]
    with tempfile.TemporaryFile("w+") as complaints:
        started = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        with started:
            try:
                process = Process(started, complaints)
                process.tell(
                    {
                        "home": str(home),
                        "url": url,
                        "size": asdict(plan.size),
                        "batch": plan.batch,
                        "program": program,
                    }
                )
                yield process
                process.end()
            finally:
                started.terminate()
