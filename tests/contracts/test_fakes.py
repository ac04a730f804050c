"""The shipped fakes pass the suite that they help to test connectors' engine with."""

from pathlib import Path

from autocapture.testing.contract import ConnectorContract, SourceWorld
from autocapture.testing.fakes.feed import FeedWorld
from autocapture.testing.fakes.uids import UidWorld
from autocapture.testing.fakes.window import WindowWorld


class FakeContract(ConnectorContract):
    max_examples = 12
    steps = 12
    soak_examples = 2_000


class TestUids(FakeContract):
    def make_world(self, directory: Path) -> SourceWorld:
        return UidWorld(directory)


class TestFeed(FakeContract):
    def make_world(self, directory: Path) -> SourceWorld:
        return FeedWorld(directory)


class TestWindow(FakeContract):
    def make_world(self, directory: Path) -> SourceWorld:
        return WindowWorld(directory)
