"""From a record that was read to what is to be stored: admitted or skipped, and the draft of its activity.

Nothing here touches the database. A programming error in a pure stage takes its own item to quarantine, never the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from autocapture.admit.call import admit_call
from autocapture.admit.email import admit_email
from autocapture.admit.event import admit_event
from autocapture.admit.exclusions import Exclusions
from autocapture.admit.reasons import KEPT_TO_ONESELF
from autocapture.connector import Broken, CaptureLevel, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.envelope import occurred_at as sent_or_received
from autocapture.model.columns import stable_id
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Draft, Verdict
from autocapture.model.ledger import CAPTURED, QUARANTINED, SKIPPED
from autocapture.normalize.call import draft_call
from autocapture.normalize.email import draft_email
from autocapture.records import CallRecord, EmailRecord, EventRecord, RecordData
from autocapture.store.ledger import LONGEST_RETRY, Line
from autocapture.values import value

log = structlog.get_logger()

BEFORE_SINCE = Verdict("before_since", "since@1")
RETRY_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=12), LONGEST_RETRY)
"""When a quarantined item is read again after its first, second, ... reading; the last wait repeats for ever, since what
is mended at the source or in a later release must not stay lost."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an item is judged by: whose account it came from, how much may be kept, and what is excluded."""

    channel_id: int
    account_id: int
    owner: Colleague
    organization: Organization
    exclusions: Exclusions
    level: CaptureLevel
    since: date | None
    kept_since: date | None = None
    """From when on what was captured already stays so, where `since` is later than it was; None: whatever its age."""

    def of_kept(self) -> Scope:
        """By which what was captured already is judged."""
        return replace(self, since=self.kept_since)


class Refused(NamedTuple):
    """Of an item that is to be told to nobody: why, and as what it would have been stored (of an event the series), by which
    is found what copies that left told of it."""

    verdict: Verdict
    shown: Draft | int


@value(frozen=True, slots=True)
class Staged:
    """One item ready to be stored: its line of the ledger, and where it was admitted the draft or the calendar record.
    `withheld` stands for an exception that came by itself and was not admitted: on that date its series is not what it says.
    `told_at` is when it came to the provider, or was changed there, by the provider's clock."""

    entry: Line
    draft: Draft | None = None
    event: EventRecord | None = None
    withheld: tuple[int, EventRecord] | None = None
    """The series, and only which of its instances is replaced."""
    told_at: datetime | None = None
    refused: Refused | None = None


def stage(record: Record, scope: Scope, *, generation: int, now: datetime) -> Staged:
    """Judges one record and, where it is admitted, drafts its activity."""
    try:
        return _stage(record, scope, generation, now)
    except RecordUnusable as unusable:
        why = str(unusable)
    except Exception as defect:  # a defect must cost one item, not the page behind it
        log.exception("stage_failed", channel_id=scope.channel_id, error=type(defect).__name__)
        why = f"internal error: {type(defect).__name__}"
    broken = Broken(record.id, why, record.version)
    return quarantine(broken, scope.channel_id, generation=generation, tries=1, now=now)


def _stage(record: Record, scope: Scope, generation: int, now: datetime) -> Staged:
    verdict = _verdict(record.data, scope)
    entry = Line(
        channel_id=scope.channel_id,
        source_id=record.id,
        outcome=CAPTURED if verdict.admitted else SKIPPED,
        reason=verdict.reason,
        rule=verdict.rule,
        version=record.version,
        generation=generation,
        occurred_at=_occurred_at(record.data, scope.owner),
        first_seen_at=now,
        updated_at=now,
    )
    told_at = _told_at(record.data)
    if not verdict.admitted:
        entry.message_hash = _identity_hash(record.data, scope.organization.hash_key)
        kept_to_oneself = verdict.reason in KEPT_TO_ONESELF
        refused = Refused(verdict, _as_if_admitted(record.data, scope)) if kept_to_oneself else None
        return Staged(entry, withheld=_withheld_of(record.data), told_at=told_at, refused=refused)
    match record.data:
        case EmailRecord():
            draft = draft_email(record.data, scope.owner, scope.organization, level=scope.level)
            return Staged(entry, draft, told_at=told_at)
        case CallRecord():
            return Staged(entry, draft_call(record.data, scope.owner, scope.organization), told_at=told_at)
        case EventRecord():
            entry.series_id = _series_of(record.data)
            return Staged(entry, event=record.data, told_at=told_at)


