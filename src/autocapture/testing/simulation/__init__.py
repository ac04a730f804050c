"""Whole worlds in simulated time: one seed drives the clock, the providers, the faults and the crashes, around the real engine.

A world has several people with accounts of several kinds, in which the same mails, meetings and calls are seen. Providers lie,
throttle, forget and lose logins; clocks leap; the process is killed, suspended and overtaken; the database is busy. Then
everything is well again, and the store must equal the truth (`at_rest`).

    python -m autocapture.testing.simulation --seeds 1000

A seed tells the same world every time: what fails can be looked at as often as it takes.
"""

from __future__ import annotations

import gc
import traceback
from dataclasses import dataclass
from functools import cache

from structlog.testing import capture_logs

from autocapture.testing.simulation.trace import Trace, Violation
from autocapture.testing.simulation.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one world went. `broken`: the first promise that was, None where all were kept. `hash` tells two courses apart."""

    seed: int
    broken: str | None
    trace: tuple[str, ...]
    hash: str


def simulate(seed: int) -> Outcome:
    """Lives through the world of `seed`."""
    _keep_what_is_loaded()
    trace, broken = Trace(), None
    try:
        with capture_logs(), World(seed, trace) as world:
            world.live()
    except Violation as violation:
        broken = str(violation)
    except Exception as defect:
        broken = f"{type(defect).__name__}: {defect}"
        trace.lines.extend(traceback.format_exc(limit=-8).splitlines())
    return Outcome(seed, broken, tuple(trace.lines), trace.hash)


@cache
def _keep_what_is_loaded() -> None:
    """Modules are no garbage: not to look through them at every search for cycles saves a tenth of the time."""
    gc.collect()
    gc.freeze()
