"""The background service of one process in simulated time: its own schedule, queue and tasks, with an agenda in the place of
timers and threads."""

from __future__ import annotations

import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from autocapture.application import Application
from autocapture.jobs.queue import InProcessQueue, Job
from autocapture.jobs.tasks import tasks
from autocapture.service.schedule import schedule
from autocapture.service.ticker import Tick

Act = Callable[[], None]


class SimulatedClock:
    """A clock that is moved: forward by what takes time, and back by whoever looks at another worker."""

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC)
        self._now = self.start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self.start).total_seconds()

    def advance(self, by: timedelta) -> None:
        self._now += by

    def move_to(self, moment: datetime) -> None:
        self._now = moment


class SimulatedService:
    """Looks at what is due when the ticker would, and hands jobs to whichever worker is free.

    A job is done at once, with the clock at the moment at which its worker takes it; the worker is free again when the job's
    requests and its processor time have passed. What several workers do within the same seconds is thus stored a little
    earlier than it would be, and their processor time is not held against one another.
    """

    def __init__(self, app: Application, clock: SimulatedClock, *, workers: int) -> None:
        self._clock = clock
        self._queue = InProcessQueue()
        self._tasks = tasks(app, lambda: False)
        self._free = workers
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._numbers = count()
        self.jobs: Counter[str] = Counter()
        self.cpu: defaultdict[str, float] = defaultdict(float)
        """Seconds of processor time by task, and by tick for what the ticker itself takes."""
        for tick in schedule(app):
            self.plan(clock.now(), partial(self._tick, tick))

    def plan(self, moment: datetime, act: Act) -> None:
        """Has `act` happen at that moment."""
        heapq.heappush(self._agenda, (moment, next(self._numbers), act))

    def run(self, until: datetime) -> None:
        """Everything that happens before that moment."""
        while self._agenda and self._agenda[0][0] < until:
            moment, _, act = heapq.heappop(self._agenda)
            self._clock.move_to(moment)
            act()
            self._hand_out()
        self._clock.move_to(until)

    def _tick(self, tick: Tick) -> None:
        began = time.process_time()
        for job in tick.due():
            self._queue.enqueue(job)
        self.cpu[f"tick: {tick.name}"] += time.process_time() - began
        self.plan(self._clock.now() + tick.every, partial(self._tick, tick))

    def _hand_out(self) -> None:
        while self._free and (job := self._queue.claim(timedelta(0))) is not None:
            self._free -= 1
            self._work(job)

    def _work(self, job: Job) -> None:
        began, cpu = self._clock.now(), time.process_time()
        self._tasks[job.name](job)
        cpu = time.process_time() - cpu
        ends = self._clock.now() + timedelta(seconds=cpu)
        self.jobs[job.name] += 1
        self.cpu[job.name] += cpu
        self._clock.move_to(began)
        self.plan(ends, partial(self._finish, job))

    def _finish(self, job: Job) -> None:
        self._queue.finish(job)
        self._free += 1
