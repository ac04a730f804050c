"""Each world is captured once a process; the tests look at it from all sides and leave it as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.capturing import Sample, captured, write_sample
from tests.peers.fixtures import dovecot_server
from tests.peers.postgres import postgres_server, postgres_url

__all__ = ["dovecot_server", "postgres_server", "postgres_url"]


@pytest.fixture(
    scope="session", params=[7, pytest.param(20261, marks=pytest.mark.soak)], ids="seed {}".format
)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder: Path = tmp_path_factory.mktemp(f"seed{request.param}")
    world, paths = write_sample(request.param, folder / "sample")
    return captured(world, paths, folder / "home")