def _as_if_admitted(data: RecordData, scope: Scope) -> Draft | int:
    match data:
        case EmailRecord():
            return draft_email(data, scope.owner, scope.organization, level="metadata")
        case CallRecord():
            return draft_call(data, scope.owner, scope.organization)
        case EventRecord():
            return _series_of(data)


def withheld(event: EventRecord) -> EventRecord:
    """Of an exception that may not be kept: which instance it replaces, and nothing else."""
    instance = event.starts_at if event.recurrence_id is None else event.recurrence_id
    return EventRecord("", instance, instance, recurrence_id=instance, sequence=event.sequence, private=True)


def _withheld_of(data: RecordData) -> tuple[int, EventRecord] | None:
    if isinstance(data, EventRecord) and data.recurrence_id is not None:
        return _series_of(data), withheld(data)
    return None


def _series_of(event: EventRecord) -> int:
    return stable_id(f"series:{event.uid}")


def _told_at(data: RecordData) -> datetime | None:
    match data:
        case EmailRecord():
            return data.received_at
        case EventRecord():
            return data.modified_at
        case CallRecord():
            return data.started_at + data.talked_for


def _verdict(data: RecordData, scope: Scope) -> Verdict:
    if scope.since is not None and _is_before(data, scope):
        return BEFORE_SINCE
    match data:
        case EmailRecord():
            return admit_email(data, scope.owner, scope.organization, scope.exclusions)
        case EventRecord():
            return admit_event(data, scope.owner, scope.organization, scope.exclusions)
        case CallRecord():
            return admit_call(data, scope.owner, scope.organization, scope.exclusions)


def _is_before(data: RecordData, scope: Scope) -> bool:
    """Whether the item lies before the account's bound. A series counts by its rule: its occurrences are cut later."""
    if isinstance(data, EventRecord) and data.recurrence is not None:
        return False
    occurred = _occurred_at(data, scope.owner)
    start = datetime.combine(scope.since or date.min, time(), ZoneInfo(scope.owner.time_zone))
    return occurred is not None and occurred < start


def _occurred_at(data: RecordData, owner: Colleague) -> datetime | None:
    match data:
        case EmailRecord():
            return sent_or_received(data)
        case CallRecord():
            return data.started_at
        case EventRecord():
            return start_of(data, owner.time_zone)


def start_of(event: EventRecord, time_zone: str) -> datetime:
    """The instant at which an event begins; an all-day event begins at its owner's midnight."""
    starts = event.starts_at
    if isinstance(starts, datetime):
        return starts.astimezone(UTC)
    return datetime.combine(starts, time(), ZoneInfo(time_zone)).astimezone(UTC)


def _identity_hash(data: RecordData, key: bytes) -> str | None:
    """A keyed hash that can answer "is this the mail?" without telling anything of the mail; None where it has no id."""
    match data:
        case EmailRecord():
            identity = data.message_id or ""
        case EventRecord():
            identity = data.uid
        case CallRecord():
            identity = data.group or data.call_id
    return hashed_identity(identity, key) if identity else None


def hashed_identity(identity: str, key: bytes) -> str:
    return blake2b(identity.encode("utf-8", "replace"), key=key[:64], digest_size=16).hexdigest()


def next_reading(tries: int, now: datetime) -> datetime:
    """When an item is read again that could not be read, so many times until now."""
    return now + RETRY_AFTER[min(tries, len(RETRY_AFTER)) - 1]


def quarantine(item: Broken, channel_id: int, *, generation: int, tries: int, now: datetime) -> Staged:
    """The ledger row of an item that could not be read; `tries` counts its readings so far, this one included."""
    return Staged(
        Line(
            channel_id=channel_id,
            source_id=item.id,
            outcome=QUARANTINED,
            reason=item.why,
            rule="readable@1",
            version=item.version,
            generation=generation,
            tries=tries,
            retry_at=next_reading(tries, now),
            first_seen_at=now,
            updated_at=now,
        )
    )


def admitted(staged: Sequence[Staged]) -> list[Staged]:
    return [item for item in staged if item.draft is not None or item.event is not None]
