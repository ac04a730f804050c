"""The ledger's statements: what is held, what is touched, what has left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select, update
from sqlmodel import Session, col

from autocapture.model.accounts import Channel
from autocapture.model.draft import Verdict
from autocapture.model.ledger import (
    ASKED_AGAIN,
    CAPTURED,
    QUARANTINED,
    SKIPPED,
    TEXT_UNREAD,
    LedgerEntry,
)
from autocapture.store.bulk import among, in_chunks, rows_of, table_of, upsert_tuples
from autocapture.store.due import comes, far_ahead
from autocapture.store.lookup import Lookup

LONGEST_RETRY = timedelta(days=1)
"""After which what could not be read is read again, at the latest."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds of one item."""

    version: str | None
    generation: int
    outcome: str
    tries: int
    gone: bool
    series_id: int | None
    captured: bool
    """Also where it could not be read since."""


@dataclass(slots=True)
class Line:
    """A row of `LedgerEntry` to be written, as a plain value: a page makes a thousand of them."""

    channel_id: int
    source_id: str
    outcome: str
    generation: int
    first_seen_at: datetime
    updated_at: datetime
    reason: str | None = None
    rule: str | None = None
    version: str | None = None
    activity_id: int | None = None
    series_id: int | None = None
    message_hash: str | None = None
    occurred_at: datetime | None = None
    tries: int = 0
    retry_at: datetime | None = None
    gone_at: datetime | None = None

    def __reduce__(self) -> tuple[type[Line], tuple[Any, ...]]:
        """By position: the names would be half of what travels from the process that reads ahead."""
        return Line, _values(self)


# Made once: these are asked at every pass.
_ENTRY = table_of(LedgerEntry).c
_IS_ASKED = and_(_ENTRY.outcome == CAPTURED, _ENTRY.reason == ASKED_AGAIN, _ENTRY.gone_at.is_(None))
_IS_DUE = and_(_ENTRY.outcome == QUARANTINED, _ENTRY.gone_at.is_(None), comes(_ENTRY.retry_at, "retry_ahead"))
_IS_TEXT_DUE = and_(
    _ENTRY.outcome == CAPTURED,
    _ENTRY.reason == TEXT_UNREAD,
    _ENTRY.gone_at.is_(None),
    comes(_ENTRY.retry_at, "retry_ahead"),
)
_ASKED_SOMEWHERE, _DUE_SOMEWHERE, _TEXT_DUE_SOMEWHERE = (
    select(_ENTRY.channel_id).distinct().where(which) for which in (_IS_ASKED, _IS_DUE, _IS_TEXT_DUE)
)
_ASKED, _DUE, _TEXT_DUE = (
    select(_ENTRY.source_id)
    .where(_ENTRY.channel_id == bindparam("of"), which)
    .order_by(_ENTRY.activity_id)  # what is one activity is read together
    .limit(bindparam("most"))
    for which in (_IS_ASKED, _IS_DUE, _IS_TEXT_DUE)
)

_HELD = Lookup(
    lambda among: select(
        _ENTRY.source_id,
        _ENTRY.version,
        _ENTRY.generation,
        _ENTRY.outcome,
        _ENTRY.tries,
        _ENTRY.gone_at,
        _ENTRY.series_id,
        _ENTRY.activity_id,
    ).where(_ENTRY.channel_id == bindparam("of"), among(_ENTRY.source_id, "ids"))
)

_NAMES = tuple(field.name for field in fields(Line))
_values = attrgetter(*_NAMES)


def held(session: Session, channel_id: int, source_ids: Collection[str]) -> dict[str, Held]:
    """The ledger's rows for these ids of one channel."""
    return {
        source_id: Held(
            version,
            generation,
            outcome,
            tries,
            gone_at is not None,
            series_id,
            captured=outcome != SKIPPED and (series_id is not None or activity_id is not None),
        )
        for source_id, version, generation, outcome, tries, gone_at, series_id, activity_id in _HELD(
            session, of=channel_id, ids=source_ids
        )
    }


def write(session: Session, lines: Sequence[Line]) -> None:
    """Inserts or updates the rows in place; the first sighting's time stays."""
    _write(session, lines, keep=("first_seen_at",))


def write_quarantined(session: Session, lines: Sequence[Line]) -> None:
    """Inserts or updates rows of items that could not be read; what they were captured as before stays named."""
    _write(session, lines, keep=("first_seen_at", "activity_id", "series_id", "occurred_at"))


def _write(session: Session, lines: Sequence[Line], *, keep: Collection[str]) -> None:
    upsert_tuples(session, LedgerEntry, _NAMES, [_values(line) for line in lines], keep=keep)


def show_as(session: Session, series_of: Mapping[tuple[int, str], int]) -> None:
    """Names the series that these calendar items, by channel and source id, show."""
    for (channel_id, source_id), series_id in sorted(series_of.items()):
        session.execute(
            update(LedgerEntry)
            .where(col(LedgerEntry.channel_id) == channel_id, col(LedgerEntry.source_id) == source_id)
            .values(series_id=series_id)
        )


def touch(session: Session, channel_id: int, source_ids: Iterable[str], generation: int) -> None:
    """The items were listed again, unchanged: they are of this generation, and back if they were gone."""
    for chunk in in_chunks(list(source_ids)):
        session.execute(
            update(LedgerEntry)
            .where(col(LedgerEntry.channel_id) == channel_id, col(LedgerEntry.source_id).in_(chunk))
            .values(generation=generation, gone_at=None)
        )


