"""Our fake is judged by a client that knows nothing of it: python-caldav."""

from __future__ import annotations

import caldav
import pytest

from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, event_text


@pytest.fixture(autouse=True)
def _lenient(server: CaldavServer) -> None:
    """The library sends another Depth than RFC 6578 allows."""
    server.manners.strict_depth = False


def test_another_client_reads_the_same(server: CaldavServer) -> None:
    work = server.store.make("work", components=("VEVENT",))
    for number in range(3):
        server.store.put(work, f"{number}.ics", event_text(number))
    client = caldav.DAVClient(server.url, username=USER, password=PASSWORD, enable_rfc6764=False)
    with client:
        (calendar,) = client.principal().calendars()
        assert str(calendar.url).endswith(work.path)
        first = calendar.get_objects_by_sync_token(load_objects=True, disable_fallback=True)
        assert len(list(first)) == 3
        assert "item 2 v0" in "".join(each.data for each in first)
        server.store.put(work, "1.ics", event_text(1, 1))
        server.store.delete(work, "2.ics")
        second = calendar.get_objects_by_sync_token(first.sync_token, disable_fallback=True)
        assert len(list(second)) == 2
        told = calendar.multiget([each.url for each in first if not str(each.url).endswith("2.ics")])
        assert "item 1 v1" in "".join(each.data for each in told)


def test_a_forgotten_token_is_what_the_library_hides(server: CaldavServer) -> None:
    """It answers with everything and a token of its own making: why its answers cannot be a cursor."""
    work = server.store.make("work", components=("VEVENT",))
    server.store.put(work, "1.ics", event_text(1))
    client = caldav.DAVClient(server.url, username=USER, password=PASSWORD, enable_rfc6764=False)
    with client:
        (calendar,) = client.principal().calendars()
        found = calendar.get_objects_by_sync_token("data:,gone/1")
        assert str(found.sync_token).startswith("fake-")
