"""What holds for all tests."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

# A busy machine is no fault; what must be fast is timed by tests of its own.
settings.register_profile("autocapture", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("autocapture")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command logs errors alone, for as long as its process lives: no test is to hear less because of one before it."""
    yield
    structlog.reset_defaults()
