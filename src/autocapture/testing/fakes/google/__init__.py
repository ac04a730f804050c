"""Gmail and Google Calendar as servers in memory: stateful, strict, and able to fail (see `server`)."""

from autocapture.testing.fakes.google.calendars import Calendar
from autocapture.testing.fakes.google.mailbox import Mailbox, Message
from autocapture.testing.fakes.google.server import FAULTS, FakeGoogle, User

__all__ = ["FAULTS", "Calendar", "FakeGoogle", "Mailbox", "Message", "User"]
