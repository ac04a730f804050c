"""The Microsoft connectors pass the suite over a fake of Microsoft Graph."""

from pathlib import Path

from autocapture.testing.contract import ConnectorContract
from autocapture.testing.fakes.microsoft.worlds import CalendarWorld, CallsWorld, MailWorld
from autocapture.testing.source_world import SourceWorld
from autocapture_microsoft import calls_connector, connector


class TestMail(ConnectorContract):
    max_examples = 3
    steps = 12

    def make_world(self, directory: Path) -> SourceWorld:
        return MailWorld(connector)


class TestCalendar(ConnectorContract):
    max_examples = 3
    steps = 12

    def make_world(self, directory: Path) -> SourceWorld:
        return CalendarWorld(connector)


class TestCalls(ConnectorContract):
    max_examples = 2
    steps = 12

    def make_world(self, directory: Path) -> SourceWorld:
        return CallsWorld(calls_connector)
