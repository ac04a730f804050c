"""Enumeration and changes: by sync-collection, by marks, by listings, whatever the server says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.connectors.caldav.support import NOW, Opener, channel, gone, ids, pulled, token_in, tools

from autocapture.clock import FixedClock
from autocapture.connector import Broken, Page, Record, Ref
from autocapture.errors import ChannelGone, CredentialRejected, CursorExpired, RateLimited, Unreachable
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import HOME, Collection, event_text


def filled(
    server: CaldavServer, items: int = 5, *, name: str = "work", components: tuple[str, ...] = ()
) -> Collection:
    calendar = server.store.make(name, components=components)
    for number in range(items):
        server.store.put(calendar, f"{number}.ics", event_text(number))
    return calendar


def asked(server: CaldavServer, what: str) -> int:
    return sum(each.startswith(what) for each in server.asked)


def test_an_idle_look_costs_two_questions_for_all_calendars(server: CaldavServer, opened: Opener) -> None:
    calendars = [filled(server, name=f"cal{number}") for number in range(6)]
    connection = opened()
    cursors = {each.id: pulled(connection, each).cursor for each in connection.channels()}
    assert len(cursors) == len(calendars)
    before = len(server.asked)
    connection = opened()
    for each in connection.channels():
        page = connection.pull(each, cursors[each.id], limit=10)
        assert page == Page((), cursors[each.id])
    assert len(server.asked) - before == 2


def test_what_changed_is_told_and_nothing_else(server: CaldavServer, opened: Opener) -> None:
    calendar = filled(server)
    connection = opened()
    work = channel(connection)
    first = pulled(connection, work)
    assert first.complete
    assert ids(first.items) == [f"{number}.ics" for number in range(5)]
    server.store.put(calendar, "1.ics", event_text(1, 1))
    server.store.put(calendar, "9.ics", event_text(9))
    server.store.delete(calendar, "2.ics")
    second = pulled(connection, work, first.cursor)
    assert ids(second.items) == ["1.ics", "9.ics"]
    assert gone(second.items) == ["2.ics"]
    assert not second.complete
    assert pulled(connection, work, second.cursor) == Page([], second.cursor)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("truncates_at", [None, 1, 2])
def test_pages_of_any_size_tell_everything_once(
    server: CaldavServer, opened: Opener, limit: int, truncates_at: int | None
) -> None:
    filled(server, 7)
    server.manners.truncates_at = truncates_at
    connection = opened()
    work = channel(connection)
    cursor, told, pages = None, list[str](), 0
    while True:
        page = connection.pull(work, cursor, limit=limit)
        assert len(page.items) <= limit
        told += [item.id for item in page.items]
        pages, cursor = pages + 1, page.cursor
        if not page.more:
            break
        assert not page.complete
        connection = opened()  # any process may go on
    assert page.complete
    assert sorted(set(told)) == [f"{number}.ics" for number in range(7)]
    assert truncates_at is not None or len(told) == 7


def test_the_token_is_that_of_the_answer_itself(server: CaldavServer, opened: Opener) -> None:
    calendar = filled(server)
    connection = opened()
    work = channel(connection)
    server.store.on_step(lambda: server.store.put(calendar, "late.ics", event_text(7)), 1)
    first = pulled(connection, work)  # changed after the server took its token
    again = pulled(connection, work, first.cursor)
    assert "late.ics" in ids(again.items)


def test_what_a_server_leaves_out_of_a_truncated_answer_is_listed(
    server: CaldavServer, opened: Opener
) -> None:
    filled(server, 7)
    server.manners.truncates_at = 3
    server.manners.skips_when_truncating = True
    connection = opened()
    first = pulled(connection, channel(connection), limit=2)
    assert first.complete
    assert len(set(ids(first.items))) == 7


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize(
    "status", [400, 403, 404, 405, 409, 410, 412, 415, 418, 422, 500, 501, 502, 503, 507]
)
def test_a_token_refused_with_any_status_begins_an_enumeration_that_tells_what_was_missed(
    server: CaldavServer, opened: Opener, status: int, said: bool
) -> None:
    calendar = filled(server)
    connection = opened()
    work = channel(connection)
    cursor = pulled(connection, work).cursor
    server.store.put(calendar, "1.ics", event_text(1, 1))
    server.store.expire()
    server.manners.refuses_token = (status, said)
    with pytest.raises(CursorExpired):
        connection.pull(work, cursor, limit=10)
    anew = pulled(connection, work)
    assert anew.complete
    assert {item.id: item.version for item in anew.items if isinstance(item, Ref)} == {
        name: str(resource.changed) for name, resource in calendar.resources.items()
    }


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 418, 500, 503])
def test_a_server_that_refuses_every_token_is_listed_and_not_asked_again(
    server: CaldavServer, opened: Opener, status: int
) -> None:
    calendar = filled(server)
    server.manners.refuses_changes = status
    connection = opened()
    work = channel(connection)
    cursor = pulled(connection, work).cursor
    server.store.put(calendar, "1.ics", event_text(1, 1))
    with pytest.raises(CursorExpired):
        connection.pull(work, cursor, limit=10)
    cursor = pulled(connection, work).cursor
    reports = asked(server, "REPORT")
    for version in range(2, 5):
        server.store.put(calendar, "1.ics", event_text(1, version))
        connection = opened()
        page = pulled(connection, channel(connection), cursor)
        assert page.complete
        assert ids(page.items) == [f"{number}.ics" for number in range(5)]
        cursor = page.cursor
    assert asked(server, "REPORT") == reports


@pytest.mark.parametrize("status", [400, 403, 404, 412, 415, 418, 500, 503, 507])
@pytest.mark.parametrize("announced", [True, False])
def test_a_server_without_sync_collection_is_listed(
    server: CaldavServer, opened: Opener, status: int, announced: bool
) -> None:
    calendar = filled(server)
    server.manners.refuses_beginning = status
    server.manners.announces_sync = announced
    connection = opened()
    page = pulled(connection, channel(connection), limit=2)
    assert page.complete
    assert len(ids(page.items)) == 5
    server.store.delete(calendar, "3.ics")
    connection = opened()
    after = pulled(connection, channel(connection), page.cursor)
    assert after.complete
    assert ids(after.items) == ["0.ics", "1.ics", "2.ics", "4.ics"]
    idle = len(server.asked)
    connection = opened()
    assert pulled(connection, channel(connection), after.cursor) == Page([], after.cursor)
    assert len(server.asked) - idle == 2


def test_a_token_that_grew_old_is_replaced_by_a_new_one(server: CaldavServer, opened: Opener) -> None:
    """Only one that does not live an hour tells that tokens are of no use here."""
    filled(server)
    clock = FixedClock(NOW)
    for wait, has_token in ((timedelta(hours=2), True), (timedelta(minutes=10), False)):
        connection = opened(with_=tools(clock))
        work = channel(connection)
        cursor = pulled(connection, work).cursor
        assert token_in(cursor)
        clock.advance(wait)
        server.store.expire()
        with pytest.raises(CursorExpired):
            pulled(connection, work, cursor)
        assert bool(token_in(pulled(connection, work).cursor)) is has_token


def test_without_marks_each_look_lists_and_an_unchanged_listing_is_no_news(
    server: CaldavServer, opened: Opener
) -> None:
    calendar = filled(server)
    server.manners.syncs = server.manners.ctags = False
    connection = opened()
    work = channel(connection)
    cursor = pulled(connection, work).cursor
    assert pulled(connection, work, cursor) == Page([], cursor)
    server.store.put(calendar, "1.ics", event_text(1, 1))
    assert pulled(connection, work, cursor).complete


@pytest.mark.parametrize("syncs", [True, False])
@pytest.mark.parametrize("moment", [1, 2, 3, 4, 5])
def test_what_changes_in_the_middle_of_a_look_is_told_by_the_next_at_the_latest(
    server: CaldavServer, opened: Opener, moment: int, syncs: bool
) -> None:
    """The moments are within the questions for the mark, for the listing, and after it was made."""
    calendar = filled(server)
    server.manners.syncs = syncs
    connection = opened()
    work = channel(connection)
    pulled(connection, work)
    server.store.on_step(lambda: server.store.put(calendar, "1.ics", event_text(1, 1)), moment)
    told: dict[str, str | None] = {}
    cursor = None
    for _ in range(3):
        page = pulled(connection, work, cursor)
        told |= {item.id: item.version for item in page.items if isinstance(item, Ref)}
        connection, cursor = opened(), page.cursor
        work = channel(connection)
    assert told["1.ics"] == str(calendar.resources["1.ics"].changed)


def test_resources_without_an_etag_are_told_by_their_content(server: CaldavServer, opened: Opener) -> None:
    calendar = filled(server, 3)
    server.manners.etags = False
    connection = opened()
    work = channel(connection)
    page = pulled(connection, work)
    versions = {item.id: item.version for item in page.items if isinstance(item, Record)}
    assert len(set(versions.values())) == 3
    server.store.put(calendar, "1.ics", event_text(1, 1))
    (changed,) = pulled(connection, work, page.cursor).items
    assert isinstance(changed, Record)
    assert changed.version != versions["1.ics"]


def test_tasks_are_no_events_wherever_they_lie(server: CaldavServer, opened: Opener) -> None:
    calendar = filled(server, 2)
    server.store.put(calendar, "task.ics", event_text(9).replace("VEVENT", "VTODO"))
    for tells in (True, False):
        server.manners.tells_component = tells
        connection = opened()
        assert ids(pulled(connection, channel(connection)).items) == ["0.ics", "1.ics"]


def test_a_calendar_of_events_alone_is_not_read_to_tell_tasks_from_events(
    server: CaldavServer, opened: Opener
) -> None:
    filled(server, 3, components=("VEVENT",))
    server.manners.tells_component = False
    connection = opened()
    page = pulled(connection, channel(connection))
    assert all(isinstance(item, Ref) for item in page.items)


def test_doubled_and_differently_escaped_resources_are_one(server: CaldavServer, opened: Opener) -> None:
    calendar = server.store.make("work")
    for name in ("a@b.ics", "with space.ics", "ä%2F.ics", "(1)~.ics"):
        server.store.put(calendar, name, event_text(1))
    server.manners.doubles = server.manners.escapes_at = True
    seen = set()
    for syncs in (True, False, True, False):
        server.manners.syncs = syncs
        connection = opened()
        work = channel(connection)
        page = pulled(connection, work)
        assert len(page.items) == 4
        seen |= {item.id for item in page.items}
        assert all(
            isinstance(item, Record) for item in connection.get(work, [item.id for item in page.items])
        )
    assert len(seen) == 4
    assert "a@b.ics" in seen


def test_a_weak_tag_names_the_same_version_as_a_strong_one(server: CaldavServer, opened: Opener) -> None:
    """Else every listing would have what was read once read again."""
    filled(server, 2)
    server.manners.weakens = True
    connection = opened()
    work = channel(connection)
    listed = {item.id: item.version for item in pulled(connection, work).items if isinstance(item, Ref)}
    read = {item.id: item.version for item in connection.get(work, list(listed)) if isinstance(item, Record)}
    assert read == listed


def test_what_is_told_to_be_gone_and_there_is_there(server: CaldavServer, opened: Opener) -> None:
    calendar = filled(server)
    connection = opened()
    work = channel(connection)
    cursor = pulled(connection, work).cursor
    server.manners.doubles = True
    server.store.put(calendar, "1.ics", event_text(1, 1))
    server.store.delete(calendar, "2.ics")
    page = pulled(connection, work, cursor)
    assert (ids(page.items), gone(page.items)) == (["1.ics"], ["2.ics"])


def test_whole_addresses_name_the_same_resources_as_paths(server: CaldavServer, opened: Opener) -> None:
    filled(server, 2)
    server.manners.whole_addresses = True
    connection = opened()
    assert ids(pulled(connection, channel(connection)).items) == ["0.ics", "1.ics"]


def listing(*responses: str, token: str = "") -> tuple[int, str, bytes]:
    ok = '<D:propstat><D:prop><D:getetag>"1"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>'
    inside = "".join(f"<D:response>{each.replace('OK', ok)}</D:response>" for each in responses)
    return 207, "text/xml", f'<D:multistatus xmlns:D="DAV:">{inside}{token}</D:multistatus>'.encode()


def test_what_lies_elsewhere_or_is_no_resource_does_no_harm(server: CaldavServer, opened: Opener) -> None:
    filled(server, 0, components=("VEVENT",))
    connection = opened()
    work = channel(connection)
    folder = "<D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop></D:propstat>"
    server.manners.raw[work.id] = listing(
        f"<D:href>{HOME}work</D:href>OK",
        f"<D:href>{HOME}work/in.ics</D:href>OK",
        "<D:href>/other/place.ics</D:href>OK",
        f"<D:href>{HOME}work/sub/</D:href>{folder}",
        f"<D:href>{HOME}work/{'x' * 700}.ics</D:href>OK",
        "<D:href>http://[::1</D:href>OK",
        f"<D:href>{HOME}work/a.ics</D:href><D:href>{HOME}work/b.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status>",
        f"<D:href>{HOME}work/odd.ics</D:href><D:status>nonsense</D:status>OK",
        token="<D:sync-token>t</D:sync-token>",
    )
    page = pulled(connection, work)
    names = ids(page.items)
    assert names[:1] + names[-2:] == ["/other/place.ics", "in.ics", "odd.ics"]
    unusable = [name for name in names if name.startswith("?")]
    assert len(unusable) == 2
    del server.manners.raw[work.id]
    assert all(isinstance(answer, Broken) for answer in connection.get(work, unusable))


def test_several_addresses_that_share_a_status_are_told_of_one_by_one(
    server: CaldavServer, opened: Opener
) -> None:
    """RFC 4918, 14.24."""
    filled(server, 3, components=("VEVENT",))
    connection = opened()
    work = channel(connection)
    cursor = pulled(connection, work).cursor
    shared = "".join(f"<D:href>{HOME}work/{number}.ics</D:href>" for number in (0, 2))
    server.manners.raw[work.id] = listing(
        f"{shared}<D:status>HTTP/1.1 404 Not Found</D:status>", token="<D:sync-token>t</D:sync-token>"
    )
    assert gone(pulled(connection, work, cursor).items) == ["0.ics", "2.ics"]


def test_a_listing_that_was_cut_takes_nothing_for_gone(server: CaldavServer, opened: Opener) -> None:
    filled(server, 0, components=("VEVENT",))
    server.manners.syncs = server.manners.announces_sync = False
    connection = opened()
    work = channel(connection)
    server.manners.raw[work.id] = listing(
        f"<D:href>{HOME}work/1.ics</D:href>OK",
        f"<D:href>{HOME}work/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>",
    )
    page = pulled(connection, work)
    assert ids(page.items) == ["1.ics"]
    assert not page.complete


def test_a_truncated_answer_that_leads_nowhere_is_no_endless_loop(
    server: CaldavServer, opened: Opener
) -> None:
    filled(server, 0, components=("VEVENT",))
    connection = opened()
    work = channel(connection)
    server.manners.raw[work.id] = listing(
        f"<D:href>{HOME}work/1.ics</D:href>OK",
        f"<D:href>{HOME}work/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>",
        token="<D:sync-token>same</D:sync-token>",
    )
    first = connection.pull(work, None, limit=10)
    assert first.more
    with pytest.raises(CursorExpired):
        connection.pull(work, first.cursor, limit=10)
    assert token_in(connection.pull(work, None, limit=10).cursor) is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b'<D:multistatus xmlns:D="DAV:"/>',
        b'<D:multistatus xmlns:D="DAV:"><D:sync-token></D:sync-token></D:multistatus>',
        b'<D:multistatus xmlns:D="DAV:"><D:sync-token>' + b"x" * 5_000 + b"</D:sync-token></D:multistatus>",
    ],
)
def test_a_sync_collection_without_a_usable_token_is_replaced_by_a_listing(
    server: CaldavServer, opened: Opener, body: bytes
) -> None:
    calendar = filled(server)
    connection = opened()
    work = channel(connection)
    answers = iter([(207, "text/xml", body)])

    class Once(dict[str, tuple[int, str, bytes]]):
        """Answers so to the REPORT alone."""

        def __contains__(self, path: object) -> bool:
            return path == work.id and server.asked[-1].startswith("REPORT")

        def __getitem__(self, path: str) -> tuple[int, str, bytes]:
            return next(answers)

    server.manners.raw = Once()
    page = pulled(connection, work)
    assert page.complete
    assert len(page.items) == len(calendar.resources)
    assert token_in(page.cursor) is None


def test_a_server_that_is_down_is_no_server_without_reports(server: CaldavServer, opened: Opener) -> None:
    filled(server)
    connection = opened()
    work = channel(connection)
    server.manners.raw[work.id] = (500, "text/plain", b"down")
    with pytest.raises(Unreachable):
        connection.pull(work, None, limit=10)
    del server.manners.raw[work.id]
    cursor = pulled(connection, work).cursor
    assert token_in(cursor)
    server.store.put(server.store.collections[work.id], "x.ics", event_text(8))
    server.manners.raw[work.id] = (502, "text/plain", b"down")
    with pytest.raises(Unreachable):
        connection.pull(work, cursor, limit=10)
    del server.manners.raw[work.id]
    assert ids(pulled(connection, work, cursor).items) == ["x.ics"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_collection_that_left_is_gone(server: CaldavServer, opened: Opener, status: int) -> None:
    filled(server)
    connection = opened()
    work = channel(connection)
    server.manners.raw[work.id] = (status, "text/plain", b"")
    with pytest.raises(ChannelGone):
        connection.pull(work, None, limit=10)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (301, Unreachable),
        (401, CredentialRejected),
        (403, Unreachable),
        (423, Unreachable),
        (429, RateLimited),
    ],
)
def test_a_calendar_that_is_closed_tells_who_must_act(
    server: CaldavServer, opened: Opener, status: int, fault: type[Exception]
) -> None:
    filled(server)
    connection = opened()
    work = channel(connection)
    server.manners.raw[work.id] = (status, "text/plain", b"")
    with pytest.raises(fault):
        connection.pull(work, None, limit=10)
