"""The census: what the source holds now, counted by its own ids, beside what the ledger says.

The source is enumerated from the start, as if nothing were known; every id must have a ledger row, and every live row must
be there. Counting reads and reports; `queue_missing` has what is missing read again, `ask_about_left` what is not there any more,
and `record` keeps the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connector import Channel as Source
from autocapture.connector import Connection, Forgets, Gone, LeavesOut, ListsInPart
from autocapture.errors import ChannelGone, InputError, SetupError
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import QUARANTINED, LedgerEntry
from autocapture.model.organization import User
from autocapture.model.watching import Census
from autocapture.store import leases, ledger
from autocapture.store.engine import reading, writing
from autocapture.store.ledger import Line
from autocapture.workflows.connected_reps import of_the_connected
from autocapture.workflows.open_account import open_account
from autocapture.workflows.workers import dead_workers, worker_name

PAGE_LIMIT = 5_000
MOST_BY_ID = 100
"""Items of one channel that are asked for one by one."""

MISSED = "a census found it at the source, it is read again"

_LEFT_ALONE = {
    "paused": "it is paused",
    "disconnected": "it is disconnected",
    "pending": "it waits for its owner's choice",
}


@dataclass(frozen=True, slots=True)
class ChannelCensus:
    """One channel counted. `missing` are ids at the source without a live ledger row; `left` are live rows whose item is no
    longer at the source (the next capture will say so).

    `left_out` says why a folder is never captured; it is named and not counted, so its `at_source` is None.
    """

    account_id: int
    subject: str
    channel: str
    at_source: int | None
    in_ledger: int
    outcomes: Counter[str] = field(default_factory=Counter)
    missing: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    left_out: str | None = None
    channel_id: int | None = None

    @property
    def equal(self) -> bool:
        return not self.missing and not self.left


def why_left_alone(app: Application, account_id: int) -> str | None:
    """Why nobody is to ask this account's source for anything; None where it is captured, or was until something went wrong."""
    with reading(app.engine) as session:
        account = session.get_one(Account, account_id)
        if not session.get_one(User, account.user_id).active:
            return "its owner is disabled"
        return _LEFT_ALONE.get(account.state)


def take_census(app: Application, account_id: int) -> list[ChannelCensus]:
    """Counts every channel of one account. Raises InputError for an unknown account, and what the connector raises."""
    with reading(app.engine) as session:
        account = session.get(Account, account_id)
        if account is None:
            raise InputError(f"there is no account {account_id}")
        session.expunge(account)
    with open_account(app, account) as connection:
        sources = sources_of(app, account, connection)
        counted = [_count(app, account, connection, source) for source in sources]
        named = dict(connection.left_out()) if isinstance(connection, LeavesOut) else {}
        unusable = connection.unlisted() if isinstance(connection, ListsInPart) else {}
    left_out = [
        ChannelCensus(account_id, account.subject, name, None, 0, left_out=why) for name, why in named.items()
    ]
    listed = {source.id for source in sources}
    return counted + _unlisted(app, account, listed, unusable) + left_out


def sources_of(app: Application, account: Account, connection: Connection) -> list[Source]:
    """What is to be counted: nothing of who is not connected here. Raises SetupError where none of an account's sources can be
    listed: then nothing is known of it."""
    sources = list(connection.channels())
    if not sources and isinstance(connection, ListsInPart):
        for problem in connection.unlisted().values():
            raise problem
    with reading(app.engine) as session:
        return of_the_connected(session, account.connector, sources)


def _count(app: Application, account: Account, connection: Connection, source: Source) -> ChannelCensus:
    at_source, since = _enumerate(connection, source), remembered_since(connection, source)
    with reading(app.engine) as session:
        channel_id = session.scalar(
            select(col(Channel.id)).where(
                col(Channel.account_id) == account.id, col(Channel.source_id) == source.id
            )
        )
        return _compared(session, account, source.name or source.id, channel_id, at_source, since)


def _unlisted(
    app: Application, account: Account, listed: set[str], unusable: Mapping[str, SetupError]
) -> list[ChannelCensus]:
    """Channels that the ledger takes for live and the source no longer names: everything in them has left. Of those that cannot
    be listed now, why."""
    statement = select(Channel).where(col(Channel.account_id) == account.id, col(Channel.enabled))
    with reading(app.engine) as session:
        found = []
        for channel in session.scalars(statement):
            why = unusable.get(channel.source_id.partition(":")[0])
            if why is not None:
                found.append(
                    ChannelCensus(account.id or 0, account.subject, channel.name, None, 0, left_out=str(why))
                )
            elif channel.source_id not in listed:
                found.append(_compared(session, account, channel.name, channel.id, set()))
        return found


