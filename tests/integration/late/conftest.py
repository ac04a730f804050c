"""A week that was told, written once and copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.late.world import Told, copied, told


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return told(tmp_path_factory.mktemp("late") / "home")


@pytest.fixture
def world(written: Told, tmp_path: Path) -> Told:
    return copied(written, tmp_path / "home")
