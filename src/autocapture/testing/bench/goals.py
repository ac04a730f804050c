"""What the figures must reach, and how they compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

CAPTURE = "autocapture"
RATIOS: tuple[tuple[str, float], ...] = (
    ("imapclient", 0.7),
    ("imap-tools", 2.0),
    ("mbsync, fsync", 2.5),
    ("imapflow", 1.3),
)
"""At least so many times as fast as each of these."""

MOST_MB = 300.0
MOST_REQUESTS_A_FOLDER = 1.0
MOST_IDLE_CPU_MS = 50.0
MOST_HELP_SECONDS = 0.3


@dataclass(slots=True)
class Measured:
    """The figures of one run. `rates` holds messages per second by program, one a round; `skipped` why one is missing."""

    messages: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    captured_share: float = 0.0
    peak_mb: float = 0.0
    folders: int = 0
    idle_requests: float = 0.0
    idle_cpu_ms: float = 0.0
    help_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was measured; `passed` is None where it could not be."""

    goal: str
    measured: float | None
    bound: float
    at_least: bool

    @property
    def passed(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def verdicts(found: Measured) -> list[Verdict]:
    result = [Verdict(f"times {name}", ratio(found, name), bound, True) for name, bound in RATIOS]
    return [
        *result,
        Verdict("peak memory, MB", found.peak_mb, MOST_MB, False),
        Verdict(
            "idle: requests a folder", found.idle_requests / found.folders, MOST_REQUESTS_A_FOLDER, False
        ),
        Verdict(f"idle: CPU, ms ({found.folders} folders)", found.idle_cpu_ms, MOST_IDLE_CPU_MS, False),
        Verdict("autocapture --help, s", found.help_seconds, MOST_HELP_SECONDS, False),
    ]


def ratio(found: Measured, other: str) -> float | None:
    """The median of the rounds' ratios: what slowed a whole round down slowed both."""
    if other not in found.rates:
        return None
    pairs = zip(found.rates[CAPTURE], found.rates[other], strict=True)
    return median(ours / theirs for ours, theirs in pairs)


def as_json(found: Measured) -> dict[str, Any]:
    return {
        **asdict(found),
        "medians": {name: median(rates) for name, rates in found.rates.items()},
        "goals": [{**asdict(verdict), "passed": verdict.passed} for verdict in verdicts(found)],
    }


def as_table(found: Measured) -> str:
    """Rates and ratios, then goals, as aligned text."""
    lines = [f"{found.messages} messages, {found.captured_share:.0%} captured", ""]
    lines.append(f"{'program':<20}{'messages/s':>12}{'slowest':>12}{'fastest':>12}{'ours':>12}")
    for name, rates in found.rates.items():
        ours = ratio(found, name) or 0.0
        figures = f"{median(rates):>12,.0f}{min(rates):>12,.0f}{max(rates):>12,.0f}"
        lines.append(f"{name:<20}{figures}{ours:>11.2f}x")
    lines += [f"{name:<20} not measured: {why}" for name, why in found.skipped.items()]
    return "\n".join([*lines, "", *goal_lines(verdicts(found))])


def goal_lines(judged: Sequence[Verdict]) -> list[str]:
    """A table of goals, aligned."""
    width = max(32, *(len(verdict.goal) + 2 for verdict in judged))
    words = {True: "passed", False: "missed", None: "not measured"}
    lines = [f"{'goal':<{width}}{'bound':>10}{'measured':>12}"]
    for verdict in judged:
        bound = f"{'>=' if verdict.at_least else '<='} {verdict.bound:g}"
        measured = "" if verdict.measured is None else f"{verdict.measured:.2f}"
        lines.append(f"{verdict.goal:<{width}}{bound:>10}{measured:>12}  {words[verdict.passed]}")
    return lines