def _compared(
    session: Session,
    account: Account,
    channel: str,
    channel_id: int | None,
    at_source: set[str],
    since: datetime | None = None,
) -> ChannelCensus:
    live, missing, left = beside_ledger(session, channel_id, at_source, since)
    outcomes = _outcomes(session, channel_id)
    return ChannelCensus(
        account_id=account.id or 0,
        subject=account.subject,
        channel=channel,
        at_source=len(at_source),
        in_ledger=live,
        outcomes=outcomes,
        missing=missing,
        left=left,
        channel_id=channel_id,
    )


def remembered_since(connection: Connection, source: Source) -> datetime | None:
    """From when on the source tells of everything; None where it forgets nothing."""
    return connection.remembers_since(source) if isinstance(connection, Forgets) else None


def beside_ledger(
    session: Session, channel_id: int | None, at_source: Collection[str], since: datetime | None
) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """How many live rows a channel has, which ids have none, and which rows have left: not those of before `since`."""
    if channel_id is None:
        return 0, tuple(sorted(at_source)), ()
    live = ledger.live_ids(session, channel_id)
    told = live if since is None else ledger.live_ids(session, channel_id, since=since)
    ids = set(at_source)
    return len(live), tuple(sorted(ids - live)), tuple(sorted(told - ids))


def _enumerate(connection: Connection, source: Source) -> set[str]:
    """Every id that is in the channel now. Arrivals during the listing are the next census' business."""
    ids: set[str] = set()
    cursor = None
    try:
        while True:
            page = connection.pull(source, cursor, limit=PAGE_LIMIT)
            for item in page.items:
                (ids.discard if isinstance(item, Gone) else ids.add)(item.id)
            cursor = page.cursor
            if page.complete or not page.more:
                return ids
    except ChannelGone:
        return set()


def _outcomes(session: Session, channel_id: int | None) -> Counter[str]:
    rows = session.execute(
        select(col(LedgerEntry.outcome), func.count())
        .where(col(LedgerEntry.channel_id) == channel_id, col(LedgerEntry.gone_at).is_(None))
        .group_by(col(LedgerEntry.outcome))
    )
    return Counter(dict(rows.all()))


def queue_missing(session: Session, channel_id: int, ids: Collection[str], now: datetime) -> None:
    """Has these ids read by the next capture: each as an item that could not be read yet, or, where they are many, by one more
    enumeration of the channel. Nothing is done about a channel whose first enumeration is still to end: it brings them."""
    channel = session.get_one(Channel, channel_id)
    if not ids or not channel.backfilled or not channel.enabled:
        return
    if len(ids) > MOST_BY_ID:
        channel.cursor, channel.mid_run = None, False
    else:
        ledger.write_quarantined(
            session,
            [
                Line(
                    channel_id=channel_id,
                    source_id=source_id,
                    outcome=QUARANTINED,
                    reason=MISSED,
                    rule="census@1",
                    generation=channel.generation,
                    retry_at=now,
                    first_seen_at=now,
                    updated_at=now,
                )
                for source_id in sorted(ids)
            ],
        )
    channel.wake_at = min(channel.wake_at, now)
    session.add(channel)


def ask_about_left(session: Session, channel_id: int, ids: Collection[str], now: datetime) -> None:
    """Has calendars' items that the source no longer lists read once more: one of which it never told that it left would stand
    as a meeting. Mail that left stays counted, so nothing hangs on it."""
    channel = session.get_one(Channel, channel_id)
    if ids and channel.kind == "event" and channel.enabled:
        ledger.ask_again(session, channel_id, sorted(ids)[:MOST_BY_ID])
        channel.wake_at = min(channel.wake_at, now)
        session.add(channel)


def record(session: Session, account_id: int, counted: Sequence[ChannelCensus], now: datetime) -> Census:
    """Keeps the figures of a finished census. The next one is due in its own time."""
    row = session.get(Census, account_id) or Census(account_id=account_id, due_at=now)
    row.counted_at, row.last_error = now, None
    row.listed = sum(found.at_source or 0 for found in counted)
    row.missing = sum(len(found.missing) for found in counted)
    row.ghosts = sum(len(found.left) for found in counted)
    session.add(row)
    session.flush()
    return row


def settle_census(app: Application, account_id: int, counted: Sequence[ChannelCensus]) -> bool:
    """Records a census and queues what is missing, while nobody captures the account; False where somebody does."""
    now = app.clock.now()
    with writing(app.engine) as session:
        lease = leases.claim(session, account_id, worker_name(), now, dead_workers(session))
        if lease is None:
            return False
        for found in counted:
            if found.channel_id is not None:
                queue_missing(session, found.channel_id, found.missing, now)
                ask_about_left(session, found.channel_id, found.left, now)
        record(session, account_id, counted, now)
        leases.release(session, lease)
    return True
