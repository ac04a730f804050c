"""What every request carries, where it goes, and what happens when it is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import unquote

import pytest
from tests.connectors.microsoft.account import (
    AGENDA,
    CALENDARS,
    INBOX,
    MAIL,
    TEXTS,
    Ledger,
    items,
    mail,
    opened,
    rounds,
)

from autocapture.connector import Broken, Channel, Gone, Record
from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    CredentialRejected,
    CursorExpired,
    RateLimited,
    ReconnectNeeded,
    ScopeMissing,
    SetupError,
    Unreachable,
)
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, event, message
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Response
from autocapture.testing.fakes.source import FIRST, REP


def everything(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number in range(7):
        mailbox.add(message(number), "inbox", number)
    weekly = [FIRST + timedelta(days=7 * week) for week in range(3)]
    mailbox.calendar.add_series(event(1, "weekly", starts=weekly[0]), weekly)
    with opened(graph, TEXTS | CALENDARS) as connection:
        for channel in connection.channels():
            pages = rounds(connection, channel, limit=2)
            mailbox.edit(3, isRead=True)
            rounds(connection, channel, pages[-1].cursor, limit=2)
        connection.get(INBOX, [item.id for item in mailbox.messages.values()])
        connection.texts(INBOX, [item.id for item in mailbox.messages.values()])  # type: ignore[attr-defined]
        connection.count(INBOX)  # type: ignore[attr-defined]
        connection.newest(INBOX)  # type: ignore[attr-defined]


def test_every_request_asks_for_ids_that_stay_and_every_delta_for_a_page_size(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    everything(graph, mailbox)
    assert len(graph.asked) > 40
    for request in graph.asked:
        assert request.prefers('IdType="ImmutableId"'), request.target
        assert "delta" not in request.target or request.prefers("odata.maxpagesize="), request.target
        assert (
            "alendar" not in request.target
            or request.path[-1] == "calendars"
            or request.prefers("outlook.timezone")
        )


def test_nothing_but_reading_is_asked_of_a_mailbox(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    everything(graph, mailbox)
    assert {request.verb for request in graph.asked} == {"GET"}


def test_without_the_preference_the_fake_gives_ids_that_change(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    import requests

    mailbox.add(message(1), "inbox", 1)
    token = graph.sign_in(REP, MAIL)

    def first_id() -> str:
        url = f"{graph.url}/me/mailFolders/{mailbox.messages[1].folder}/messages"
        with requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5) as answer:
            return str(answer.json()["value"][0]["id"])

    before = first_id()
    mailbox.move(1, "sentitems")
    assert first_id() != before


def test_a_refused_token_is_renewed_once(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    mailbox.add(message(1), "inbox", 1)
    with opened(graph, MAIL, "old", graph.sign_in(REP, MAIL)) as connection:
        assert len(items(rounds(connection, INBOX))) == 1
    with opened(graph, MAIL, "old", "older") as connection, pytest.raises(CredentialRejected):
        connection.pull(INBOX, None, limit=10)
    assert graph.requests <= 6


def test_each_request_is_asked_of_the_meter_and_each_of_a_batch(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    for number in range(25):
        mailbox.add(message(number), "inbox", number)
    meter = Ledger()
    with opened(graph, MAIL, meter=meter) as connection:
        rounds(connection, INBOX)
        listed = len(meter.taken)
        connection.get(INBOX, [each.id for each in mailbox.messages.values()])
    assert meter.taken[listed:] == [("graph.request", 20), ("graph.request", 5)]


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (refusal(429, "ApplicationThrottled", Retry_After="17"), RateLimited),
        (refusal(429, "TooManyRequests"), RateLimited),
        (refusal(503, "ServiceUnavailable", Retry_After="9"), RateLimited),
        (refusal(509, "BandwidthLimitExceeded"), RateLimited),
        (refusal(400, "ErrorServerBusy"), RateLimited),
        (refusal(400, "MailboxConcurrency"), RateLimited),
        (refusal(503, "ServiceUnavailable"), Unreachable),
        (refusal(500, "InternalServerError"), Unreachable),
        (refusal(504, "GatewayTimeout"), Unreachable),
        (refusal(400, "BadRequest"), Unreachable),
        (refusal(410, "Gone"), CursorExpired),
        (refusal(410, "syncStateNotFound"), CursorExpired),
        (refusal(410, "resyncRequired"), CursorExpired),
        (refusal(400, "SyncStateInvalid"), CursorExpired),
        (refusal(400, "ErrorInvalidSyncStateData"), CursorExpired),
        (refusal(404, "ErrorItemNotFound"), ChannelGone),
        (refusal(403, "ErrorAccessDenied"), ScopeMissing),
        (refusal(404, "MailboxNotEnabledForRESTAPI"), ReconnectNeeded),
        (
            refusal(
                404,
                "ResourceNotFound",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            ),
            ReconnectNeeded,
        ),
        (Response(200, {"value": []}, manner="cut"), Unreachable),
        (Response(200, {"value": []}, manner="html"), Unreachable),
        (Response(200, {"value": []}, manner="list"), Unreachable),
        (Response(200, {"value": []}, manner="drop"), Unreachable),
        (Response(200, {"value": []}), Unreachable),
        (Response(200, {"value": {}, "@odata.deltaLink": "x"}), Unreachable),
        (Response(302, None, {"Location": "http://127.0.0.1:9/"}), Unreachable),
        (Response(429, None, manner="html"), RateLimited),
        (Response(403, None, manner="html"), Unreachable),
        (Response(404, None, manner="html"), Unreachable),
    ],
    ids=lambda each: "" if isinstance(each, type) else f"{each.status}-{each.manner}",
)
@pytest.mark.parametrize("at", ["first", "nextLink", "deltaLink"])
def test_whatever_a_delta_is_refused_with_its_type_says_who_must_act(
    graph: FakeGraph, mailbox: FakeMailbox, response: Response, fault: type[AutocaptureError], at: str
) -> None:
    for number in range(4):
        mailbox.add(message(number), "inbox", number)
    with opened(graph, MAIL) as connection:
        cursor = None
        if at == "nextLink":
            cursor = connection.pull(INBOX, None, limit=2).cursor
        elif at == "deltaLink":
            cursor = rounds(connection, INBOX)[-1].cursor
        graph.fail(response, where="delta", times=9)
        if response.status == 400 and fault is Unreachable and at != "first":
            fault = CursorExpired  # a link of Graph's own that it refuses
        with pytest.raises(fault) as caught:
            connection.pull(INBOX, cursor, limit=2)
    assert type(caught.value) is fault or fault is Unreachable
    assert "127.0.0.1:" not in str(caught.value)
    assert "token" not in str(caught.value).replace("AutocaptureError", "")


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("17", 17),
        ("0", 1),
        ("-5", 1),
        ("1000000000", 3600),
        ("Mon, 16 Nov 2026 09:02:00 GMT", 120),
        ("soon", None),
    ],
)
def test_the_time_that_a_throttle_names_is_passed_on(
    graph: FakeGraph, mailbox: FakeMailbox, told: str, wait: int | None
) -> None:
    graph.fail(refusal(429, "TooManyRequests", Retry_After=told))
    with opened(graph, MAIL) as connection, pytest.raises(RateLimited) as caught:
        connection.pull(INBOX, None, limit=2)
    assert caught.value.retry_after == (None if wait is None else timedelta(seconds=wait))


def test_a_link_to_another_place_is_not_followed(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    """Neither one in an answer nor one in a cursor: our token would go with it."""
    with opened(graph, MAIL) as connection:
        cursor = rounds(connection, INBOX)[-1].cursor
        asked = graph.requests
        for link in (
            "https://evil.example/v1.0/me/x",
            graph.url.replace("http://", "http://x@") + "/me/x",
            graph.url.replace("http", "https") + "/me/x",
            f"{graph.root}/beta/me/x",
            "http://[",
        ):
            with pytest.raises(CursorExpired):
                connection.pull(INBOX, json.dumps({**json.loads(cursor), "link": link}), limit=2)
        assert graph.requests == asked
        graph.fail(Response(200, {"value": [], "@odata.deltaLink": "https://evil.example/v1.0/me/x"}))
        with pytest.raises(Unreachable):
            connection.pull(INBOX, None, limit=2)


def test_one_failing_answer_of_a_batch_leaves_the_others_be(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number in range(5):
        mailbox.add(message(number), "inbox", number)
    ids = [each.id for each in mailbox.messages.values()]
    graph.fail(refusal(500, "InternalServerError"), where="000001")
    graph.fail(refusal(404, "ErrorItemNotFound"), where="000002")
    graph.fail(refusal(403, "ErrorAccessDenied"), where="000003")
    with opened(graph, MAIL) as connection:
        kinds = {item.id: type(item) for item in connection.get(INBOX, ids)}
    assert [kinds[each] for each in ids] == [Record, Broken, Gone, Broken, Record]


def test_when_no_answer_of_a_batch_is_one_the_fault_is_not_the_items(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    ids = [mailbox.messages[mailbox.add(message(number), "inbox", number)].id for number in range(3)]
    for response, fault in (
        (refusal(503, "ServiceUnavailable"), Unreachable),
        (refusal(403, "ErrorAccessDenied"), ScopeMissing),
        (refusal(429, "ApplicationThrottled", Retry_After="20"), RateLimited),
    ):
        graph.fail(response, where="messages/", times=3)
        with opened(graph, MAIL) as connection, pytest.raises(fault):
            connection.get(INBOX, ids)


def test_what_a_busy_mailbox_turns_away_from_a_batch_is_asked_once_more_by_fours(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    ids = [mailbox.messages[mailbox.add(message(number), "inbox", number)].id for number in range(11)]
    graph.at_once = 4
    with opened(graph, MAIL) as connection:
        found = connection.get(INBOX, ids)
        assert {item.id for item in found if isinstance(item, Record)} == set(ids)
        assert graph.requests == 3
        graph.at_once = 3
        with pytest.raises(RateLimited):
            connection.get(INBOX, ids)


def test_an_operator_lists_the_mailboxes_that_application_permission_is_used_for(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    graph.add_mailbox("ceo@ours.example")
    mailbox.add(message(1), "inbox", 1)
    token = graph.sign_in_application({"Mail.ReadBasic.All"}, reaches={REP})
    with opened(graph, {".default"}, token, mailbox=REP, allowed_mailboxes=(REP.upper(),)) as connection:
        (item,) = items(rounds(connection, INBOX))
        assert mail(item).subject == "item 1"
    assert all(unquote(request.target).startswith(f"/v1.0/users/{REP}/") for request in graph.asked)
    with opened(graph, MAIL | CALENDARS, token, mailbox=REP, allowed_mailboxes=(REP,)) as connection:
        assert {channel.kind for channel in connection.channels()} == {
            "email"
        }  # calendars were not consented to
        assert "calendars" in connection.left_out()  # type: ignore[attr-defined]
    asked = graph.requests
    with pytest.raises(SetupError), opened(graph, {".default"}, token, mailbox="ceo@ours.example"):
        raise AssertionError("it was opened")
    assert graph.requests == asked
    allowed = ("ceo@ours.example",)
    with (
        opened(graph, {".default"}, token, mailbox=allowed[0], allowed_mailboxes=allowed) as connection,
        pytest.raises(ScopeMissing),  # the scope in Exchange holds as well
    ):
        connection.pull(INBOX, None, limit=1)


def test_a_mailbox_that_is_no_longer_there_is_told_in_plain_words(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    with opened(graph, MAIL | CALENDARS) as connection:
        cursor = rounds(connection, INBOX)[-1].cursor
        mailbox.is_closed = True
        for ask in (connection.channels, lambda: connection.pull(INBOX, cursor, limit=1)):
            with pytest.raises(ReconnectNeeded, match="inactive, deleted, or on a server of your own"):
                ask()


def test_what_was_not_granted_is_left_out_and_said(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    with opened(graph, CALENDARS) as connection:
        assert {channel.kind for channel in connection.channels()} == {"event"}
        assert connection.left_out()["mail"] == "the permission was not granted"  # type: ignore[attr-defined]
    with opened(graph, MAIL) as connection:
        assert {channel.kind for channel in connection.channels()} == {"email"}
        with pytest.raises(ScopeMissing):
            connection.texts(INBOX, ["x"])  # type: ignore[attr-defined]
    with opened(graph, {"User.Read"}) as connection, pytest.raises(ScopeMissing):
        connection.channels()


def test_a_deleted_folder_or_calendar_is_gone_not_expired(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    folder = mailbox.add_folder("Projects")
    channel = Channel(folder, "email", "Projects")
    with opened(graph, MAIL | CALENDARS) as connection:
        cursor = rounds(connection, channel)[-1].cursor
        mailbox.remove_folder(folder)
        with pytest.raises(ChannelGone):
            connection.pull(channel, cursor, limit=5)
        with pytest.raises(ChannelGone):
            connection.pull(Channel("AQMkNone==", "event"), None, limit=5)
        assert rounds(connection, AGENDA)[-1].complete


@pytest.mark.parametrize("url", ["ftp://x/", "graph.microsoft.com", "https://u@h/v1.0", "https://h/v1.0?x=1"])
def test_an_address_of_graph_is_an_address(url: str) -> None:
    from autocapture_microsoft.options import GraphOptions

    with pytest.raises(ValueError, match="an address"):
        GraphOptions(graph_url=url)
