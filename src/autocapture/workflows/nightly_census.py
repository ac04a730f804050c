"""The census of every account, each night: in slices between captures, one account at a time, in memory until it is done.

What is missing may have come a moment ago: it counts once a capture that began after the listing went by and did not bring it.
A process that ends takes an unfinished count along; the row is due again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlmodel import col

from autocapture.application import Application
from autocapture.connector import Channel as Source
from autocapture.connector import Connection, Cursor, Gone
from autocapture.errors import AutocaptureError, ChannelGone, RateLimited, StoreBusy
from autocapture.model.accounts import Account, Channel
from autocapture.model.columns import stable_id
from autocapture.model.watching import Census
from autocapture.store import leases, ledger
from autocapture.store.bulk import insert_missing
from autocapture.store.captured import is_captured
from autocapture.store.due import has_come
from autocapture.store.engine import reading, writing
from autocapture.workflows.census import (
    ChannelCensus,
    beside_ledger,
    remembered_since,
    settle_census,
    sources_of,
)
from autocapture.workflows.open_account import open_account
from autocapture.workflows.workers import dead_workers, worker_name

log = structlog.get_logger()

NIGHT_BEGINS, NIGHT_HOURS = time(0, 30), 5
SLICE_SECONDS = 20.0
"""How long a census keeps captures of its account waiting at a time."""

PAGE_LIMIT = 1_000
CLAIM_FOR = timedelta(minutes=10)
CONFIRM_WITHIN = timedelta(minutes=15)
AGAIN_AFTER = timedelta(hours=1)
"""After a census that could not be finished."""

_LONGEST = timedelta(days=2)


@dataclass(slots=True)
class _Listing:
    """One channel while it is enumerated, and after."""

    source: Source
    cursor: Cursor | None = None
    ids: set[str] = field(default_factory=set)
    listed_at: datetime | None = None
    since: datetime | None = None


@dataclass(slots=True)
class _Count:
    """An account while it is counted. `wait_until`: its provider asked for less."""

    account_id: int
    listings: list[_Listing] | None = None
    counted: list[ChannelCensus] | None = None
    counted_at: datetime | None = None
    wait_until: datetime | None = None


class Censuses:
    """The counts under way in this process: one at most."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._count: _Count | None = None

    def due(self) -> list[int]:
        """The one account to go on with, or to begin with; none where another process is counting."""
        app, now = self._app, self._app.clock.now()
        _plan(app, now)
        if self._count is not None and not _is_captured(app, self._count.account_id):
            self._count = None
        if self._count is not None:
            waits = self._count.wait_until is not None and now < self._count.wait_until <= now + _LONGEST
            return [] if waits else [self._count.account_id]
        with reading(app.engine) as session:
            busy = select(col(Census.account_id)).where(
                col(Census.claimed_until) > now, col(Census.claimed_until) <= now + 2 * CLAIM_FOR
            )
            if session.scalars(busy.limit(1)).first() is not None:
                return []
            due = (
                select(col(Census.account_id))
                .join(Account, col(Account.id) == col(Census.account_id))
                .where(is_captured(), col(Account.fails) == 0)
                .where(has_come(col(Account.throttle_until), now, _LONGEST))
                .where(has_come(col(Census.due_at), now, _LONGEST))
                .order_by(col(Census.due_at))
            )
            return list(session.scalars(due.limit(1)))

    def go_on(self, account_id: int) -> bool:
        """One slice of an account's census; whether it is finished. Busy accounts wait for the next slice."""
        if self._count is None or self._count.account_id != account_id:
            self._count = _Count(account_id)
        count = self._count
        count.wait_until = None
        self._claim(account_id)
        try:
            finished = self._slice(count)
        except StoreBusy:
            raise
        except RateLimited as problem:
            count.wait_until = self._app.clock.now() + (problem.retry_after or timedelta(minutes=1))
            return False
        except Exception as problem:  # it is told, and tried again in its own time
            self._give_up(account_id, problem)
            self._count = None
            return False
        if finished:
            self._count = None
        return finished

    def _slice(self, count: _Count) -> bool:
        if count.counted is None:
            if not _list_some(self._app, count):
                return False
            count.counted = _compared(self._app, count)
            count.counted_at = self._app.clock.now()
        if any(found.missing for found in count.counted) and not self._is_confirmed(count):
            return False
        missing = _still_missing(self._app, count.counted)
        if not settle_census(self._app, count.account_id, missing):
            return False
        _finish(self._app, count.account_id)
        log.info("counted", account_id=count.account_id, count=sum(len(found.missing) for found in missing))
        return True

    def _is_confirmed(self, count: _Count) -> bool:
        """Whether each channel that misses something was captured since it was listed."""
        counted_at = count.counted_at or self._app.clock.now()
        if self._app.clock.now() - counted_at > CONFIRM_WITHIN:
            return True
        listed = [found.channel_id for found in count.counted or () if found.missing]
        with reading(self._app.engine) as session:
            captured = session.scalars(
                select(col(Channel.last_ok_at)).where(col(Channel.id).in_(listed))
            ).all()
        return all(at is not None and at > counted_at for at in captured)

    def _claim(self, account_id: int) -> None:
        with writing(self._app.engine) as session:
            until = self._app.clock.now() + CLAIM_FOR
            session.execute(
                update(Census).where(col(Census.account_id) == account_id).values(claimed_until=until)
            )

    def _give_up(self, account_id: int, problem: Exception) -> None:
        now = self._app.clock.now()
        ours = isinstance(problem, AutocaptureError)
        why = str(problem) if ours else f"internal error: {type(problem).__name__}"
        log.warning("census_failed", account_id=account_id, error=type(problem).__name__)
        with writing(self._app.engine) as session:
            session.execute(
                update(Census)
                .where(col(Census.account_id) == account_id)
                .values(last_error=why, due_at=now + AGAIN_AFTER, claimed_until=now)
            )


