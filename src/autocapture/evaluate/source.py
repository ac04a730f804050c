"""A world's mailboxes, calendars and call logs as a source: the connector through which the product captures them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from autocapture.clock import Clock
from autocapture.connect.registry import Registry
from autocapture.connector import Auth, Channel, Connection, Connector, Credential, Gone, Page, Record, Tools
from autocapture.evaluate.world import KINDS, Activity, Kind, World
from autocapture.formats.addresses import parse_addresses
from autocapture.records import (
    Address,
    Attendee,
    CallRecord,
    EmailRecord,
    EventRecord,
    RecordData,
    Response,
)
from autocapture.records import Kind as RecordKind

NAME = "world"
MEETING_LASTS = timedelta(minutes=30)
"""A meeting of which the world does not say how long it takes."""
_RECORDED_AS: Mapping[Kind, RecordKind] = {"email": "email", "meeting": "event", "call": "call"}


class Mailbox(BaseModel):
    """Whose mailbox, calendar and call log."""

    mailbox: str


class WorldRegistry(Registry):
    """One connector: the world's."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._connector = WorldConnector(world)

    def names(self) -> tuple[str, ...]:
        return (NAME,)

    def get(self, name: str) -> Connector[Any]:
        return self._connector


class WorldConnector:
    """Hands over what has happened until now, in the order in which it happened."""

    name = NAME
    kinds: frozenset[RecordKind] = frozenset(_RECORDED_AS.values())
    auth = Auth("none")
    options = Mailbox

    def __init__(self, world: World) -> None:
        self._held: dict[tuple[str, Kind], list[Activity]] = defaultdict(list)
        for activity in sorted(world.activities, key=lambda each: (each.at, each.id)):
            self._held[activity.mailbox, activity.kind].append(activity)

    @contextmanager
    def open(self, options: Mailbox, credential: Credential, tools: Tools) -> Iterator[Connection]:
        held = {_RECORDED_AS[kind]: self._held[options.mailbox, kind] for kind in KINDS}
        yield _Mailbox(held, tools.clock)


@dataclass(frozen=True, slots=True)
class _Mailbox:
    """A connection; its cursor is the number of activities handed over."""

    held: Mapping[RecordKind, Sequence[Activity]]
    clock: Clock

    def channels(self) -> Sequence[Channel]:
        return [Channel(kind, kind) for kind in self.held]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        begin, now = int(cursor or 0), self.clock.now()
        due = [each for each in self.held[channel.kind][begin:] if each.at <= now]
        items = [Record(each.id, record_of(each)) for each in due[:limit]]
        return Page(items, str(begin + len(items)), more=len(due) > limit)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone]:
        known = {each.id: each for each in self.held[channel.kind]}
        return [Record(each, record_of(known[each])) if each in known else Gone(each) for each in ids]

    def texts(self, channel: Channel, ids: Sequence[str]) -> dict[str, str]:
        wanted = set(ids)
        return {each.id: each.text for each in self.held[channel.kind] if each.id in wanted and each.text}


def record_of(activity: Activity) -> RecordData:
    """The activity as a connector hands it over."""
    match activity.kind:
        case "email":
            return _email(activity)
        case "meeting":
            return _event(activity)
        case "call":
            return _call(activity)


def _email(activity: Activity) -> EmailRecord:
    headers = activity.headers
    return EmailRecord(
        message_id=_bare(activity.message_id) or None,
        subject=activity.subject,
        from_=parse_addresses(activity.from_),
        to=_addresses(activity.to),
        cc=_addresses(activity.cc),
        bcc=_addresses(activity.bcc),
        sender=parse_addresses(headers.get("sender", "")),
        reply_to=parse_addresses(headers.get("reply-to", "")),
        sent_at=activity.at,
        received_at=activity.at,
        in_reply_to=(_bare(activity.in_reply_to),) if activity.in_reply_to else (),
        references=tuple(map(_bare, headers.get("references", "").split())),
        headers=headers,
        size=len(activity.text),
        provider_thread=activity.thread or None,
    )


def _addresses(written: Sequence[str]) -> tuple[Address, ...]:
    return tuple(address for each in written for address in parse_addresses(each))


def _bare(message_id: str) -> str:
    return message_id.strip().strip("<>")


def _event(activity: Activity) -> EventRecord:
    """Each date of a series comes by itself, as an exception that replaces the date of its own start."""
    lasts = MEETING_LASTS if activity.duration_s is None else timedelta(seconds=activity.duration_s)
    return EventRecord(
        uid=activity.series or activity.id,
        starts_at=activity.at,
        ends_at=activity.at + lasts,
        title=activity.subject,
        recurrence_id=activity.at if activity.series else None,
        organizer=_attendee(activity.organizer, "accepted") if activity.organizer else None,
        attendees=tuple(_attendee(each.address, each.response) for each in activity.attendees),
        created_at=activity.at,
    )


def _attendee(written: str, response: str) -> Attendee:
    found = parse_addresses(written) or (Address(written),)
    answer: Response = response  # type: ignore[assignment]  # checked where the world was read
    return Attendee(found[0].email, found[0].name, answer)


def _call(activity: Activity) -> CallRecord:
    talked = activity.duration_s or 0
    return CallRecord(
        call_id=activity.id,
        caller=activity.caller,
        callee=activity.callee,
        started_at=activity.at,
        talked_for=timedelta(seconds=talked),
        outcome="answered" if talked else "no_answer",
        group=activity.group or None,
        owner=activity.mailbox,
    )