def leave(session: Session, channel_id: int, source_ids: Iterable[str], at: datetime) -> None:
    """The items left the channel; what they counted stays counted."""
    for chunk in in_chunks(list(source_ids)):
        session.execute(
            update(LedgerEntry)
            .where(
                col(LedgerEntry.channel_id) == channel_id,
                col(LedgerEntry.source_id).in_(chunk),
                col(LedgerEntry.gone_at).is_(None),
            )
            .values(gone_at=at)
        )


def skip(
    session: Session, channel_id: int, source_ids: Iterable[str], verdict: Verdict, now: datetime
) -> None:
    """The items, captured before, are skipped for what `verdict` says, and show nothing any longer."""
    for chunk in in_chunks(list(source_ids)):
        session.execute(
            update(LedgerEntry)
            .where(col(LedgerEntry.channel_id) == channel_id, col(LedgerEntry.source_id).in_(chunk))
            .values(
                outcome=SKIPPED,
                reason=verdict.reason,
                rule=verdict.rule,
                activity_id=None,
                series_id=None,
                updated_at=now,
            )
        )


def skipped_for(session: Session, kind: str, reasons: Collection[str]) -> bool:
    """Whether anything that is there is skipped for one of these reasons, in a channel of this kind."""
    return session.scalar(select(_skipped(kind, reasons).exists())) or False


def hashes_skipped(
    session: Session, kind: str, reasons: Collection[str], hashes: Collection[str]
) -> dict[str, Verdict]:
    """Which of these identities are there and skipped for one of these reasons, by hash."""
    entry = table_of(LedgerEntry).c
    chosen = _skipped(kind, reasons).where(among(session, entry.message_hash, hashes))
    found = rows_of(session, chosen.with_only_columns(entry.message_hash, entry.reason, entry.rule))
    return {hashed: Verdict(reason, rule) for hashed, reason, rule in sorted(found)}


def _skipped(kind: str, reasons: Collection[str]) -> Select[tuple[str]]:
    entry, channel = table_of(LedgerEntry).c, table_of(Channel).c
    return (
        select(entry.source_id)
        .join(table_of(Channel), channel.id == entry.channel_id)
        .where(channel.kind == kind, entry.outcome == SKIPPED, entry.reason.in_(sorted(reasons)))
        .where(entry.gone_at.is_(None))
    )


def not_listed_since(session: Session, channel_id: int, generation: int) -> list[str]:
    """Live items of generations older than `generation`: a complete enumeration did not list them."""
    statement = select(col(LedgerEntry.source_id)).where(
        col(LedgerEntry.channel_id) == channel_id,
        col(LedgerEntry.generation) < generation,
        col(LedgerEntry.gone_at).is_(None),
    )
    return list(session.scalars(statement))


def live_ids(session: Session, channel_id: int, *, since: datetime | None = None) -> set[str]:
    """The ids that the ledger believes to be in the channel now; of what happened since a moment, where one is named."""
    statement = select(col(LedgerEntry.source_id)).where(
        col(LedgerEntry.channel_id) == channel_id, col(LedgerEntry.gone_at).is_(None)
    )
    if since is not None:
        at = col(LedgerEntry.occurred_at)
        statement = statement.where(or_(at.is_(None), at >= since))
    return set(session.scalars(statement))


def live_count(session: Session, channel_id: int) -> int:
    statement = select(func.count()).where(
        col(LedgerEntry.channel_id) == channel_id, col(LedgerEntry.gone_at).is_(None)
    )
    return session.scalar(statement) or 0


def channels_to_retry(session: Session, now: datetime) -> set[int]:
    """The channels in which an item is to be read again: asked for, or due because it, or its text, could not be read."""
    values = _by(now)
    return {
        each
        for statement in (_ASKED_SOMEWHERE, _DUE_SOMEWHERE, _TEXT_DUE_SOMEWHERE)
        for (each,) in rows_of(session, statement, values)
    }


def to_retry(session: Session, channel_id: int, now: datetime, limit: int) -> tuple[list[str], list[str]]:
    """The items of the channel that are asked for again, and those whose next reading is due since they, or their texts, could
    not be read; at most `limit` of each."""
    values = {"of": channel_id, "most": limit, **_by(now)}
    asked, due, texts_due = (
        [each for (each,) in rows_of(session, which, values)] for which in (_ASKED, _DUE, _TEXT_DUE)
    )
    return asked, [*due, *texts_due]


def _by(now: datetime) -> dict[str, Any]:
    return {"now": now, "retry_ahead": far_ahead(now, LONGEST_RETRY)}


def read_text_later(session: Session, channel_id: int, when: Mapping[str, tuple[int, datetime]]) -> None:
    """Has these captured items read once more for their texts, which broke the connection: so many tries were made, and the next
    one is then."""
    ledger = table_of(LedgerEntry)
    statement = (
        ledger.update()
        .where(ledger.c.channel_id == channel_id, ledger.c.source_id == bindparam("of"))
        .values(reason=TEXT_UNREAD, tries=bindparam("made"), retry_at=bindparam("next"))
    )
    rows = [{"of": source_id, "made": tries, "next": at} for source_id, (tries, at) in sorted(when.items())]
    if rows:
        session.connection().execute(statement, rows)


def ask_again(session: Session, channel_id: int, source_ids: Iterable[str]) -> None:
    """Has these items, where they were captured and are there, read once more by the next run over their account."""
    for chunk in in_chunks(sorted(source_ids)):
        session.execute(
            update(LedgerEntry)
            .where(
                col(LedgerEntry.channel_id) == channel_id,
                col(LedgerEntry.source_id).in_(chunk),
                col(LedgerEntry.outcome) == CAPTURED,
                col(LedgerEntry.gone_at).is_(None),
            )
            .values(reason=ASKED_AGAIN)
        )
