"""How much there is, before anything is imported: counts for each channel and year, and how long an import would take."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlmodel import Session

from autocapture.application import Application
from autocapture.connector import CaptureLevel, Channel, Connection, Count, Counts, LeavesOut
from autocapture.errors import ChannelGone, InputError, RateLimited, Unreachable
from autocapture.model.accounts import Account
from autocapture.sections import RateLimits
from autocapture.store.engine import reading, writing
from autocapture.workflows.connected_reps import of_the_connected
from autocapture.workflows.dated_counts import Dated, newer, years
from autocapture.workflows.open_account import open_account

STORED_A_MINUTE = 3_000
"""What a small machine reads, judges and stores of any source, where no provider's limit is lower. An import from a busy server
may be slower, one on a fast machine is ten times faster."""
BESIDES = 1.1
"""A tenth more: pages are listed too, and news is read meanwhile. Measured at the enforced limit it is 8 in 100."""
COUNT_WITHIN = timedelta(minutes=5)
"""After so long no further channel is begun to be counted."""


@dataclass(frozen=True, slots=True)
class Held:
    """One channel: `total` is None where its provider cannot count, `by_year` empty where it cannot count by date. Where some
    items are `dated` (as in `Count`), `by_year` tells about how many there are, of the years that are known whole."""

    id: str
    kind: str
    name: str
    total: int | None
    by_year: Mapping[int, int] = field(default_factory=dict)
    method: str = ""
    at_once: int = 1
    text_method: str = ""
    dated: Dated = ()
    folders: Mapping[str, int] = field(default_factory=dict)

    @property
    def undated(self) -> int:
        """How many are of no year that is told."""
        return (self.total or 0) - sum(self.by_year.values())


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
    """What an import brings: about `items` (None where nobody can say), in about `lasts`, or between that and `longest` where it
    depends on how many texts are read. `dated` tells whether it is known how many are new enough; where not, all there is was
    taken, and neither number is more than a bound."""

    items: int | None
    lasts: timedelta | None
    longest: timedelta | None
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
    channels = tuple(Held(**{**each, **_parsed(each)}) for each in account.counted["channels"])
    return Preview(datetime.fromisoformat(account.counted["at"]), channels, account.counted["left_out"])


def estimate(
    preview: Preview,
    since: date | None,
    left_out: Collection[str],
    limits: RateLimits,
    level: CaptureLevel = "subject",
) -> Estimate:
    """What capturing from `since` on at `level` without the channels `left_out` would bring. Where whole years were counted, that
    of `since` counts by its share. At level full the text of a mail is read once it is known that it matters, so between none
    and all of them are read a second time."""
    chosen = [each for each in preview.channels if each.id not in left_out]
    if any(each.total is None for each in chosen):
        return Estimate(None, None, None, dated=False)
    newer = {each.id: _since(each, since, preview.at.date()) for each in chosen}
    numbers = {each.id: each.total or 0 if newer[each.id] is None else newer[each.id] or 0 for each in chosen}
    shortest = sum(_minutes(each, numbers[each.id], limits) for each in chosen)
    texts = sum(_text_minutes(each, numbers[each.id], limits) for each in chosen if level == "full")
    return Estimate(
        sum(numbers.values()),
        _with_the_rest(shortest),
        _with_the_rest(shortest + texts),
        all(number is not None for number in newer.values()),
    )


def in_words(expected: Estimate) -> str:
    """How long, to the precision that can be answered for; empty where nobody can say."""
    if expected.lasts is None or expected.longest is None:
        return ""
    least, most = _rounded(expected.lasts), _rounded(expected.longest)
    if not expected.dated:
        return f"at most {_length(*most)}"
    if least == most:
        return f"about {_length(*most)}"
    if least[1] == most[1]:
        return f"about {least[0]} to {_length(*most)}"
    return f"about {_length(*least)} to {_length(*most)}"


def _with_the_rest(minutes: float) -> timedelta:
    return timedelta(minutes=math.ceil(round(minutes * BESIDES, 3)))


def _rounded(lasts: timedelta) -> tuple[int, str]:
    minutes = lasts.total_seconds() / 60
    if minutes < 90:
        return max(1, math.ceil(minutes / 5) * 5 if minutes > 10 else math.ceil(minutes)), "minute"
    return math.ceil(minutes / 60), "hour"


def _length(number: int, unit: str) -> str:
    return f"{number} {unit}s" if number != 1 else f"a{'n' if unit == 'hour' else ''} {unit}"


def _count(connection: Connection, channel: Channel) -> Count | None:
    if isinstance(connection, Counts):
        with suppress(RateLimited, Unreachable, ChannelGone):
            return connection.count(channel)
    return None


def _held(channel: Channel, count: Count | None) -> Held:
    name = channel.name or channel.id
    if count is None:
        return Held(channel.id, channel.kind, name, None)
    by_year = dict(count.by_year) or years(count.dated, count.total or 0)
    return Held(
        channel.id,
        channel.kind,
        name,
        count.total,
        by_year,
        count.method,
        count.at_once,
        count.text_method,
        tuple(count.dated),
        dict(count.folders),
    )


def _since(held: Held, since: date | None, today: date) -> int | None:
    """How many came in since; None where that is not known."""
    if since is None or not held.total:
        return held.total
    if held.dated:
        return newer(held.dated, held.total, datetime.combine(since, time(), UTC))
    if not held.by_year:
        return None
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


def _text_minutes(held: Held, items: int, limits: RateLimits) -> float:
    """How long reading the texts of all of them would take besides."""
    service, _, name = held.text_method.partition(".")
    limit = limits.of(service) if service else None
    if limit is None or limit.account is None:
        return 0
    return items * limit.cost(name) / limit.account * limit.seconds / 60


def _as_json(preview: Preview) -> dict[str, Any]:
    channels = [
        {
            **asdict(each),
            "by_year": {str(year): number for year, number in each.by_year.items()},
            "dated": [[at.isoformat(), number] for at, number in each.dated],
        }
        for each in preview.channels
    ]
    return {"at": preview.at.isoformat(), "channels": channels, "left_out": dict(preview.left_out)}


def _parsed(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "by_year": {int(year): number for year, number in stored["by_year"].items()},
        "dated": tuple((datetime.fromisoformat(at), number) for at, number in stored.get("dated", ())),
    }


def _account(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise InputError(f"there is no account {account_id}")
    return account
