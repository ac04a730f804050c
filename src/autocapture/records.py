"""What a connector hands over: one frozen, provider-neutral value per email, calendar event or call.

Records hold what the source said, parsed but not judged. Direction, admission, identity and matching are decided later.
All instants are aware datetimes; a calendar `date` stands for an all-day boundary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from autocapture.values import value

RECORD_KINDS = ("email", "event", "call")

Kind = Literal["email", "event", "call"]


@value(frozen=True, slots=True)
class Address:
    """One mailbox of an address header. `email` is as written, without angle brackets; `name` is decoded."""

    email: str
    name: str = ""


@value(frozen=True, slots=True)
class EmailRecord:
    """The headers of one message (RFC 5322), and its text only where the capture level asks for it.

    `message_id` is trimmed, without angle brackets and inner whitespace, case kept; None when missing or empty.
    `references` and `in_reply_to` hold ids in the same form. `sent_at` is the Date header (None when unusable),
    `received_at` the server's own time (INTERNALDATE). `headers` holds what admission needs, lower-case names:
    auto-submitted, precedence, list-id, list-unsubscribe, return-path, x-autoreply, content-type and the like.
    `text` is plain text, at most 64 KiB, or None when it was not asked for. `size` is in bytes.
    """

    message_id: str | None
    subject: str
    from_: tuple[Address, ...]
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    sent_at: datetime | None = None
    received_at: datetime | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    text: str | None = None
    provider_thread: str | None = None


Response = Literal["accepted", "declined", "tentative", "needs_action", "delegated", "unknown"]


@dataclass(frozen=True, slots=True)
class Attendee:
    """One invited party. `resource` marks rooms and equipment (CUTYPE ROOM or RESOURCE)."""

    email: str
    name: str = ""
    response: Response = "needs_action"
    optional: bool = False
    resource: bool = False


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The rules of a series (RFC 5545, 3.8.5). `rules` are RRULE values without the property name."""

    rules: tuple[str, ...] = ()
    dates: tuple[datetime | date, ...] = ()
    excluded: tuple[datetime | date, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One calendar resource: a single event, a series' master with its overrides, or a lone exception.

    `recurrence_id` is the original start of an exception, None for a single event or a master. Times are aware, in
    the event's own zone (so that a series keeps its wall-clock time over a change to summer time), or dates for all-day
    events, `ends_at` exclusive. `overrides` holds the exceptions that travel in the same resource; a provider that
    delivers exceptions as items of their own leaves it empty.
    """

    uid: str
    starts_at: datetime | date
    ends_at: datetime | date
    title: str = ""
    recurrence_id: datetime | date | None = None
    sequence: int = 0
    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    organizer: Attendee | None = None
    attendees: tuple[Attendee, ...] = ()
    time_zone: str | None = None
    private: bool = False
    transparent: bool = False
    purpose: Literal["default", "out_of_office", "focus", "working_location", "birthday"] = "default"
    recurrence: Recurrence | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    overrides: tuple[EventRecord, ...] = ()


CallOutcome = Literal["answered", "no_answer", "busy", "failed", "voicemail", "unknown"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call as the telephone system logged it.

    `caller` and `callee` are numbers or extensions as written. `talked_for` is the time between answer and hang-up.
    `group` joins the legs of one transferred call. `owner` names the rep's line or address where the log has it.
    """

    call_id: str
    caller: str
    callee: str
    started_at: datetime
    talked_for: timedelta = timedelta(0)
    outcome: CallOutcome = "unknown"
    direction: Literal["inbound", "outbound", "internal", "unknown"] = "unknown"
    group: str | None = None
    owner: str | None = None


RecordData = EmailRecord | EventRecord | CallRecord
