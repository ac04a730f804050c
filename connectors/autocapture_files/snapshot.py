"""What a source holds at one moment, and what every kind of source can do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from autocapture.clock import Clock
from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import Unreachable

SETTLED_FOR = timedelta(seconds=2)
"""A change within the same tick of a file system's clock leaves the same time stamp, and some tick only every other
second. A stamp therefore proves "unchanged" only if it was already this old when the listing began; a younger one is
remembered as none, and the next pull lists again."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one item may cost at most: `rows` that may come of it, and the `effort` of reading it
    (`formats.content_lines.effort_of`)."""

    rows: int
    effort: int


PAGE_WEIGHT = Weight(rows=250_000, effort=2 << 20)
"""Of one page, beside its heaviest item: it is stored in one transaction, and no reading of it may take long."""


class UnusableWhole(Unreachable):
    """A file that exists and can be read, but not as what it ought to be. `version` tells this content from another."""

    def __init__(self, message: str, version: str) -> None:
        super().__init__(message)
        self.version = version


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Versions by item id. `stamp` is what `Source.stamp` said before the listing began; None: list again next time.
    `weights`: of items that may cost more than a few bytes and a row; see `PAGE_WEIGHT`."""

    versions: Mapping[str, str | None]
    stamp: str | None
    weights: Mapping[str, Weight] = field(default_factory=dict)

    def first_page(self, item_ids: Sequence[str], limit: int) -> Sequence[str]:
        """The first of these that make one page: at most `limit`, and no more than weigh `PAGE_WEIGHT`, but one at least."""
        rows = effort = 0
        for number, item_id in enumerate(item_ids[:limit] if self.weights else ()):
            if (weight := self.weights.get(item_id)) is not None:
                rows, effort = rows + weight.rows, effort + weight.effort
            if rows > PAGE_WEIGHT.rows or effort > PAGE_WEIGHT.effort:
                return item_ids[: max(number, 1)]
        return item_ids[:limit]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the account captures: from the beginning of a day in the rep's zone on, or everything."""

    since: datetime | None

    @classmethod
    def of(cls, tools: Tools) -> Scope:
        if tools.since is None:
            return cls(None)
        return cls(datetime.combine(tools.since, time(), ZoneInfo(tools.time_zone)))

    def holds(self, moment: datetime | None) -> bool:
        """An item of unknown time is in scope."""
        return moment is None or self.since is None or moment >= self.since


class Source(Protocol):
    """One path of an account: a Maildir, an mbox file, a folder of messages, calendars, a call log."""

    def channels(self) -> Sequence[Channel]:
        """Raises SetupError when the path is not there."""
        ...

    def stamp(self, channel: Channel) -> str | None:
        """A cheap value that changes with the content; None where there is none. Raises ChannelGone."""
        ...

    def snapshot(self, channel: Channel) -> Snapshot | None:
        """What the channel holds now; None where only a part of a large file was read so far: ask again. Raises
        ChannelGone, Unreachable, UnusableWhole."""
        ...

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken: ...

    def text(self, channel: Channel, item_id: str) -> str | None: ...


def stamp_of(*paths: Path) -> str:
    """Inode, size and time of change of each path, in nanoseconds. Raises OSError."""
    parts = []
    for path in paths:
        status = path.stat()
        parts.append(f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}")
    return " ".join(parts)


def settled(clock: Clock, *paths: Path) -> bool:
    """Whether the latest change of all `paths` is old enough for their stamp to be trusted. Raises OSError."""
    latest = max(path.stat().st_mtime for path in paths)
    return clock.now() - datetime.fromtimestamp(latest, UTC) > SETTLED_FOR


def fingerprint(data: bytes) -> str:
    """A short name for content: 80 bits, enough that two items never share one by chance."""
    return hashlib.blake2b(data, digest_size=10).hexdigest()


def twin(item_id: str, seen: dict[str, int]) -> str:
    """`item_id`, with an ordinal from its second appearance on: equal items are told apart by order alone."""
    seen[item_id] = seen.get(item_id, 0) + 1
    return item_id if seen[item_id] == 1 else f"{item_id}~{seen[item_id]}"
