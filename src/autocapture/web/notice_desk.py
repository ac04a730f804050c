"""Behind the addresses for notices: who sent one, and many of them stored as one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from autocapture.application import Application
from autocapture.clock import Clock
from autocapture.errors import TryLater
from autocapture.workflows.notices import Change, Known, changed, known_subscriptions

GATHER = timedelta(milliseconds=50)
"""How long notices are gathered before they are stored together."""

_LOOK_AGAIN = 1.0  # seconds; for one that is not known, or whose secret is another
_KNOWN_FOR = 30.0
_TELL_AGAIN = 60.0
_TRY_AGAIN = 1.0

log = structlog.get_logger("autocapture.web")


class Desk:
    """The subscriptions as they were read last, and the notices that wait to be stored."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._known: dict[tuple[str, str], list[Known]] = {}
        self._read_at: float | None = None
        self._reading = asyncio.Lock()
        self._waiting: set[tuple[int, Change]] = set()
        self._storing: asyncio.Task[None] | None = None

    async def find(self, provider: str, key: str) -> Sequence[Known]:
        """Whose notice it is. An unknown name has the rows read again, at most once a second."""
        found = self._known.get((provider, key), ())
        if self._is_older_than(_KNOWN_FOR if found else _LOOK_AGAIN):
            async with self._reading:
                if self._is_older_than(_LOOK_AGAIN):
                    self._known = await run_in_threadpool(known_subscriptions, self._application)
                    self._read_at = self._application.clock.monotonic()
            found = self._known.get((provider, key), ())
        return found

    def _is_older_than(self, seconds: float) -> bool:
        return self._read_at is None or self._application.clock.monotonic() - self._read_at > seconds

    def put(self, changes: Iterable[tuple[int, Change]]) -> None:
        """Has the changes stored within a moment. They wait in memory, one for each channel at most: were the answer to wait for
        the database, a provider would take us for slow, and send no more. What a crash takes along, polling finds."""
        self._waiting.update(changes)
        if self._waiting and self._storing is None:
            self._storing = asyncio.create_task(self._store())

    async def _store(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHER.total_seconds())
                changes, self._waiting = self._waiting, set()
                try:
                    await run_in_threadpool(changed, self._application, changes)
                except TryLater:
                    self._waiting |= changes
                    await asyncio.sleep(_TRY_AGAIN)
        finally:
            self._storing = None


class Refusals:
    """Tells the log of notices that proved nothing: of each kind at once, and then once a minute how many there were."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at: dict[str, float] = {}
        self._untold: Counter[str] = Counter()

    def tell(self, request: Request, why: str) -> None:
        self._untold[why] += 1
        now = self._clock.monotonic()
        if now - self._told_at.get(why, -_TELL_AGAIN) < _TELL_AGAIN:
            return
        self._told_at[why] = now
        source = request.state.arrival.source
        log.warning("notice_refused", state=why, host=source, count=self._untold.pop(why))
