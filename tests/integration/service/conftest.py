"""A home of its own for every test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.peers.fixtures import dovecot_server  # noqa: F401
from typer.testing import CliRunner, Result

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    """Runs a command in `home`; the result has exit code, output and stderr."""
    from autocapture.cli.app import app

    def command(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=stdin)

    return command
