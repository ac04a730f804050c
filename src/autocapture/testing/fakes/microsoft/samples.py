"""Messages and events in Graph's own form, for tests to put into the fake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from autocapture.testing.fakes.microsoft.http import Json
from autocapture.testing.fakes.source import FIRST, REP


def person(address: str, name: str = "") -> Json:
    return {"emailAddress": {"address": address, "name": name or address.partition("@")[0]}}


def message(number: int, **more: Any) -> Json:
    """A mail of a buyer to the rep, told apart by its number."""
    moment = FIRST + timedelta(minutes=number)
    buyer = person(f"buyer{number}@customer.example", f"Buyer {number}")
    return {
        "internetMessageId": f"<{number}@customer.example>",
        "conversationId": f"AAQkConversation{number}=",
        "subject": f"item {number}",
        "from": buyer,
        "sender": buyer,
        "toRecipients": [person(REP)],
        "ccRecipients": [],
        "bccRecipients": [],
        "replyTo": [],
        "sentDateTime": zulu(moment),
        "receivedDateTime": zulu(moment + timedelta(seconds=5)),
        "isDraft": False,
        "isRead": False,
        "hasAttachments": False,
        "importance": "normal",
        "body": {"contentType": "html", "content": f"<p>hello {number}</p>"},
        "bodyPreview": f"hello {number}",
        "internetMessageHeaders": [{"name": "Message-ID", "value": f"<{number}@customer.example>"}],
        **more,
    }


def event(number: int, title: str, **more: Any) -> Json:
    """A meeting of the rep with a buyer, half an hour long."""
    starts = more.pop("starts", FIRST + timedelta(hours=number))
    return {
        "iCalUId": f"event-{number}@customer.example",
        "subject": title,
        "body": {"contentType": "html", "content": "<p>agenda</p>"},
        "bodyPreview": "agenda",
        "start": moment(starts),
        "end": moment(starts + timedelta(minutes=30)),
        "originalStartTimeZone": "W. Europe Standard Time",
        "originalEndTimeZone": "W. Europe Standard Time",
        "isAllDay": False,
        "isCancelled": False,
        "isDraft": False,
        "type": "singleInstance",
        "seriesMasterId": None,
        "organizer": person(REP),
        "attendees": [
            attendee(REP, "organizer"),
            attendee(f"buyer{number}@customer.example", "accepted"),
        ],
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "sensitivity": "normal",
        "showAs": "busy",
        "createdDateTime": zulu(FIRST),
        "lastModifiedDateTime": zulu(FIRST),
        **more,
    }


def attendee(address: str, response: str, kind: str = "required") -> Json:
    return {
        "type": kind,
        "status": {"response": response, "time": "2026-11-01T09:00:00Z"},
        **person(address),
    }


def zulu(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def moment(instant: datetime) -> Json:
    """A dateTimeTimeZone in UTC, in which events are told to whoever asks for it."""
    return {"dateTime": f"{instant:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}


def day(text: str) -> Json:
    return {"dateTime": f"{text}T00:00:00.0000000", "timeZone": "UTC"}
