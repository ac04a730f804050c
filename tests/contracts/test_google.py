"""The Google connector passes the suite over a fake of both services, spoken to by Google's own client library."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contracts.google_worlds import CalendarWorld, GmailWorld

from autocapture.testing.contract import ConnectorContract
from autocapture.testing.fakes.google import FakeGoogle
from autocapture.testing.source_world import SourceWorld


class GoogleContract(ConnectorContract):
    max_examples = 4
    steps = 10
    google: FakeGoogle

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _running(cls) -> Iterator[None]:
        with FakeGoogle() as google:
            cls.google = google
            yield


class TestGmail(GoogleContract):
    def make_world(self, directory: Path) -> SourceWorld:
        return GmailWorld(self.google)


class TestGoogleCalendar(GoogleContract):
    def make_world(self, directory: Path) -> SourceWorld:
        return CalendarWorld(self.google)
