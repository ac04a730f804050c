"""What the figures must reach, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from autocapture.testing.bench.goals import Verdict, goal_lines
from autocapture.testing.bench.providers.asking import Asked
from autocapture.testing.bench.providers.fleet import Fleet
from autocapture.testing.bench.providers.importing import Import
from autocapture.testing.bench.providers.series import Expanded

LEAST_SHARE_OF_QUOTA = 0.95
MOST_REFUSED = 0.01
SAME_FRESHNESS = 5.0
"""Seconds that a mailbox may be later while another one is imported: the time between two looks at what is due."""

MOST_REQUESTS_A_THOUSAND = 20.0
MOST_REQUESTS_A_CHANNEL = 1.0
MOST_DELAY = 300.0
MOST_MS_A_MESSAGE = 10.0
MOST_IDLE_CPU = 30.0
MOST_MB = 600.0
LEAST_OCCURRENCES = 5_000.0


@dataclass(slots=True)
class Found:
    """What was measured; None for a part that was left out."""

    importing: Import | None = None
    asking: Asked | None = None
    fleet: Fleet | None = None
    series: Expanded | None = None


def verdicts(found: Found) -> list[Verdict]:
    return [
        *_importing(found.importing),
        *_asking(found.asking),
        *_fleet(found.fleet),
        *_series(found.series),
    ]


def _importing(found: Import | None) -> Iterator[Verdict]:
    if found is None:
        return
    later = found.fresh_with - found.fresh_without
    yield Verdict("Gmail import: share of the quota", found.share, LEAST_SHARE_OF_QUOTA, True)
    yield Verdict("Gmail import: share refused", found.refused, MOST_REFUSED, False)
    yield Verdict("Gmail import: others later by, s (p95)", later, SAME_FRESHNESS, False)


def _asking(found: Asked | None) -> Iterator[Verdict]:
    if found is None:
        return
    for_each = float(found.graph_for_single_messages)
    rate = 1_000 * found.graph_requests / found.graph_messages
    yield Verdict("Graph import: requests for single messages", for_each, 0, False)
    yield Verdict("Graph import: requests for 1,000 messages", rate, MOST_REQUESTS_A_THOUSAND, False)
    for name, requests in found.idle.items():
        most = 0.0 if name.startswith("no ") else MOST_REQUESTS_A_CHANNEL
        yield Verdict(f"idle pass: requests, {name}", requests, most, False)


def _fleet(found: Fleet | None) -> Iterator[Verdict]:
    if found is None:
        return
    yield Verdict(f"{found.mailboxes} mailboxes: fresh within, s (p99)", found.p99, MOST_DELAY, False)
    yield Verdict("CPU, ms a message", found.cpu_ms_a_message, MOST_MS_A_MESSAGE, False)
    yield Verdict("CPU of an idle mailbox, s a day", found.idle_cpu_a_day, MOST_IDLE_CPU, False)
    yield Verdict("peak memory, MB", found.peak_mb, MOST_MB, False)


def _series(found: Expanded | None) -> Iterator[Verdict]:
    if found is not None:
        yield Verdict("calendar: meetings a second", found.meetings_per_second, LEAST_OCCURRENCES, True)


def as_json(found: Found) -> dict[str, Any]:
    goals = [{**asdict(verdict), "passed": verdict.passed} for verdict in verdicts(found)]
    return {**asdict(found), "goals": goals}


def as_table(found: Found) -> str:
    """What was run, the figures that have no goal, and the goals."""
    return "\n".join([*_told(found), "", *goal_lines(verdicts(found))])


def _told(found: Found) -> Iterator[str]:
    if (one := found.importing) is not None:
        yield (
            f"import: {one.minutes} minutes, {one.messages} messages read; {one.others} others fresh within"
            f" {one.fresh_with:.0f} s (p95), {one.fresh_without:.0f} s without an import"
        )
    if (asked := found.asking) is not None:
        listing = ", ".join(f"{name} {number:g}" for name, number in asked.listing.items())
        yield f"requests: {asked.graph_messages} messages of Graph by {asked.graph_requests} requests"
        yield f"requests every ten minutes for which channels there are: {listing}"
    if (fleet := found.fleet) is not None:
        yield (
            f"fleet: {fleet.busy_minutes:g} busy minutes with {fleet.messages} messages and"
            f" {fleet.idle_minutes:g} idle ones; fresh within {fleet.p50:.0f} s (p50), {fleet.p95:.0f} s (p95),"
            f" {fleet.p99:.0f} s (p99)"
        )
        yield (
            f"fleet: {fleet.passes_a_minute:.0f} passes a minute of {fleet.requests_a_pass:.1f} requests,"
            f" {fleet.busy_share_of_a_core:.0%} of a core while busy"
        )
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in [*fleet.seconds_by_task.items()][:5])
        yield f"fleet: seconds of processor time while busy: {parts}"
    if (expanded := found.series) is not None:
        yield (
            f"calendar: {expanded.events} events, {expanded.series} series, {expanded.occurrences} occurrences;"
            f" expanded alone {expanded.expanded_per_second:,.0f} a second"
        )
