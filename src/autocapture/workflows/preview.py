"""How much there is, before anything is imported: counts for each channel and year, and how long an import would take."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from autocapture.application import Application
from autocapture.connector import Channel, Connection, Count, Counts, LeavesOut
from autocapture.errors import ChannelGone, InputError, RateLimited, Unreachable
from autocapture.model.accounts import Account
from autocapture.sections import RateLimits
from autocapture.store.engine import reading, writing
from autocapture.workflows.connected_reps import of_the_connected
from autocapture.workflows.open_account import open_account

STORED_A_MINUTE = 3_000
"""What a small machine reads, judges and stores of any source, where no provider's limit is lower. An import from a busy server
may be slower, one on a fast machine is ten times faster."""
COUNT_WITHIN = timedelta(minutes=5)
"""After so long no further channel is begun to be counted."""

_BRIEF = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Held:
    """One channel: `total` is None where its provider cannot count, `by_year` empty where it cannot count by date."""

    id: str
    kind: str
    name: str
    total: int | None
    by_year: Mapping[int, int] = field(default_factory=dict)
    method: str = ""
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Preview:
    """What was counted at `at`. `left_out`: what is never captured, with the reason."""

    at: datetime
    channels: tuple[Held, ...]
    left_out: Mapping[str, str]

    @property
    def years(self) -> tuple[int, ...]:
        """The years that are told of, the newest first."""
        return tuple(sorted({year for each in self.channels for year in each.by_year}, reverse=True))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an import brings: about `items` (None where nobody can say), in about `lasts`. `dated` tells whether all providers
    count by date; where not, all there is was taken for new enough."""

    items: int | None
    lasts: timedelta | None
    dated: bool


def take_preview(app: Application, account_id: int) -> Preview:
    """Counts an account's channels, and keeps what was found with the account.

    A channel that cannot be counted now, or not within `COUNT_WITHIN`, is told without a number. Raises InputError for an
    unknown account, and what the connector raises on opening.
    """
    with reading(app.engine) as session:
        account = _account(session, account_id)
        session.expunge(account)
    until = app.clock.monotonic() + COUNT_WITHIN.total_seconds()
    with open_account(app, account) as connection:
        with reading(app.engine) as session:
            channels = of_the_connected(session, account.connector, connection.channels())
        held = tuple(
            _held(channel, _count(connection, channel) if app.clock.monotonic() < until else None)
            for channel in channels
        )
        left_out = dict(connection.left_out()) if isinstance(connection, LeavesOut) else {}
    found = Preview(app.clock.now(), held, left_out)
    with writing(app.engine) as session:
        _account(session, account_id).counted = _as_json(found)
    return found


def stored_preview(account: Account) -> Preview | None:
    """What was counted last."""
    if account.counted is None:
        return None
    channels = tuple(
        Held(**{**each, "by_year": {int(year): number for year, number in each["by_year"].items()}})
        for each in account.counted["channels"]
    )
    return Preview(datetime.fromisoformat(account.counted["at"]), channels, account.counted["left_out"])


def estimate(preview: Preview, since: date | None, left_out: Collection[str], limits: RateLimits) -> Estimate:
    """What capturing from `since` on without the channels `left_out` would bring. The year of `since` counts by its share."""
    chosen = [each for each in preview.channels if each.id not in left_out]
    numbers = {each.id: _since(each, since, preview.at.date()) for each in chosen}
    known = [number for number in numbers.values() if number is not None]
    if len(known) < len(numbers):
        return Estimate(None, None, dated=False)
    minutes = sum(_minutes(each, numbers[each.id] or 0, limits) for each in chosen)
    dated = all(each.by_year or not each.total for each in chosen)
    return Estimate(sum(known), timedelta(minutes=math.ceil(minutes)), dated)


def in_words(lasts: timedelta) -> str:
    """How long, to the precision that can be answered for."""
    if lasts <= _BRIEF:
        return "about a minute"
    minutes = lasts.total_seconds() / 60
    if minutes < 90:
        return f"about {math.ceil(minutes / 5) * 5 if minutes > 10 else math.ceil(minutes)} minutes"
    return f"about {math.ceil(minutes / 60)} hours"


def _count(connection: Connection, channel: Channel) -> Count | None:
    if isinstance(connection, Counts):
        with suppress(RateLimited, Unreachable, ChannelGone):
            return connection.count(channel)
    return None


def _held(channel: Channel, count: Count | None) -> Held:
    name = channel.name or channel.id
    if count is None:
        return Held(channel.id, channel.kind, name, None)
    return Held(channel.id, channel.kind, name, count.total, dict(count.by_year), count.method, count.at_once)


def _since(held: Held, since: date | None, today: date) -> int | None:
    if not held.by_year or since is None:
        return held.total
    later = sum(number for year, number in held.by_year.items() if year > since.year)
    first, last = date(since.year, 1, 1), min(date(since.year, 12, 31), max(today, since))
    share = (last - since).days / max((last - first).days, 1)
    return later + math.ceil(held.by_year.get(since.year, 0) * min(max(share, 0), 1))


def _minutes(held: Held, items: int, limits: RateLimits) -> float:
    stored = items / STORED_A_MINUTE
    service, _, name = held.method.partition(".")
    limit = limits.of(service) if service else None
    if limit is None or limit.account is None:
        return stored
    calls = math.ceil(items / max(held.at_once, 1))
    return max(stored, calls * limit.cost(name) / limit.account * limit.seconds / 60)


def _as_json(preview: Preview) -> dict[str, Any]:
    channels = [
        {**asdict(each), "by_year": {str(year): number for year, number in each.by_year.items()}}
        for each in preview.channels
    ]
    return {"at": preview.at.isoformat(), "channels": channels, "left_out": dict(preview.left_out)}


def _account(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise InputError(f"there is no account {account_id}")
    return account
