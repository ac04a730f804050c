"""Mail folders: which are captured, what a delta tells, and what it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.connectors.microsoft.account import INBOX, MAIL, SENT, TEXTS, items, mail, opened, rounds

from autocapture.clock import FixedClock
from autocapture.connector import Broken, Gone, Record, Ref
from autocapture.errors import CursorExpired
from autocapture.formats.machine_mail import machine_sign
from autocapture.records import Address
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, message
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.samples import person, zulu
from autocapture.testing.fakes.source import FIRST, REP
from autocapture_microsoft import MicrosoftConnector
from autocapture_microsoft.messages import email_record


def ids_of(mailbox: FakeMailbox) -> dict[int, str]:
    return {number: each.id for number, each in mailbox.messages.items()}


def test_all_folders_are_captured_but_those_that_hold_no_business_mail(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """By their well-known names, whatever the mailbox's language calls them; with what lies below them."""
    projects = mailbox.add_folder("Projecten", "inbox")
    mailbox.add_folder("Alpha", projects)
    mailbox.add_folder("Archief")
    mailbox.add_folder("Oude spam", "junkemail")
    mailbox.add_folder("Synchronisatieproblemen", well_known="syncissues")
    mailbox.add_folder("Conflicten", mailbox.folder_id("syncissues"))
    mailbox.add_folder("RSS-feeds")
    mailbox.add_folder("Ongelezen", kind="#microsoft.graph.mailSearchFolder")
    for number in range(12):
        mailbox.add_folder(f"Klant {number:02}")
    with opened(graph, MAIL) as connection:
        names = [channel.name for channel in connection.channels()]
        left_out = connection.left_out()  # type: ignore[attr-defined]
    assert names[:2] == ["Postvak IN", "Verzonden items"]
    assert names[2:5] == ["Archief", "Klant 00", "Klant 01"]
    assert {"Postvak IN/Projecten", "Postvak IN/Projecten/Alpha", "Klant 11"} <= set(names)
    assert left_out["RSS-feeds"] == "news feeds, not mail"
    assert left_out["Concepten"] == "drafts"
    assert left_out["Ongelezen"] == "a search, not a folder"
    assert not {"Synchronisatieproblemen", "Ongewenste e-mail", "Oude spam", "Conflicten"} & set(names)


