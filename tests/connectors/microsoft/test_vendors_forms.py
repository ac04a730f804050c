"""Forms in which the vendor's own client asks, and the connector does not: the fake knows them too."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tests.connectors.microsoft.account import CALENDARS, MAIL

from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, event, message
from autocapture.testing.fakes.source import REP

_YEAR = "startDateTime=2026-10-01T00:00:00Z&endDateTime=2027-10-01T00:00:00Z"


def _answer(graph: FakeGraph, address: str) -> requests.Response:
    token = graph.sign_in(REP, MAIL | CALENDARS)
    url = address if "://" in address else f"{graph.url}/{address}"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)


@pytest.mark.parametrize("name", ["delta", "delta()", "microsoft.graph.delta()"])
@pytest.mark.parametrize("path", ["me/mailFolders/inbox/messages/{}", f"me/calendarView/{{}}?{_YEAR}"])
def test_a_function_is_known_by_each_of_its_names(
    graph: FakeGraph, mailbox: FakeMailbox, path: str, name: str
) -> None:
    mailbox.add(message(1), "inbox")
    mailbox.calendar.add(event(1, "meeting"))
    told: list[dict[str, Any]] = []
    link = path.format(name)
    while link:
        body = _answer(graph, link).json()
        told += body["value"]
        link = body.get("@odata.nextLink", "")
    assert len(told) == 1
    assert "$deltatoken=" in body["@odata.deltaLink"]


def test_what_there_is_not_is_refused_and_subscriptions_are_listed(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    assert _answer(graph, "me/mailFolders/inbox/messages/nothing").status_code == 400
    assert _answer(graph, "subscriptions").json() == {"value": []}
