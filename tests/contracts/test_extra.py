"""hypothesis and pytest are needed by the suite alone, and it says so."""

import subprocess
import sys

import pytest


def imported(module: str, without: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.modules[{without!r}] = None; import {module}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_without_its_extra_the_suite_says_what_to_install(missing: str) -> None:
    told = imported("autocapture.testing.contract", missing).stderr.splitlines()[-1]
    assert told == f"ImportError: the conformance suite needs {missing}: install autocapture[testing]"


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
@pytest.mark.parametrize("module", ["autocapture.testing.demo", "autocapture.testing.fakes.feed"])
def test_the_sample_and_the_fakes_do_without(module: str, missing: str) -> None:
    assert imported(module, missing).returncode == 0
