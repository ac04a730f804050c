"""An account at the fake Microsoft Graph, opened as the engine opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from autocapture.clock import Clock
from autocapture.connector import Channel, Connection, Item, Meter, Page, Tools
from autocapture.records import EmailRecord, EventRecord
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox
from autocapture.testing.fakes.microsoft.worlds import grant, loopback_tools
from autocapture.testing.fakes.source import REP
from autocapture_microsoft import MicrosoftConnector, calls_connector

MAIL = {"Mail.ReadBasic"}
TEXTS = {"Mail.Read"}
CALENDARS = {"Calendars.ReadBasic"}
INBOX = Channel("AQMkFolder00==", "email", "Postvak IN")
SENT = Channel("AQMkFolder01==", "email", "Verzonden items")
AGENDA = Channel("AQMkCalendar00==", "event", "Agenda")
CALL_REP = "821809f5-0000-0000-0000-3b5136c0e777"


@dataclass
class Ledger:
    """A meter that writes down what it was asked, and gives no more than `left`."""

    left: int = 10**9
    taken: list[tuple[str, int]] = field(default_factory=list)

    def take(self, method: str, want: int = 1, least: int = 1) -> int:
        self.taken.append((method, want))
        return min(want, self.left)

    def give_back(self, method: str, calls: int) -> None:
        raise AssertionError("nothing is taken that is not used")


@contextmanager
def opened(
    graph: FakeGraph,
    scopes: set[str],
    *tokens: str,
    since: date | None = None,
    clock: Clock | None = None,
    meter: Meter | None = None,
    time_zone: str = "Europe/Amsterdam",
    connector: MicrosoftConnector | None = None,
    **options: Any,
) -> Iterator[Connection]:
    """A connection whose grant has these tokens one after the other; without any, one that is good."""
    tools = Tools(clock=clock or graph.clock, since=since, time_zone=time_zone)
    credential = grant(REP, scopes, *(tokens or (graph.sign_in(REP, scopes),)))
    connector = connector or MicrosoftConnector()
    asked = connector.options(graph_url=graph.url, **options)
    with connector.open(asked, credential, loopback_tools(tools, meter)) as connection:
        yield connection


@contextmanager
def calls_opened(
    graph: FakeGraph, *, reps: tuple[str, ...] = (f"{CALL_REP}={REP}",), scopes: set[str] | None = None
) -> Iterator[Connection]:
    granted = {"CallRecords.Read.All"} if scopes is None else scopes
    credential = grant("", granted, graph.sign_in_application(granted))
    asked = calls_connector.options(graph_url=graph.url, reps=reps)
    with calls_connector.open(asked, credential, loopback_tools(Tools(graph.clock))) as connection:
        yield connection


def new_mailbox(graph: FakeGraph) -> FakeMailbox:
    return graph.add_mailbox(REP)


def rounds(
    connection: Connection, channel: Channel, cursor: str | None = None, *, limit: int = 100
) -> list[Page]:
    """Pages until there is no more for now."""
    pages = [connection.pull(channel, cursor, limit=limit)]
    while pages[-1].more:
        pages.append(connection.pull(channel, pages[-1].cursor, limit=limit))
        assert len(pages) < 200
    return pages


def items(pages: list[Page]) -> list[Item]:
    return [item for page in pages for item in page.items]


def mail(item: object) -> EmailRecord:
    data = getattr(item, "data", None)
    assert isinstance(data, EmailRecord)
    return data


def meeting(item: object) -> EventRecord:
    data = getattr(item, "data", None)
    assert isinstance(data, EventRecord)
    return data
