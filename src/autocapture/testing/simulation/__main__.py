"""Lives through many worlds and says what came out: `python -m autocapture.testing.simulation --seeds 10000 --first 0`.

Exit status 1 at the first world in which a promise is broken, with its seed and what happened in it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from autocapture.clock import SystemClock
from autocapture.testing.simulation import simulate

EVERY = 30.0  # seconds between two lines of progress


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="autocapture.testing.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many worlds (default: 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    wanted = parser.parse_args(arguments)
    clock = SystemClock()
    begun = told = clock.monotonic()
    for seed in range(wanted.first, wanted.first + wanted.seeds):
        outcome = simulate(seed)
        if outcome.broken is not None:
            print(*outcome.trace, sep="\n")  # noqa: T201
            print(f"seed {seed}: {outcome.broken}")  # noqa: T201
            return 1
        now = clock.monotonic()
        if now - told > EVERY:
            lived, told = seed + 1 - wanted.first, now
            print(f"{lived:,} of {wanted.seeds:,} worlds, {lived / (now - begun):.1f} a second", flush=True)  # noqa: T201
    last = wanted.first + wanted.seeds - 1
    print(f"seeds {wanted.first} to {last}: no promise was broken in {wanted.seeds:,} worlds")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
