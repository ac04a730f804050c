from collections.abc import Iterator

import pytest

from autocapture.testing.fakes.google import FakeGoogle


@pytest.fixture(scope="module")
def google() -> Iterator[FakeGoogle]:
    with FakeGoogle() as server:
        yield server
