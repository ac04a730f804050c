"""What holds for all tests."""

from collections.abc import Iterator
from functools import cache

import pytest
import structlog
import typer.main
import typer.testing
from hypothesis import HealthCheck, settings

# A busy machine is no fault; what must be fast is timed by tests of its own.
settings.register_profile("autocapture", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("autocapture")

# The commands are the same in each of some hundred tests that call them; to build their tree takes longer than most calls.
vars(typer.testing)["_get_command"] = cache(typer.main.get_command)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command logs errors alone, for as long as its process lives: no test is to hear less because of one before it."""
    yield
    structlog.reset_defaults()
