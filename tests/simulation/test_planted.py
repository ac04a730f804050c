"""The simulation bites: every bug planted in the engine or in a connector is found, and named, within 200 worlds."""

from __future__ import annotations

import re

import pytest
from tests.simulation.planted import PLANTED, QUICKLY_FOUND

from autocapture.testing.simulation import simulate
from autocapture.testing.simulation.__main__ import main

MOST_WORLDS = 200


def what_is_found() -> str:
    """The promise that is broken in the first world in which one is."""
    for seed in range(MOST_WORLDS):
        outcome = simulate(seed)
        if outcome.broken is not None:
            print(f"found in world {seed}: {outcome.broken[:200]}")
            return outcome.broken
    raise AssertionError(f"{MOST_WORLDS} worlds found nothing")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICKLY_FOUND else pytest.param(name, marks=pytest.mark.soak) for name in PLANTED],
)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, promise = PLANTED[name]
    plant(monkeypatch)
    assert re.search(promise, what_is_found())


def test_the_command_tells_the_seed_and_what_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, promise = PLANTED["everything listed is written blindly"]
    plant(monkeypatch)
    assert main(["--seeds", "20"]) == 1
    *happened, verdict = capsys.readouterr().out.splitlines()
    assert happened[0].startswith("begins at ")
    assert re.fullmatch(rf"seed \d+: .*{promise}.*", verdict)
