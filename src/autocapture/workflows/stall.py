"""Accounts that stand still although their captures end well: the server has newer items than we know, or far fewer come than
usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import bindparam, case, func, select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connector import Channel as Source
from autocapture.connector import Connection, TellsNewest
from autocapture.errors import AutocaptureError, StoreBusy
from autocapture.measure.worktime import holidays_of
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import QUARANTINED, LedgerEntry
from autocapture.model.organization import User
from autocapture.model.watching import Stall
from autocapture.report.reader import Reader
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.captured import is_captured
from autocapture.store.engine import reading, writing
from autocapture.workflows.habits import WEEKS, Volume, far_below

NEWEST, VOLUME = "newest", "volume"

CHECK_EVERY = timedelta(minutes=4)
GRACE = timedelta(minutes=5)
"""What is younger than this when a pass begins need not be known at its end: providers list late."""

SAME = timedelta(seconds=2)
MOST_CHANNELS = 3
"""Channels of one account that are asked for their newest item: those in which items came last."""

DAY_ENDS = time(18)
"""When a day of volumes ends, by the organisation's clock: a silence of working hours is told when they are over."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)

_STALL = table_of(Stall).c
_CHECKED = select(_STALL.checked_at).where(_STALL.account_id == bindparam("of"), _STALL.sign == NEWEST)

log = structlog.get_logger()


def look_for_newer(
    app: Application,
    account_id: int,
    connection: Connection,
    channels: Sequence[Channel],
    began: datetime,
) -> None:
    """After a pass that went well: asks now and then whether the server has items that the pass, begun at `began`, should have
    brought. A question that cannot be answered says nothing."""
    if not isinstance(connection, TellsNewest) or not _is_due(app, account_id):
        return
    mail = [channel for channel in channels if channel.kind == "email" and channel.backfilled]
    mail.sort(key=lambda channel: channel.newest_at or channel.wake_at, reverse=True)
    why = None
    try:
        for channel in mail[:MOST_CHANNELS]:
            newest = connection.newest(Source(channel.source_id, "email", channel.name))
            if newest is not None and _is_behind(app, channel, newest, began):
                told = _reader(app, account_id).moment(newest)
                why = f"{channel.name}: the server has an item of {told} that never came"
                break
    except StoreBusy:
        raise
    except AutocaptureError as problem:
        log.info("newest_unknown", account_id=account_id, error=type(problem).__name__)
        return
    except Exception as problem:  # a capture that went well must not fail by a question about it
        log.warning("newest_unknown", account_id=account_id, error=type(problem).__name__)
        return
    with writing(app.engine) as session:
        _note(session, account_id, NEWEST, why, app.clock.now())


def _reader(app: Application, account_id: int) -> Reader:
    """Its owner, by whose clock times are told."""
    with reading(app.engine) as session:
        owner = session.scalars(
            select(User)
            .join(Account, col(Account.user_id) == col(User.id))
            .where(col(Account.id) == account_id)
        ).one()
        return Reader(owner.locale, owner.time_zone)


def _is_due(app: Application, account_id: int) -> bool:
    with reading(app.engine) as session:
        checked = rows_of(session, _CHECKED, {"of": account_id})
    return not checked or not timedelta(0) <= app.clock.now() - checked[0].checked_at < CHECK_EVERY


def _is_behind(app: Application, channel: Channel, newest: datetime, began: datetime) -> bool:
    if newest >= began - GRACE or (channel.newest_at is not None and newest <= channel.newest_at + SAME):
        return False
    unread = select(col(LedgerEntry.source_id)).where(
        col(LedgerEntry.channel_id) == channel.id,
        col(LedgerEntry.outcome) == QUARANTINED,
        col(LedgerEntry.gone_at).is_(None),
        col(LedgerEntry.first_seen_at) >= newest,
    )
    with reading(app.engine) as session:
        return session.scalars(unread.limit(1)).first() is None  # it is known, if it could not be read


def check_habits(app: Application) -> int:
    """Flags accounts whose mail falls far below their habit, and clears the others; how many are flagged. Nothing is judged by
    a holiday of the organisation's region.

    What is judged is the last day that was over at `DAY_ENDS`, however often it is asked: of days that overlap, each is another
    chance for a false alarm."""
    now = app.clock.now()
    end = _last_end(app, now)
    if _is_holiday(app, end):
        return 0
    with reading(app.engine) as session:
        volumes = {account_id: _volume(session, app, account_id, end) for account_id in _settled(session)}
        flagged = set(session.scalars(select(col(Stall.account_id)).where(col(Stall.sign) == VOLUME)))
    low = far_below(volumes)
    with writing(app.engine) as session:
        for account_id in sorted(low | (flagged & volumes.keys())):
            one = volumes[account_id]
            few = f"{one.now} mails within a day, where about {one.usual:.0f} are usual"
            _note(session, account_id, VOLUME, few if account_id in low else None, now)
    return len(low)


def _last_end(app: Application, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(app.settings.organization.time_zone))
    end = datetime.combine(local.date(), DAY_ENDS, local.tzinfo)
    return (end if end <= local else end - _DAY).astimezone(UTC)


def _settled(session: Session) -> list[int]:
    """Captured accounts with mail, all of which was enumerated once."""
    behind = select(col(Channel.account_id)).where(col(Channel.enabled), ~col(Channel.backfilled))
    mail = select(col(Channel.account_id)).where(col(Channel.enabled), col(Channel.kind) == "email")
    statement = select(col(Account.id)).where(
        is_captured(), col(Account.id).in_(mail), col(Account.id).not_in(behind)
    )
    return [account_id for account_id in session.scalars(statement) if account_id is not None]


def _volume(session: Session, app: Application, account_id: int, last: datetime) -> Volume:
    at = col(LedgerEntry.occurred_at)
    ends = [last - _WEEK * week for week in range(WEEKS + 1)]
    sums = [func.sum(case(((at > end - _DAY) & (at <= end), 1), else_=0)) for end in ends]
    row = session.execute(
        select(func.min(at), *sums)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .where(col(Channel.account_id) == account_id, col(Channel.kind) == "email")
    ).one()
    oldest, counts = row[0], [int(count or 0) for count in row[1:]]
    before = tuple(
        count
        for end, count in zip(ends[1:], counts[1:], strict=True)
        if oldest is not None and oldest < end - _DAY and not _is_holiday(app, end)
    )
    return Volume(counts[0], before)


def _is_holiday(app: Application, end: datetime) -> bool:
    """Whether a day that ends at this moment lies on a holiday, in part."""
    organization = app.settings.organization
    last = end.astimezone(ZoneInfo(organization.time_zone)).date()
    known = holidays_of(f"en-{organization.region}")
    return last in known or last - _DAY in known


def _note(session: Session, account_id: int, sign: str, why: str | None, now: datetime) -> None:
    row = session.get(Stall, (account_id, sign)) or Stall(account_id=account_id, sign=sign, checked_at=now)
    if why is not None and row.since is None:
        log.warning("account_stalled", account_id=account_id, state=sign)
    row.checked_at, row.why = now, why
    row.since = None if why is None else row.since or now
    session.add(row)
