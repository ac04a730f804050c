"""The wheel is whole: in an empty environment it brings connectors, migrations, settings and a working command."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel, and borrows the dependencies that are installed here.

    What is borrowed comes after the wheel on the path, and this checkout, an editable install of it, does not come at all.
    """
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    target = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    (target / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def _run(python: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("AUTOCAPTURE_", "PYTHON"))
    }
    return subprocess.run(
        [str(python), *words],
        cwd=home,
        env={**environ, "AUTOCAPTURE_HOME": str(home / "var")},
        capture_output=True,
        text=True,
    )


def test_the_wheel_holds_what_it_needs_and_nothing_of_the_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        "autocapture/py.typed",
        "autocapture/config/autocapture.toml",
        "autocapture/store/migrations/env.py",
        "autocapture/store/migrations/script.py.mako",
        "autocapture_imap/__init__.py",
        "autocapture_files/__init__.py",
    }
    assert needed <= names
    assert any(name.startswith("autocapture/store/migrations/versions/0001") for name in names)
    assert not any(name.startswith(("tests/", "docs/")) for name in names)


def test_the_code_that_runs_is_the_wheels(python: Path, tmp_path: Path) -> None:
    found = _run(python, tmp_path, "-c", "import autocapture, autocapture_imap; print(autocapture.__file__)")
    assert Path(found.stdout.strip()).is_relative_to(python.parents[1]), found


def test_init_works_in_an_empty_environment_and_the_doctor_agrees(python: Path, tmp_path: Path) -> None:
    made = _run(python, tmp_path, "-m", "autocapture", "init")
    assert made.returncode == 0, made.stderr
    examined = _run(python, tmp_path, "-m", "autocapture", "doctor")
    assert examined.returncode == 0, examined.stdout
    assert "connector imap" in examined.stdout