def _is_captured(app: Application, account_id: int) -> bool:
    with reading(app.engine) as session:
        found = select(col(Account.id)).where(col(Account.id) == account_id, is_captured())
        return session.scalars(found).first() is not None


def next_night(app: Application, account_id: int, now: datetime) -> datetime:
    """When an account is counted next: in the organisation's night, each at a time of its own."""
    zone = ZoneInfo(app.settings.organization.time_zone)
    spread = timedelta(seconds=stable_id(f"census {account_id}") % (NIGHT_HOURS * 3600))
    today = now.astimezone(zone).date()
    for day in (today, today + timedelta(days=1)):
        at = datetime.combine(day, NIGHT_BEGINS, zone) + spread
        if at > now:
            return at
    return now + timedelta(days=1)


def _plan(app: Application, now: datetime) -> None:
    """A row for each account whose first import has ended."""
    behind = select(col(Channel.account_id)).where(col(Channel.enabled), ~col(Channel.backfilled))
    known = select(col(Channel.account_id)).where(col(Channel.enabled))
    new = (
        select(col(Account.id))
        .outerjoin(Census, col(Census.account_id) == col(Account.id))
        .where(col(Census.account_id).is_(None), is_captured())
        .where(col(Account.id).in_(known), col(Account.id).not_in(behind))
    )
    with reading(app.engine) as session:
        ids = [account_id for account_id in session.scalars(new) if account_id is not None]
    if ids:
        rows = [{"account_id": one, "due_at": next_night(app, one, now), "claimed_until": now} for one in ids]
        with writing(app.engine) as session:
            insert_missing(session, Census, rows)


def _finish(app: Application, account_id: int) -> None:
    now = app.clock.now()
    with writing(app.engine) as session:
        session.execute(
            update(Census)
            .where(col(Census.account_id) == account_id)
            .values(due_at=next_night(app, account_id, now), claimed_until=now)
        )


def _list_some(app: Application, count: _Count) -> bool:
    """Enumerates for one slice; whether all is listed. Under the account's lease: some servers let one connection in."""
    with writing(app.engine) as session:
        account = session.get_one(Account, count.account_id)
        dead = dead_workers(session)
        lease = leases.claim(session, count.account_id, worker_name(), app.clock.now(), dead)
    if lease is None:
        return False
    try:
        with open_account(app, account) as connection:
            return _enumerate(app, account, count, connection)
    finally:
        with writing(app.engine) as session:
            leases.release(session, lease)


def _enumerate(app: Application, account: Account, count: _Count, connection: Connection) -> bool:
    ends = app.clock.monotonic() + SLICE_SECONDS
    if count.listings is None:
        count.listings = [_Listing(source) for source in sources_of(app, account, connection)]
    else:
        connection.channels()  # a connection may need to know them before it is asked for one
    for listing in count.listings:
        while listing.listed_at is None:
            if app.clock.monotonic() > ends:
                return False
            _list_page(app, listing, connection)
    return True


def _list_page(app: Application, listing: _Listing, connection: Connection) -> None:
    try:
        listing.since = remembered_since(connection, listing.source)
        page = connection.pull(listing.source, listing.cursor, limit=PAGE_LIMIT)
    except ChannelGone:
        listing.ids, listing.listed_at = set(), app.clock.now()
        return
    for item in page.items:
        (listing.ids.discard if isinstance(item, Gone) else listing.ids.add)(item.id)
    listing.cursor = page.cursor
    if page.complete or not page.more:
        listing.listed_at = app.clock.now()


def _compared(app: Application, count: _Count) -> list[ChannelCensus]:
    """Each listing beside the ledger. Channels that miss something are captured soon."""
    found = []
    now = app.clock.now()
    with writing(app.engine) as session:
        account = session.get_one(Account, count.account_id)
        stored = {
            channel.source_id: channel
            for channel in session.scalars(select(Channel).where(col(Channel.account_id) == account.id))
        }
        for listing in count.listings or ():
            channel = stored.get(listing.source.id)
            channel_id = None if channel is None else channel.id
            live, missing, left = beside_ledger(session, channel_id, listing.ids, listing.since)
            name = listing.source.name or listing.source.id
            numbers = (len(listing.ids), live)
            one = ChannelCensus(count.account_id, account.subject, name, *numbers, channel_id=channel_id)
            found.append(replace(one, missing=missing, left=left))
            if missing and channel is not None:
                channel.wake_at = min(channel.wake_at, now)
                session.add(channel)
    return found


def _still_missing(app: Application, counted: list[ChannelCensus]) -> list[ChannelCensus]:
    """What the captures since did not bring."""
    with reading(app.engine) as session:
        return [
            found
            if not found.missing or found.channel_id is None
            else replace(
                found,
                missing=tuple(sorted(set(found.missing) - ledger.live_ids(session, found.channel_id))),
            )
            for found in counted
        ]