def test_a_well_known_folder_that_is_not_told_now_is_not_taken_for_missing(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """Otherwise junk would be captured."""
    graph.fail(refusal(500, "InternalServerError"), where="junkemail")
    with opened(graph, MAIL) as connection, pytest.raises(Exception, match="500"):
        connection.channels()


def test_well_known_folders_are_asked_for_once_a_day(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    clock, connector = FixedClock(datetime(2026, 11, 16, 9, tzinfo=UTC)), MicrosoftConnector()

    def requests() -> int:
        before = graph.requests
        with opened(graph, MAIL, clock=clock, connector=connector) as connection:
            connection.channels()
        return graph.requests - before

    assert [requests(), requests()] == [2, 1]
    clock.advance(timedelta(days=1))
    mailbox.add_folder("Gespreksgeschiedenis", well_known="conversationhistory")
    assert requests() == 2
    with opened(graph, MAIL, clock=clock, connector=connector) as connection:
        assert "Gespreksgeschiedenis" in connection.left_out()  # type: ignore[attr-defined]


def test_a_listing_tells_whole_messages_without_a_request_for_each(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    for number in range(450):
        mailbox.add(message(number), "inbox", number)
    with opened(graph, MAIL) as connection:
        pages = rounds(connection, INBOX, limit=100)
    found = items(pages)
    assert all(isinstance(item, Record) for item in found)
    assert [mail(item).subject for item in found[:2]] == ["item 449", "item 448"]  # newest first
    assert len(found) == 450
    assert graph.requests == len(pages) <= 7
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]


def test_leaving_a_folder_is_no_deletion_and_a_message_keeps_its_id(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """A move is told in both folders, in either order, in runs of their own."""
    for number, added_first in ((1, True), (2, False)):
        mailbox.add(message(number), "inbox", number)
        with opened(graph, MAIL) as connection:
            inbox = rounds(connection, INBOX)[-1].cursor
            sent = rounds(connection, SENT)[-1].cursor
            mailbox.move(number, "sentitems", added_first=added_first)
            left = items(rounds(connection, INBOX, inbox))
            came = items(rounds(connection, SENT, sent))
        assert left == [Gone(ids_of(mailbox)[number])]
        assert [item.id for item in came if isinstance(item, Record)] == [ids_of(mailbox)[number]]


def test_a_message_that_is_found_in_another_folder_is_gone_from_this_one(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    mailbox.add(message(1), "inbox", 1)
    (id_,) = ids_of(mailbox).values()
    mailbox.move(1, "sentitems")
    with opened(graph, MAIL) as connection:
        assert connection.get(INBOX, [id_]) == [Gone(id_)]
        (found,) = connection.get(SENT, [id_])
    assert isinstance(found, Record)


def test_what_was_merely_read_or_flagged_is_not_read_again_and_not_emptied(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """A delta tells of such a message nothing but the flag. Held in this version, it costs nothing."""
    mailbox.add(message(1), "inbox", 1)
    with opened(graph, MAIL) as connection:
        pages = rounds(connection, INBOX)
        (listed,) = items(pages)
        mailbox.edit(1, isRead=True)
        (told,) = items(rounds(connection, INBOX, pages[-1].cursor))
        assert isinstance(listed, Record)
        assert told == Ref(listed.id, listed.version)
        (read,) = connection.get(INBOX, [told.id])
    assert read == listed


def test_the_same_message_several_times_in_a_round_counts_as_it_is_told_last(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    mailbox.add(message(1), "inbox", 1)
    with opened(graph, MAIL) as connection:
        cursor = rounds(connection, INBOX)[-1].cursor
        mailbox.edit(1, subject="second")
        mailbox.edit(1, subject="third")
        mailbox.edit(1, isRead=True)
        mailbox.move(1, "sentitems")
        assert items(rounds(connection, INBOX, cursor)) == [Gone(ids_of(mailbox)[1])]


def test_drafts_are_nobodys_mail_until_they_are_sent(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    mailbox.add(message(1, isDraft=True), "inbox", 1)
    with opened(graph, MAIL) as connection:
        pages = rounds(connection, INBOX)
        assert items(pages) == []
        assert connection.get(INBOX, [ids_of(mailbox)[1]]) == [Gone(ids_of(mailbox)[1])]
        mailbox.edit(1, isDraft=False)
        (sent,) = items(rounds(connection, INBOX, pages[-1].cursor))
    assert isinstance(sent, Record)


def test_a_page_without_items_goes_on(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number in range(5):
        mailbox.add(message(number), "inbox", number)
    with opened(graph, MAIL) as connection:
        pages = rounds(connection, INBOX, limit=2)
    assert any(not page.items and page.more for page in pages)
    assert len(items(pages)) == 5


def test_a_round_that_dies_on_the_way_is_told_as_expired(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number in range(9):
        mailbox.add(message(number), "inbox", number)
    with opened(graph, MAIL) as connection:
        for _ in range(4):  # Graph has several ways of saying it
            page = connection.pull(INBOX, None, limit=2)
            graph.links.expire()
            with pytest.raises(CursorExpired):
                connection.pull(INBOX, page.cursor, limit=2)


def test_mail_of_before_the_account_began_is_left_out_and_the_folder_is_read_to_its_end(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """No filter: a delta with one tells of 5,000 messages and forgets the others."""
    for number, days in enumerate((0, 10, 20, 30, 40)):
        received = FIRST - timedelta(days=days)
        mailbox.add(message(number, receivedDateTime=zulu(received)), "inbox", number)
    with opened(graph, MAIL, since=date(2026, 10, 14)) as connection:
        pages = rounds(connection, INBOX, limit=2)
        assert [mail(item).subject for item in items(pages)] == ["item 0", "item 1"]
        assert pages[-1].complete
        cursor = pages[-1].cursor
        mailbox.add(message(9, receivedDateTime=zulu(FIRST - timedelta(days=300))), "inbox", 9)
        assert items(rounds(connection, INBOX, cursor)) == []
    assert not any("$filter" in request.query for request in graph.asked)
    with opened(graph, MAIL, since=date(2026, 1, 1)) as connection, pytest.raises(CursorExpired):
        connection.pull(INBOX, cursor, limit=2)  # another scope is another listing


def test_the_first_day_in_scope_begins_where_the_rep_lives(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    midnight = datetime(2026, 11, 1, 23, 0, tzinfo=UTC)
    for number, moment in enumerate((midnight, midnight - timedelta(seconds=1))):
        mailbox.add(message(number, receivedDateTime=zulu(moment)), "inbox", number)
    with opened(graph, MAIL, since=date(2026, 11, 2), time_zone="Europe/Amsterdam") as connection:
        assert [mail(item).subject for item in items(rounds(connection, INBOX))] == ["item 0"]


def test_a_quiet_folder_costs_one_request_and_its_cursor_is_renewed_daily(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    clock = FixedClock(datetime(2026, 11, 16, 9, tzinfo=UTC))
    with opened(graph, MAIL, clock=clock) as connection:
        cursor = rounds(connection, INBOX)[-1].cursor
        asked = graph.requests
        assert connection.pull(INBOX, cursor, limit=10).cursor == cursor
        assert graph.requests == asked + 1
        clock.advance(timedelta(days=1))
        assert connection.pull(INBOX, cursor, limit=10).cursor != cursor


def test_where_a_delta_does_not_tell_header_lines_it_is_asked_without_them(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    mailbox.add(message(1), "inbox", 1)
    graph.fail(refusal(400, "RequestBroker--ParseUri"), where="internetMessageHeaders")
    with opened(graph, MAIL) as connection:
        (item,) = items(rounds(connection, INBOX))
    assert mail(item).message_id == "1@customer.example"


def test_an_unreadable_message_is_broken_alone_and_can_be_read_again(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    odd: list[dict[str, Any]] = [
        {"toRecipients": "x"},
        {"from": ["x"]},
        {"receivedDateTime": "yesterday"},
        {"subject": {"x": 1}},
        {"internetMessageHeaders": [1]},
        {"replyTo": {"x": 1}},
    ]
    for number in range(len(odd)):
        mailbox.add(message(number), "inbox", number)
    mailbox.add(message(99), "inbox", 99)
    with opened(graph, MAIL) as connection:
        cursor = rounds(connection, INBOX)[-1].cursor
        for number, told in enumerate(odd):
            mailbox.edit(number, **told)
        mailbox.edit(99, importance="high")
        found = items(rounds(connection, INBOX, cursor))
        assert sum(isinstance(item, Broken) for item in found) == len(odd)
        assert sum(isinstance(item, Record) for item in found) == 1
        again = connection.get(INBOX, [item.id for item in found])
        assert sum(isinstance(item, Broken) for item in again) == len(odd)


def test_a_message_tells_all_that_its_headers_and_its_properties_do() -> None:
    told = message(
        1,
        subject=" Re:\toffer\x00 ",
        sender=person("assistant@customer.example", "Assistant"),
        ccRecipients=[person("boss@customer.example", "Boss"), {"emailAddress": {"name": "nobody"}}],
        bccRecipients=[person("secret@ours.example")],
        internetMessageHeaders=[
            {"name": "References", "value": "<a@x.example>\r\n <b@x.example>"},
            {"name": "In-Reply-To", "value": "<b@x.example>"},
            {"name": "AUTO-SUBMITTED", "value": "auto-generated"},
            {"name": "X-MS-Exchange-Secret", "value": "not ours"},
            {"name": "Subject", "value": "another subject"},
            {"name": "Message-ID", "value": "<another@x.example>"},
            {"name": "To", "value": "Other <other@x.example>"},
        ],
    )
    record = email_record(told)
    assert record.message_id == "1@customer.example"
    assert record.subject == "Re: offer"
    assert record.from_ == (Address("buyer1@customer.example", "Buyer 1"),)
    assert record.sender == (Address("assistant@customer.example", "Assistant"),)
    assert record.to == (Address(REP, "rep"),)
    assert [each.email for each in record.cc] == ["boss@customer.example"]
    assert record.references == ("a@x.example", "b@x.example")
    assert record.in_reply_to == ("b@x.example",)
    assert record.headers == {"auto-submitted": "auto-generated"}
    assert record.provider_thread == "AAQkConversation1="
    assert record.text is None


def test_an_invitation_is_told_by_its_type(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    """Sent by Outlook, it has no header line that gives it away, and the calendar tells of the meeting."""
    mailbox.add(message(1, **{"@odata.type": "#microsoft.graph.eventMessageRequest"}), "inbox", 1)
    with opened(graph, MAIL) as connection:
        (item,) = items(rounds(connection, INBOX))
    assert machine_sign(mail(item), "buyer1@customer.example", set()) == "calendar_mail"


def test_years_in_which_no_mail_was_are_no_times() -> None:
    record = email_record(
        message(1, sentDateTime="0001-01-01T00:00:00Z", receivedDateTime="2026-11-02T09:00:00.1234567Z")
    )
    assert record.sent_at is None
    assert record.received_at == datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
    assert email_record(message(1, internetMessageId=None)).message_id is None


def test_texts_are_read_where_they_were_granted_and_as_plain_text(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    for number in range(3):
        mailbox.add(message(number), "inbox", number)
    mailbox.add(message(3, body={"contentType": "html", "content": "x" * 200_000}), "inbox", 3)
    mailbox.add(message(4, body=None), "inbox", 4)
    ids = ids_of(mailbox)
    with opened(graph, TEXTS) as connection:
        texts = connection.texts(INBOX, [*ids.values(), "AAkALgNone="])  # type: ignore[attr-defined]
    assert texts[ids[0]] == "hello 0"
    assert len(texts[ids[3]]) == 65_536
    assert texts.keys() == {ids[number] for number in range(4)}
    assert all(request.prefers('body-content-type="text"') for request in graph.asked)


def test_texts_are_never_asked_for_otherwise(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    mailbox.add(message(1), "inbox", 1)
    with opened(graph, TEXTS) as connection:
        connection.get(INBOX, [item.id for item in items(rounds(connection, INBOX))])
    assert all(
        "ody" not in request.query.get("$select", "") and "$select" in request.query
        for request in graph.asked
    )


def test_a_folder_is_counted_by_year_before_anything_is_read(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number, year in enumerate((2026, 2026, 2025, 1999)):
        received = datetime(year, 3, 1, tzinfo=UTC)
        mailbox.add(message(number, receivedDateTime=zulu(received)), "inbox", number)
    with opened(graph, MAIL) as connection:
        count = connection.count(INBOX)  # type: ignore[attr-defined]
        assert (count.total, count.by_year) == (4, {2026: 2, 2025: 1, 2006: 1})
        assert count.text_method == count.method  # a text takes a request of its own
        graph.fail(refusal(501, "NotSupported"), where=r"\$count", times=99)
        count = connection.count(INBOX)  # type: ignore[attr-defined]
        assert (count.total, count.by_year) == (4, {})


def test_the_newest_mail_is_told_in_one_request(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    with opened(graph, MAIL) as connection:
        assert connection.newest(INBOX) is None  # type: ignore[attr-defined]
        mailbox.add(message(1), "inbox", 1)
        mailbox.add(message(2, isDraft=True), "inbox", 2)
        asked = graph.requests
        assert connection.newest(INBOX) == FIRST + timedelta(minutes=1, seconds=5)  # type: ignore[attr-defined]
        assert graph.requests == asked + 1
    with opened(graph, MAIL, since=date(2026, 11, 5)) as connection:
        assert connection.newest(INBOX) is None  # type: ignore[attr-defined]
