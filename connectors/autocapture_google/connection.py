"""The contract of a connector over both services of one login: its mailbox and its calendars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from autocapture.connector import (
    Broken,
    Callback,
    Channel,
    Count,
    Cursor,
    Gone,
    Grant,
    Page,
    Record,
    Subscription,
    Tools,
)
from autocapture.errors import ChannelGone
from autocapture_google import scopes
from autocapture_google.api import Api
from autocapture_google.calendars import Calendars, Listed
from autocapture_google.mailbox import MAILBOX, Mailbox
from autocapture_google.watching import CalendarWatch, MailboxWatch

Answer = Record | Gone | Broken


class GoogleConnection:
    """What the grant allows is there, the rest is left out: a mailbox without the calendars, or they without it."""

    channels_for = timedelta(minutes=10)

    def __init__(
        self, mail: Api, calendar: Api, grant: Grant, tools: Tools, newest: dict[str, datetime] | None = None
    ) -> None:
        """`newest` is the mailbox's, kept from one connection to the next."""
        granted = grant.scopes
        may_read_texts = scopes.may_read_texts(granted)
        self._address = grant.address
        self._may_read_texts = may_read_texts
        self._mailbox: Mailbox | None = None
        self._calendars: Calendars | None = None
        self._mailbox_watch = MailboxWatch(mail, tools)
        self._calendar_watch = CalendarWatch(calendar, tools)
        if scopes.may_read_mail(granted):
            with_texts = tools.level == "full" and may_read_texts
            self._mailbox = Mailbox(
                mail, tools, with_texts=with_texts, newest={} if newest is None else newest
            )
        if scopes.may_read_events(granted):
            self._calendars = Calendars(calendar, tools, may_list=scopes.may_list_calendars(granted))

    def channels(self) -> Sequence[Channel]:
        """The mailbox, then the login's own calendars. One request, for the calendars."""
        found = [Channel(MAILBOX, "email", "Gmail")] if self._mailbox is not None else []
        return found + [
            Channel(each.id, "event", each.name) for each in self._listed_calendars() if not each.reason
        ]

    def left_out(self) -> dict[str, str]:
        """Folders of the mailbox and calendars that are not captured, and what the grant does not allow."""
        listed = self._listed_calendars()
        named = {each.name: each.reason for each in listed if each.reason}
        if self._calendars is None:
            named["Google Calendar"] = "its permission was not granted"
        elif not listed:
            named["Google Calendar"] = "it is not switched on for this user"
        if self._mailbox is None:
            named["Gmail"] = "its permission was not granted"
        else:
            named |= {"Drafts": "drafts", "Spam": "junk mail", "Trash": "deleted mail", "Chats": "chats"}
        return named

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        if channel.kind == "email":
            return self._mail().pull(cursor, limit)
        return self._events().pull(channel, cursor, limit)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Answer]:
        return self._mail().get(ids) if channel.kind == "email" else list(self._events().get(channel, ids))

    def texts(self, channel: Channel, ids: Sequence[str]) -> dict[str, str]:
        """Nothing where the grant allows no more than headers."""
        return self._mail().texts(ids) if self._may_read_texts and channel.kind == "email" else {}

    def count(self, channel: Channel) -> Count:
        return self._mail().count(channel) if channel.kind == "email" else self._events().count(channel)

    def newest(self, channel: Channel) -> datetime | None:
        return self._mail().newest() if channel.kind == "email" else self._events().newest(channel)

    def watch(self, channel: Channel, callback: Callback) -> Subscription | None:
        if channel.kind == "email":
            return self._mailbox_watch.watch(callback)
        return self._calendar_watch.watch(channel, callback)

    def renew(self, channel: Channel, subscription: Subscription, callback: Callback) -> Subscription:
        renewed = self.watch(channel, callback)
        if renewed is None:
            raise ChannelGone(f"Google sends no more notices about {channel.name}")
        if channel.kind == "event":
            self._calendar_watch.unwatch(subscription)
        return renewed

    def unwatch(self, channel: Channel, subscription: Subscription) -> None:
        if channel.kind == "email":
            self._mailbox_watch.unwatch()
        else:
            self._calendar_watch.unwatch(subscription)

    def close(self) -> None:
        if self._mailbox is not None:
            self._mailbox.close()

    def _listed_calendars(self) -> list[Listed]:
        """None for a user of whom Google knows no calendars: their mail is captured all the same."""
        if self._calendars is None:
            return []
        try:
            return self._calendars.listed()
        except ChannelGone:
            return []

    def _mail(self) -> Mailbox:
        if self._mailbox is None:
            raise ChannelGone("the grant does not allow Gmail to be read")
        return self._mailbox

    def _events(self) -> Calendars:
        if self._calendars is None:
            raise ChannelGone("the grant does not allow Google Calendar to be read")
        return self._calendars
