"""The running service: ticker and workers, started together and stopped in time."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from autocapture.application import Application
from autocapture.jobs.queue import InProcessQueue, Job
from autocapture.jobs.tasks import tasks
from autocapture.service.puller import Puller
from autocapture.service.schedule import schedule
from autocapture.service.ticker import Tick, Ticker
from autocapture.service.watchers import Watchers
from autocapture.service.worker import Workers
from autocapture.workflows.capture import release_leases
from autocapture.workflows.nightly_census import Censuses

STOP_WITHIN = timedelta(seconds=8)
"""Of the ten seconds that a supervisor waits before it kills; the rest is for the web and the leases."""

WATCH_EVERY = timedelta(seconds=15)
COUNT_EVERY = timedelta(seconds=30)
COUNT = "count"

log = structlog.get_logger()


class Service:
    """The background work of one process. `start` returns at once; `stop` returns within about ten seconds.

    The queue lives in this process, so workers bring a ticker of their own.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._stopping = threading.Event()
        queue = InProcessQueue()
        self._watchers = Watchers(app)
        self._censuses = Censuses(app)
        self._puller = Puller(app)
        ticks = (*schedule(app), self._watch_tick(), self._census_tick())
        self._ticker = Ticker(ticks, queue, app.clock)
        work = {**tasks(app, self._stopping.is_set), COUNT: self._count}
        self._workers = Workers(queue, work, app.settings.worker.threads)

    def start(self) -> None:
        self._workers.start()
        self._ticker.start()
        self._puller.start()
        log.info("service started")

    def stop(self) -> None:
        """Finishes the pages that are under way, takes no more, and hands back this process's leases."""
        self._stopping.set()
        self._watchers.stop()
        self._puller.stop()
        self._ticker.stop()
        finished = self._workers.stop(STOP_WITHIN)
        release_leases(self._app)
        log.info("service stopped", state="finished" if finished else "left running")

    def _watch_tick(self) -> Tick:
        def keep() -> list[Job]:
            self._watchers.keep()
            return []

        return Tick("watchers", WATCH_EVERY, keep)

    def _census_tick(self) -> Tick:
        def due() -> list[Job]:
            return [Job(COUNT, {"account_id": account_id}) for account_id in self._censuses.due()]

        return Tick("census", COUNT_EVERY, due)

    def _count(self, job: Job) -> None:
        self._censuses.go_on(int(job.args["account_id"]))
