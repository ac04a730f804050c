"""What a grant lets us read. Owners may leave boxes unticked, so each right is asked for by itself.

The names are those of the packaged discovery documents. `gmail.metadata` next to `gmail.readonly` makes a token the stricter
of the two: Gmail refuses it texts and searches. So a grant holds one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from autocapture.connector import CaptureLevel

_AUTH = "https://www.googleapis.com/auth/"

GMAIL_METADATA = f"{_AUTH}gmail.metadata"
GMAIL_READONLY = f"{_AUTH}gmail.readonly"
EVENTS_READONLY = f"{_AUTH}calendar.events.readonly"
CALENDAR_LIST_READONLY = f"{_AUTH}calendar.calendarlist.readonly"

_WHO = ("openid", "email")
_CALENDARS = (EVENTS_READONLY, CALENDAR_LIST_READONLY)

ASKED_FOR: Mapping[CaptureLevel, tuple[str, ...]] = {
    "metadata": (*_WHO, GMAIL_METADATA, *_CALENDARS),
    "subject": (*_WHO, GMAIL_METADATA, *_CALENDARS),
    "full": (*_WHO, GMAIL_READONLY, *_CALENDARS),
}

_READ_TEXTS = frozenset({"https://mail.google.com/", GMAIL_READONLY, f"{_AUTH}gmail.modify"})
_READ_MAIL = _READ_TEXTS | {GMAIL_METADATA}
_READ_ALL_OF_CALENDARS = frozenset({f"{_AUTH}calendar", f"{_AUTH}calendar.readonly"})
_READ_EVENTS = _READ_ALL_OF_CALENDARS | {
    EVENTS_READONLY,
    f"{_AUTH}calendar.events",
    f"{_AUTH}calendar.events.owned",
    f"{_AUTH}calendar.events.owned.readonly",
}
_LIST_CALENDARS = _READ_ALL_OF_CALENDARS | {CALENDAR_LIST_READONLY, f"{_AUTH}calendar.calendarlist"}


def may_read_mail(scopes: frozenset[str]) -> bool:
    return bool(scopes & _READ_MAIL)


def may_read_texts(scopes: frozenset[str]) -> bool:
    return bool(scopes & _READ_TEXTS) and GMAIL_METADATA not in scopes


def may_read_events(scopes: frozenset[str]) -> bool:
    return bool(scopes & _READ_EVENTS)


def may_list_calendars(scopes: frozenset[str]) -> bool:
    return bool(scopes & _LIST_CALENDARS)
