"""Whole worlds in simulated time, and that a seed tells the same world every time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autocapture.testing.simulation import simulate
from autocapture.testing.simulation.__main__ import main

WORLDS, PART = 300, 25


@pytest.mark.parametrize("first", range(0, WORLDS, PART))
def test_whatever_happens_the_store_comes_to_equal_the_truth(first: int) -> None:
    for seed in range(first, first + PART):
        outcome = simulate(seed)
        assert outcome.broken is None, "\n".join((*outcome.trace, f"seed {seed}: {outcome.broken}"))


@pytest.mark.soak
def test_a_long_search_finds_nothing_either() -> None:
    assert main(["--seeds", "3000", "--first", "100000"]) == 0


def test_a_seed_tells_the_same_world_every_time() -> None:
    assert simulate(7) == simulate(7)
    assert simulate(7).hash != simulate(8).hash


def test_a_seed_tells_the_same_world_in_every_process() -> None:
    """Also where sets of texts have another order."""
    told = set()
    for hash_seed in ("1", "2"):
        program = "from autocapture.testing.simulation import simulate; print([simulate(n).hash for n in (3, 11, 12)])"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ended = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        told.add(ended.stdout)
    assert len(told) == 1


def test_the_command_says_in_one_line_what_came_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--first", "40"]) == 0
    assert capsys.readouterr().out == "seeds 40 to 41: no promise was broken in 2 worlds\n"
