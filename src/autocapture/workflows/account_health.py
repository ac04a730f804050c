"""What proves, or disproves, that an account is captured freshly and wholly: the last census, delays, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.model.watching import Census, Stall, Subscription
from autocapture.store.bulk import among
from autocapture.store.captured import is_captured
from autocapture.store.engine import reading
from autocapture.workflows.freshness import Delays, delays

ALERT_AFTER = 3
"""Failures in a row, some minutes apart, after which a subscription is told of, days before it lapses."""


Moment = Callable[[datetime], str]
"""How somebody is told a time."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The last census: how many ids were at the source, and how many of them were not held."""

    at: datetime
    listed: int
    missing: int

    @property
    def share(self) -> float:
        """Of what was at the source, between 0 and 1; all of nothing is all."""
        return 1.0 if not self.listed else (self.listed - self.missing) / self.listed

    @property
    def words(self) -> str:
        """The share, rounded down: less than all is never told as all."""
        return f"{int(self.share * 10_000) / 100:g} %"


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """`alerts` are lines for people, without content; `stalled` whether one of them says that the account stands still."""

    counted: Counted | None
    delays: Delays | None
    alerts: tuple[str, ...]
    stalled: bool


def in_utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def health_of(
    session: Session, account_ids: Collection[int], now: datetime, moment: Moment = in_utc
) -> dict[int, AccountHealth]:
    """Of each of these accounts, with times as `moment` tells them. Those of who is disabled stand still rightly."""
    measured = delays(session, account_ids, now.date())
    censuses = select(Census).where(among(session, col(Census.account_id), account_ids))
    counted = {row.account_id: row for row in session.scalars(censuses)}
    flagged = (
        select(Stall)
        .join(Account, col(Account.id) == col(Stall.account_id))
        .where(among(session, col(Stall.account_id), account_ids), col(Stall.since).is_not(None))
        .where(is_captured())
    )
    stalls: dict[int, list[Stall]] = {}
    for stall in session.scalars(flagged.order_by(col(Stall.sign))):
        stalls.setdefault(stall.account_id, []).append(stall)
    lapsed = _lapsed(session, account_ids, now)
    found = {}
    for account_id in account_ids:
        still = [
            f"stands still since {moment(one.since)}: {one.why}"
            for one in stalls.get(account_id, [])
            if one.since is not None
        ]
        row = counted.get(account_id)
        found[account_id] = AccountHealth(
            counted=None
            if row is None or row.counted_at is None
            else Counted(row.counted_at, row.listed, row.missing),
            delays=measured.get(account_id),
            alerts=(*still, *lapsed.get(account_id, ())),
            stalled=bool(still),
        )
    return found


def alerts(app: Application, account_id: int) -> list[str]:
    """What is wrong with one account although its captures may end well."""
    with reading(app.engine) as session:
        return list(health_of(session, [account_id], app.clock.now())[account_id].alerts)


def _lapsed(session: Session, account_ids: Collection[int], now: datetime) -> dict[int, list[str]]:
    rows = session.execute(
        select(col(Channel.account_id), col(Channel.name), Subscription)
        .join(Channel, col(Channel.id) == col(Subscription.channel_id))
        .where(among(session, col(Channel.account_id), account_ids), col(Subscription.state) != "unwatchable")
        .order_by(col(Channel.id))
    )
    found: dict[int, list[str]] = {}
    for account_id, name, row in rows:
        over = bool(row.source_id) and row.expires_at is not None and row.expires_at <= now
        if row.fails >= ALERT_AFTER or (over and row.last_error):
            why = row.last_error or "it could not be prolonged"
            told = "lapsed" if over else "cannot be had"
            found.setdefault(account_id, []).append(
                f"{name}: the provider's notices {told} ({why}); it is polled instead"
            )
    return found
