"""A quota file that lacks a column is named, also where several files are imported in turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.capture.deployment import deploy
from typer.testing import CliRunner

from autocapture.cli.app import app as commands


@pytest.mark.parametrize("words", [("import", "quotas"), ("quotas", "check")])
def test_the_file_that_lacks_a_column_is_named(
    words: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path / "home").engine.dispose()
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    path = tmp_path / "second-quarter.csv"
    path.write_text("metric,scope_type,scope,period_start,period_end,value\n")
    told = CliRunner().invoke(commands, [*words, str(path)])
    assert told.exit_code != 0
    assert f"{path} lacks the column currency" in told.output + told.stderr
