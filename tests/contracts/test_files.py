"""The files connector passes the suite over every layout it reads."""

from pathlib import Path

from tests.contracts.worlds import (
    AsteriskWorld,
    CalendarFileWorld,
    CalendarFolderWorld,
    CallLogWorld,
    FilesWorld,
    MaildirWorld,
    MboxWorld,
    MessageFolderWorld,
)

from autocapture.testing.contract import ConnectorContract


class FilesContract(ConnectorContract):
    max_examples = 5
    steps = 12
    world: type[FilesWorld]

    def make_world(self, directory: Path) -> FilesWorld:
        return self.world(directory)


class TestMaildir(FilesContract):
    world = MaildirWorld


class TestMbox(FilesContract):
    world = MboxWorld


class TestMessageFolder(FilesContract):
    world = MessageFolderWorld


class TestCalendarFolder(FilesContract):
    world = CalendarFolderWorld


class TestCalendarFile(FilesContract):
    world = CalendarFileWorld


class TestCallLog(FilesContract):
    world = CallLogWorld


class TestAsterisk(FilesContract):
    world = AsteriskWorld
