"""The contract of a connector, over one mailbox at Microsoft 365: its mail folders and its calendars are the channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from autocapture.connector import Broken, Callback, Channel, Count, Cursor, Gone, Page, Record, Subscription
from autocapture.errors import ScopeMissing
from autocapture_microsoft import watching
from autocapture_microsoft.agenda import Agenda
from autocapture_microsoft.graph import Graph, segment
from autocapture_microsoft.mail import Mail
from autocapture_microsoft.scopes import Permissions


class MicrosoftConnection:
    """What was not granted is left out: with mail alone there are no calendars, and the other way round."""

    channels_for = timedelta(minutes=10)

    def __init__(
        self, graph: Graph, granted: Permissions, well_known: Callable[[], Mapping[str, str]]
    ) -> None:
        """`well_known` tells the ids of the mailbox's well-known folders."""
        self._graph = graph
        self._granted = granted
        self._mail = Mail(graph, well_known)
        self._agenda = Agenda(graph)
        self._parts: list[Mail | Agenda] | None = None

    def channels(self) -> Sequence[Channel]:
        return [channel for part in self._readable() for channel in part.channels()]

    def left_out(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for part, name in ((self._mail, "mail"), (self._agenda, "calendars")):
            readable = part in self._readable()
            found.update(part.left_out() if readable else {name: "the permission was not granted"})
        return found

    def _readable(self) -> list[Mail | Agenda]:
        """The parts that may be read. An application's token does not say what it allows: there each is tried, once."""
        if self._parts is None:
            granted = ((self._mail, self._granted.mail), (self._agenda, self._granted.calendars))
            self._parts = [part for part, is_granted in granted if is_granted and self._is_let(part)]
        if not self._parts:
            raise ScopeMissing("this sign-in lets autocapture read neither mail nor calendars")
        return self._parts

    def _is_let(self, part: Mail | Agenda) -> bool:
        if self._granted.assumed:
            try:
                part.channels()
            except ScopeMissing:
                return False
        return True

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        part = self._agenda if channel.kind == "event" else self._mail
        return part.pull(channel, cursor, limit=limit)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        part = self._agenda if channel.kind == "event" else self._mail
        return part.get(channel, ids)

    def texts(self, channel: Channel, ids: Sequence[str]) -> dict[str, str]:
        """Raises ScopeMissing where the sign-in was for all but texts."""
        if channel.kind != "email":
            return {}
        if not self._granted.mail_text:
            raise ScopeMissing("this sign-in does not let autocapture read the text of mail (Mail.Read)")
        return self._mail.texts(ids)

    def count(self, channel: Channel) -> Count:
        return self._agenda.count(channel) if channel.kind == "event" else self._mail.count(channel)

    def newest(self, channel: Channel) -> datetime | None:
        """Of calendars, whose items do not come in one after the other, it cannot be told."""
        return self._mail.newest(channel) if channel.kind == "email" else None

    def watch(self, channel: Channel, callback: Callback) -> Subscription | None:
        """None for calendars whose basic details alone may be read: Graph tells of their changes only who may read them
        whole."""
        resource = self._resource(channel)
        return None if resource is None else watching.subscribe(self._graph, resource, callback)

    def renew(self, channel: Channel, subscription: Subscription, callback: Callback) -> Subscription:
        return watching.renew(self._graph, subscription, self._resource(channel) or "", callback)

    def unwatch(self, channel: Channel, subscription: Subscription) -> None:
        watching.end(self._graph, subscription)

    def _resource(self, channel: Channel) -> str | None:
        if channel.kind == "email":
            return f"{self._graph.mailbox}/mailFolders('{channel.id}')/messages"
        if not self._granted.calendar_notices:
            return None
        if self._agenda.is_default(channel):
            return f"{self._graph.mailbox}/events"
        return f"{self._graph.mailbox}/calendars/{segment(channel.id)}/events"
