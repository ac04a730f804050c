"""The ticker: at fixed intervals it asks what is due and enqueues it.

APScheduler keeps the intervals, in UTC, in memory, and nothing else: what is due, and whether it was done, is in our rows. So
a tick that is missed, or comes twice, is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from autocapture.clock import Clock
from autocapture.errors import AutocaptureError
from autocapture.jobs.queue import Job, Queue

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of the schedule: every so often, these jobs."""

    name: str
    every: timedelta
    due: Callable[[], Iterable[Job]]


def every(interval: timedelta) -> IntervalTrigger:
    """An interval that no change of a place's clocks stretches or doubles."""
    return IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC)


class Ticker:
    """Runs a schedule; the first tick of each line comes at once."""

    def __init__(self, schedule: Sequence[Tick], queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._scheduler = BackgroundScheduler(timezone=UTC)
        for tick in schedule:
            self._scheduler.add_job(
                self._enqueue_due,
                every(tick.every),
                args=[tick],
                id=tick.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                next_run_time=clock.now(),
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=True)

    def _enqueue_due(self, tick: Tick) -> None:
        try:
            for job in tick.due():
                self._queue.enqueue(job)
        except AutocaptureError as problem:
            log.warning("tick failed", tick=tick.name, error=type(problem).__name__)
