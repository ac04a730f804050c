"""Runs the parts, each in a process of its own."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from autocapture.service.logs import configure_logs
from autocapture.testing.bench.providers.asking import Asked, measure_asking
from autocapture.testing.bench.providers.fleet import Fleet, measure_fleet
from autocapture.testing.bench.providers.goals import Found
from autocapture.testing.bench.providers.importing import Import, measure_import
from autocapture.testing.bench.providers.series import Expanded, measure_series

PARTS = ("import", "requests", "fleet", "calendar")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run. `minutes` of simulated time, busy and then half as many idle; an import runs for a quarter of them,
    beside one in twenty-five of the mailboxes."""

    parts: Collection[str] = PARTS
    mailboxes: int = 500
    messages_a_day: int = 100_000
    minutes: float = 20
    contacts: int = 100_000
    events: int = 10_000
    rounds: int = 5


def measure(plan: Plan, say: Say) -> Found:
    """Raises RuntimeError with the end of what a part said that failed."""
    found = Found()
    for part in PARTS:
        if part not in plan.parts:
            continue
        say(f"{part} …")
        answer = _process(part, plan)
        match part:
            case "import":
                found.importing = Import(**answer)
            case "requests":
                found.asking = Asked(**answer)
            case "fleet":
                found.fleet = Fleet(**answer)
            case _:
                found.series = Expanded(**answer)
    return found


def _process(part: str, plan: Plan) -> Mapping[str, Any]:
    given = json.dumps({**asdict(plan), "parts": [part]})
    done = subprocess.run(
        [sys.executable, "-m", "autocapture.testing.bench.providers.measure", given],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{part} failed: {done.stderr.strip()[-2_000:]}")
    answer: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def run_part(plan: Plan) -> Mapping[str, Any]:
    """The only part of `plan`, in this process."""
    (part,) = plan.parts
    match part:
        case "import":
            return asdict(
                measure_import(minutes=max(2, round(plan.minutes / 4)), others=max(2, plan.mailboxes // 25))
            )
        case "requests":
            return asdict(measure_asking(messages=plan.events // 2, folders=20))
        case "fleet":
            return asdict(
                measure_fleet(
                    mailboxes=plan.mailboxes,
                    messages_a_day=plan.messages_a_day,
                    busy=timedelta(minutes=plan.minutes),
                    idle=timedelta(minutes=plan.minutes / 2),
                    contacts=plan.contacts,
                    rounds=plan.rounds,
                )
            )
        case _:
            return asdict(measure_series(events=plan.events, series=plan.events // 20))


if __name__ == "__main__":
    configure_logs(least=logging.WARNING)
    sys.stdout.write(json.dumps(run_part(Plan(**json.loads(sys.argv[1])))) + "\n")
