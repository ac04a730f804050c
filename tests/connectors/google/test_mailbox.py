"""Gmail as one channel: what is in scope, what its change feed says, and what it costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.connectors.google.account import (
    CALENDARS,
    MAIL,
    MAIL_WITH_TEXTS,
    MAILBOX,
    NOW,
    SmallMeter,
    items,
    new_user,
    opened,
    pages,
    write,
    write_many,
)

from autocapture.connector import Broken, Gone, Record, Ref
from autocapture.errors import CursorExpired, RateLimited, ScopeMissing, Unreachable
from autocapture.records import EmailRecord
from autocapture.testing.fakes.google import FakeGoogle
from autocapture_google.messages import LEFT_OUT


def email(item: object) -> EmailRecord:
    assert isinstance(item, Record)
    assert isinstance(item.data, EmailRecord)
    return item.data


def test_a_mailbox_is_listed_newest_first_and_read_by_its_headers(google: FakeGoogle) -> None:
    user = new_user(google)
    written = write_many(user, 60)
    with opened(google, user) as connection:
        found = pages(connection, MAILBOX, limit=25)
        assert items(found) == [Ref(message.id) for message in written]
        assert [page.complete for page in found] == [False, False, True]
        read = {item.id: email(item) for item in connection.get(MAILBOX, [message.id for message in written])}
    first = read[written[0].id]
    assert (first.subject, first.received_at, first.message_id) == (
        "mail 0",
        NOW,
        "mail 0@customer.example".replace(" ", ""),
    )
    assert first.provider_thread == written[0].thread
    assert first.size == 1_000
    assert "x-secret" not in first.headers
    assert first.text is None


def test_drafts_chats_spam_and_trash_are_not_listed(google: FakeGoogle) -> None:
    user = new_user(google)
    kept = write(user, NOW, labels={"SENT"})
    for label in sorted(LEFT_OUT):
        write(user, NOW, label, labels={label})
    with opened(google, user) as connection:
        assert items(pages(connection, MAILBOX, limit=2)) == [Ref(kept.id)]
        assert {"Drafts", "Spam", "Trash", "Chats"} <= connection.left_out().keys()


@pytest.mark.parametrize("limit", [500, 40, 7])
def test_a_listing_stops_at_the_bound_whatever_the_size_of_its_pages(google: FakeGoogle, limit: int) -> None:
    """From the day before on; as every listing ends at the same message, a census finds what the ledger holds."""
    user = new_user(google)
    written = write_many(user, 100, apart=timedelta(hours=3))
    since = date(2026, 11, 10)
    bound = datetime(2026, 11, 8, 23, tzinfo=UTC)  # midnight in Amsterdam
    with opened(google, user, since=since) as connection:
        found = pages(connection, MAILBOX, limit=limit)
    assert items(found) == [Ref(message.id) for message in written if message.received_at >= bound]
    assert found[-1].complete
    assert not found[-1].more


def test_finding_the_bound_costs_few_messages(google: FakeGoogle) -> None:
    user = new_user(google)
    write_many(user, 400, apart=timedelta(minutes=30))
    google.calls.clear()
    with opened(google, user, since=date(2026, 11, 14)) as connection:
        page = connection.pull(MAILBOX, None, limit=500)
        looked_at = google.calls["gmail.messages.get"]
        connection.get(MAILBOX, [item.id for item in page.items])
    assert looked_at <= 15
    assert google.calls["gmail.messages.get"] < len(page.items) + looked_at  # some of them were read already


def test_where_the_order_does_not_hold_nothing_is_lost(google: FakeGoogle) -> None:
    """Were a listing ever in another order than by date, it goes on to its end."""
    user = new_user(google)
    since = date(2026, 11, 10)
    old = write_many(user, 9, newest=NOW - timedelta(days=90))
    new = write_many(user, 9, newest=NOW)
    user.mailbox.by_date = False
    with opened(google, user, since=since) as connection:
        found = items(pages(connection, MAILBOX))
    assert {item.id for item in found} >= {message.id for message in new}
    assert len(old) == 9


def test_newer_mail_behind_older_is_not_taken_for_older(google: FakeGoogle) -> None:
    """As where an old mailbox was moved here in the midst of a new one: the search by halves ends before it."""
    user = new_user(google)
    user.mailbox.by_date = False
    since, old = date(2026, 10, 1), datetime(2026, 3, 1, tzinfo=UTC)
    for block, at in enumerate((NOW, old, NOW, old)):
        for number in range(10):
            write(user, at - timedelta(minutes=number), f"block {block} mail {number}")
    with opened(google, user, since=since) as connection:
        refs = [item.id for item in items(pages(connection, MAILBOX))]
        read = [email(item) for item in connection.get(MAILBOX, refs) if isinstance(item, Record)]
    subjects = {mail.subject for mail in read}
    assert {f"block {block} mail {number}" for block in (0, 2) for number in range(10)} <= subjects


def test_what_arrives_is_read_and_what_leaves_is_gone(google: FakeGoogle) -> None:
    user = new_user(google)
    stays, trashed, deleted, spam = (
        write(user, NOW, name) for name in ("stays", "trashed", "deleted", "spam")
    )
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        arrived = write(user, NOW, "arrived")
        user.mailbox.label(trashed.id, "TRASH")
        user.mailbox.delete(deleted.id)
        user.mailbox.label(spam.id, "SPAM")
        user.mailbox.unlabel(stays.id, "UNREAD")
        found = pages(connection, MAILBOX, cursor, limit=1)
        told = {item.id: item for item in items(found)}
        assert set(told) == {arrived.id, trashed.id, deleted.id, spam.id}
        assert email(told[arrived.id]).subject == "arrived"
        assert [told[each.id] for each in (trashed, deleted, spam)] == [
            Gone(each.id) for each in (trashed, deleted, spam)
        ]
        user.mailbox.unlabel(trashed.id, "TRASH")
        (back,) = items(pages(connection, MAILBOX, found[-1].cursor))
        assert email(back).subject == "trashed"


def test_labels_that_mean_nothing_cost_no_reading(google: FakeGoogle) -> None:
    """A rep opens, stars and archives mail all day."""
    user = new_user(google)
    written = write_many(user, 30)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        for message in written:
            user.mailbox.unlabel(message.id, "UNREAD", "INBOX")
            user.mailbox.label(message.id, "STARRED")
        google.calls.clear()
        assert items(pages(connection, MAILBOX, cursor)) == []
        assert set(google.calls) == {"gmail.history.list"}


def test_a_draft_is_captured_when_it_is_sent(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        draft = write(user, NOW, "offer", labels={"DRAFT"})
        found = pages(connection, MAILBOX, cursor)
        assert items(found) == [Gone(draft.id)]
        user.mailbox.label(draft.id, "SENT")
        user.mailbox.unlabel(draft.id, "DRAFT")
        (sent,) = items(pages(connection, MAILBOX, found[-1].cursor))
        assert email(sent).subject == "offer"


def test_mail_imported_from_before_the_bound_stays_out_of_scope(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user, since=date(2026, 11, 1)) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        old = write(user, NOW - timedelta(days=400), "migrated")
        assert items(pages(connection, MAILBOX, cursor)) == [Gone(old.id)]


def test_mail_of_today_is_seen_in_the_midst_of_a_first_import(google: FakeGoogle) -> None:
    user = new_user(google)
    write_many(user, 50)
    with opened(google, user) as connection:
        first = connection.pull(MAILBOX, None, limit=20)
        urgent = write(user, NOW, "urgent")
        second = connection.pull(MAILBOX, first.cursor, limit=20)
        assert [item.id for item in second.items] == [urgent.id]
        assert second.more
        rest = pages(connection, MAILBOX, second.cursor, limit=20)
        assert len(items([first, *rest])) == 50  # and it is not listed again
        assert rest[-1].complete


def test_a_feed_page_of_other_changes_alone_is_followed_to_its_end(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        user.mailbox.history += [(user.mailbox.history_id + index, "other", {}) for index in range(1, 8)]
        user.mailbox.history_id += 8
        late = write(user, NOW, "late")
        found = pages(connection, MAILBOX, cursor, limit=2)
        assert [item.id for item in items(found)] == [late.id]
        assert len(found) > 3


def test_forgotten_history_begins_a_new_listing(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        user.mailbox.forget_history()
        with pytest.raises(CursorExpired):
            connection.pull(MAILBOX, cursor, limit=10)


@pytest.mark.parametrize(
    "cursor",
    [
        '{"v":2,"id":"99","page":null,"skip":0,"list":null}',
        '{"v":1,"id":"x","page":null,"skip":0,"list":null}',
        '{"v":1,"id":"99","page":null,"skip":0}',
        '{"v":1,"id":"99","page":7,"skip":0,"list":null}',
        '{"v":1,"id":"99","page":"bm9uc2Vuc2U=","skip":0,"list":null}',
        '{"v":1,"id":"99","page":null,"skip":0,"list":"!"}',
    ],
)
def test_a_cursor_of_another_form_is_expired(google: FakeGoogle, cursor: str) -> None:
    user = new_user(google)
    with opened(google, user) as connection, pytest.raises(CursorExpired):
        connection.pull(MAILBOX, cursor, limit=10)


def test_a_message_that_gmail_fails_at_takes_no_other_along(google: FakeGoogle) -> None:
    user = new_user(google)
    good = write_many(user, 8)
    failing = [user.mailbox.receive([("Subject", "bad")], NOW, faulty="fails") for _ in range(2)]
    empty = user.mailbox.receive([("Subject", "bad")], NOW, faulty="empty")
    with opened(google, user) as connection:
        ids = [message.id for message in (*good, *failing, empty)]
        read = {item.id: item for item in connection.get(MAILBOX, [*ids, "ffff", "no-id"])}
        alone = connection.get(
            MAILBOX, [each.id for each in failing]
        )  # nothing but them, though Gmail is there
    assert all(isinstance(read[message.id], Record) for message in good)
    assert [type(read[each.id]) for each in (*failing, empty)] == [Broken] * 3
    assert read["ffff"] == Gone("ffff")
    assert isinstance(read["no-id"], Broken)
    assert [type(item) for item in alone] == [Broken] * 2


@pytest.mark.parametrize("fault", ["failed", "html"])
def test_one_message_that_gmail_fails_at_is_told_from_a_gmail_that_fails(
    google: FakeGoogle, fault: str
) -> None:
    """It is asked for without a batch first, so nothing but its own answer tells of it."""
    user = new_user(google)
    [message] = write_many(user, 1)
    failing = user.mailbox.receive([("Subject", "bad")], NOW, faulty="fails")
    with opened(google, user) as connection:
        assert [type(item) for item in connection.get(MAILBOX, [failing.id])] == [Broken]
        google.break_next(fault)
        assert [type(item) for item in connection.get(MAILBOX, [message.id])] == [Record]
        google.break_next(fault)
        google.break_next(fault, 2)
        with pytest.raises(Unreachable):
            connection.get(MAILBOX, [message.id])


def test_the_newest_is_read_once_as_long_as_it_is_the_newest(google: FakeGoogle) -> None:
    user = new_user(google)
    old, new = write(user, NOW - timedelta(hours=1), "old"), write(user, NOW, "new")
    before = google.calls["gmail.messages.get"]
    for _ in range(3):
        with opened(google, user) as connection:
            assert connection.newest(MAILBOX) == NOW
    assert google.calls["gmail.messages.get"] - before == 1
    user.mailbox.label(new.id, "TRASH")
    with opened(google, user) as connection:
        assert connection.newest(MAILBOX) == NOW - timedelta(hours=1)
        assert old.id in user.mailbox.messages


def test_batches_shrink_where_too_many_are_asked_for_at_once() -> None:
    with FakeGoogle() as google:
        user = new_user(google)
        written = write_many(user, 60)
        google.at_once = 6
        with opened(google, user) as connection:
            read = connection.get(MAILBOX, [message.id for message in written])
            assert all(isinstance(item, Record) for item in read)
            google.at_once = 0
            with pytest.raises(RateLimited):
                connection.get(MAILBOX, [message.id for message in written[:2]])


def test_a_page_is_no_larger_than_the_budget_for_reading_it(google: FakeGoogle) -> None:
    user = new_user(google)
    write_many(user, 200)
    meter = SmallMeter(1_300)
    with opened(google, user, meter=meter, since=date(2026, 1, 1)) as connection:
        page = connection.pull(MAILBOX, None, limit=500)
        assert 20 <= len(page.items) <= 65
        connection.get(MAILBOX, [item.id for item in page.items])
        with pytest.raises(RateLimited) as told:
            connection.pull(MAILBOX, page.cursor, limit=500)
        assert told.value.retry_after == timedelta(seconds=20)
        assert meter.taken["gmail.messages.get"] == len(page.items)  # what could not be begun cost nothing


def test_a_short_budget_always_gets_on(google: FakeGoogle) -> None:
    """What a tenth of a minute gives, and a mailbox with more old chats than are asked for."""
    user = new_user(google)
    written = {message.id for message in write_many(user, 25)}
    for _ in range(5_100):
        user.mailbox.receive([], NOW - timedelta(days=900), labels={"CHAT"})
    found: list[str] = []
    cursor = None
    for _ in range(5):
        with opened(google, user, MAIL_WITH_TEXTS, level="full", meter=SmallMeter(600)) as connection:
            page = connection.pull(MAILBOX, cursor, limit=500)
            read = connection.get(MAILBOX, [item.id for item in page.items])
            connection.texts(MAILBOX, [item.id for item in read if isinstance(item, Record)])
        assert page.items
        cursor = page.cursor
        found += [item.id for item in read]
        if written <= set(found):
            return
    pytest.fail("it does not get on")


def test_what_was_taken_and_not_needed_is_given_back(google: FakeGoogle) -> None:
    user = new_user(google)
    write_many(user, 30)
    meter = SmallMeter(6_000)
    with opened(google, user, meter=meter) as connection:
        pages(connection, MAILBOX, limit=10)
    assert meter.taken["gmail.messages.get"] == 0
    assert meter.units > 5_900


def test_more_news_than_the_budget_allows_comes_in_parts(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
    written = write_many(user, 30)
    found = []
    for _ in range(10):
        meter = SmallMeter(200)
        with opened(google, user, meter=meter) as connection:
            page = connection.pull(MAILBOX, cursor, limit=500)
        found += page.items
        cursor = page.cursor
        if not page.more:
            break
    assert sorted(item.id for item in found) == sorted(message.id for message in written)


def test_what_happens_between_two_parts_of_a_page_is_told(google: FakeGoogle) -> None:
    """A page that was not full has more when it is asked for again, of messages that were told already too."""
    user = new_user(google)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
    trashed = write(user, NOW, "trashed")
    user.mailbox.label(trashed.id, "TRASH")
    read, *_ = write_many(user, 30)
    with opened(google, user, meter=SmallMeter(200)) as connection:
        part = connection.pull(MAILBOX, cursor, limit=500)
    assert part.more
    assert [item.id for item in part.items][:2] == [trashed.id, read.id]
    user.mailbox.unlabel(trashed.id, "TRASH")
    user.mailbox.delete(read.id)
    with opened(google, user) as connection:
        rest = {item.id: item for item in items(pages(connection, MAILBOX, part.cursor))}
    assert email(rest[trashed.id]).subject == "trashed"
    assert rest[read.id] == Gone(read.id)
    assert len({item.id for item in part.items} | rest.keys()) == 31


def test_texts_are_read_with_the_permission_for_them_alone(google: FakeGoogle) -> None:
    user = new_user(google)
    message = write(user, NOW, text="Dear rep,\r\nyes please.")
    markup = user.mailbox.receive([("Subject", "x")], NOW, html="<p>Only <b>markup</b></p>")
    ids = [message.id, markup.id]
    with opened(google, user, MAIL_WITH_TEXTS, level="full") as connection:
        texts = connection.texts(MAILBOX, ids)
        assert texts[message.id] == "Dear rep,\nyes please."
        assert "Only markup" in texts[markup.id]
    for scopes in (MAIL, MAIL | MAIL_WITH_TEXTS):  # of two scopes the stricter one decides
        with opened(google, user, scopes, level="full") as connection:
            assert connection.texts(MAILBOX, ids) == {}
            assert len(items(pages(connection, MAILBOX))) == 2


def test_each_service_works_without_the_permission_for_the_other(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user, CALENDARS) as connection:
        assert [channel.kind for channel in connection.channels()] == ["event"]
        assert connection.left_out()["Gmail"] == "its permission was not granted"
    with opened(google, user, MAIL) as connection:
        assert [channel.kind for channel in connection.channels()] == ["email"]
        assert connection.left_out()["Google Calendar"] == "its permission was not granted"
    with pytest.raises(ScopeMissing), opened(google, user, frozenset({"openid"})):
        pass


def test_the_newest_message_and_the_number_of_all_are_told(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user) as connection:
        assert connection.newest(MAILBOX) is None
        write_many(user, 5)
        write(user, NOW + timedelta(hours=1), labels={"DRAFT"})
        assert connection.newest(MAILBOX) == NOW
        assert connection.count(MAILBOX).total == 6


def test_an_idle_look_is_one_request(google: FakeGoogle) -> None:
    user = new_user(google)
    write_many(user, 3)
    with opened(google, user) as connection:
        cursor = pages(connection, MAILBOX)[-1].cursor
        before = google.requests
        page = connection.pull(MAILBOX, cursor, limit=4_000)
        assert (page.items, page.cursor, page.more) == ([], cursor, False)
        assert google.requests == before + 1


def test_mail_that_came_back_from_the_trash_is_in_the_next_listing(google: FakeGoogle) -> None:
    """Also where the history was forgotten between the two, and over the same connection."""
    user = new_user(google)
    message = write_many(user, 6)[0]
    with opened(google, user) as connection:
        cursor = connection.pull(MAILBOX, None, limit=2).cursor
        user.mailbox.label(message.id, "TRASH")
        assert connection.pull(MAILBOX, cursor, limit=2).items == [Gone(message.id)]
        user.mailbox.unlabel(message.id, "TRASH")
        user.mailbox.forget_history()
        assert Ref(message.id) in items(pages(connection, MAILBOX, limit=2))
