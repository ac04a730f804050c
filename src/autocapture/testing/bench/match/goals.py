"""What the figures must reach, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from autocapture.testing.bench.goals import Verdict, goal_lines
from autocapture.testing.bench.match.programs import OURS, PROGRAMS

SQLITE, POSTGRES = DATABASES = ("SQLite", "PostgreSQL")

LEAST_PEOPLE = 30_000.0
LEAST_DEALS = 6_000.0
MOST_MS_A_MAIL = 5.0
MOST_SECONDS_ANEW = 5.0
MOST_MB = 1_000.0


@dataclass(slots=True)
class Rates:
    """Messages a second by program, one figure a round: by the clock, and by the processor time of the program alone."""

    of_clock: dict[str, list[float]] = field(default_factory=dict)
    of_processor: dict[str, list[float]] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)

    def add(self, program: str, answer: Mapping[str, Any]) -> None:
        for rates, seconds in ((self.of_clock, "seconds"), (self.of_processor, "cpu_seconds")):
            rates.setdefault(program, []).append(answer["messages"] / answer[seconds])
        self.peak_mb[program] = answer["peak_mb"]


@dataclass(slots=True)
class Figures:
    """What was measured on one database: without deals, with them, activities matched anew, and mails by themselves."""

    people: Rates = field(default_factory=Rates)
    deals: Rates = field(default_factory=Rates)
    merged: list[Mapping[str, float]] = field(default_factory=list)
    single: list[Mapping[str, float]] = field(default_factory=list)

    @property
    def peak_mb(self) -> float:
        """Of the processes that matched. Those of a database server are not ours."""
        later = (each["peak_mb"] for each in (*self.merged, *self.single))
        return max(self.people.peak_mb[OURS], self.deals.peak_mb[OURS], *later)


@dataclass(slots=True)
class Found:
    """The figures of one run, by database; `skipped` says why one is missing."""

    messages: int
    rounds: int
    batch: int
    activities: int
    size: Mapping[str, int]
    databases: dict[str, Figures] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def verdicts(found: Found) -> list[Verdict]:
    return [
        verdict
        for name in (*found.databases, *found.skipped)
        for verdict in _verdicts(name, found.databases.get(name), found.activities)
    ]


def _verdicts(database: str, found: Figures | None, activities: int) -> Iterator[Verdict]:
    for goal, figure, bound, at_least in (
        ("people and companies, messages/s", _people_rate, LEAST_PEOPLE, True),
        ("with deals, messages/s", _deals_rate, LEAST_DEALS, True),
        ("a single new mail, ms", _mail_ms, MOST_MS_A_MAIL, False),
        (f"{activities:,} matched anew, s", _seconds_anew, MOST_SECONDS_ANEW, False),
        ("peak memory, MB", _memory, MOST_MB, False),
    ):
        yield Verdict(f"{database}: {goal}", None if found is None else figure(found), bound, at_least)


def _people_rate(found: Figures) -> float:
    return median(found.people.of_clock[OURS])


def _deals_rate(found: Figures) -> float:
    return median(found.deals.of_clock[OURS])


def _mail_ms(found: Figures) -> float:
    return _middle(found.single, "matched_ms")


def _seconds_anew(found: Figures) -> float:
    return _middle(found.merged, "seconds")


def _memory(found: Figures) -> float:
    return found.peak_mb


def _middle(rounds: Sequence[Mapping[str, float]], name: str) -> float:
    return median(each[name] for each in rounds)


def as_json(found: Found) -> dict[str, Any]:
    goals = [{**asdict(verdict), "passed": verdict.passed} for verdict in verdicts(found)]
    return {**asdict(found), "goals": goals}


def as_table(found: Found) -> str:
    """Rates of each database, what has no goal, and the goals."""
    size = ", ".join(f"{amount:,} {name}" for name, amount in found.size.items())
    lines = [f"{found.messages:,} messages in {found.rounds} rounds, batches of {found.batch:,}; {size}"]
    for name, figures in found.databases.items():
        lines += ["", *_told(name, figures)]
    lines += [f"{name} not measured: {why}" for name, why in found.skipped.items()]
    return "\n".join([*lines, "", *goal_lines(verdicts(found))])


def _told(database: str, found: Figures) -> Iterator[str]:
    columns = ("messages/s", "slowest", "fastest", "of CPU", "peak MB")
    yield f"{database:<36}" + "".join(f"{each:>12}" for each in columns)
    for title, rates in (("people and companies", found.people), ("with deals", found.deals)):
        for program in (each for each in PROGRAMS if each in rates.of_clock):
            by_clock = rates.of_clock[program]
            by_processor = median(rates.of_processor[program])
            figures = (
                median(by_clock),
                min(by_clock),
                max(by_clock),
                by_processor,
                rates.peak_mb[program],
            )
            named = f"{title}: {program}" if program == OURS else f"  {program}"
            yield f"{named:<36}" + "".join(f"{figure:>12,.0f}" for figure in figures)
    yield (
        f"matched anew: {_middle(found.merged, 'changed'):,.0f} activities changed in {_seconds_anew(found):.1f} s,"
        f" {_middle(found.merged, 'cpu_seconds'):.1f} s of CPU"
    )
    yield (
        f"a single new mail: matched in {_mail_ms(found):.1f} ms, {_middle(found.single, 'matched_cpu_ms'):.1f} of CPU;"
        f" stored with its links in {_middle(found.single, 'stored_ms'):.1f} ms,"
        f" {_middle(found.single, 'stored_cpu_ms'):.1f} of CPU"
    )
