"""The bench of reading mail: reaches its goals where the collections are, and says what is missing where they are not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"


def _bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autocapture.testing.bench", "text", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.skipif(
    not DATA.is_dir(), reason="the collections of mail are not beside the repository (../shared/data)"
)
def test_mail_is_read_as_well_as_the_goals_ask() -> None:
    done = _bench("--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert len(found["goals"]) == 7
    assert all(goal["passed"] for goal in found["goals"])
    assert found["machines"] > 300
    assert found["people"] > 100


def test_without_the_collections_nothing_is_measured_and_it_says_so(tmp_path: Path) -> None:
    done = _bench("--data", str(tmp_path))
    assert done.returncode == 2
    assert "bounces-sisimai is not in" in done.stderr
