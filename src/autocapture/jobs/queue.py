"""The queue: what it promises, and the one that lives in the process.

A queue only says what should be looked at; what has been done is in our own rows. A job may therefore be lost, or run twice,
and nothing is: every task decides from the database what is due, under the account's lease or a unique row.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """A task by name with its arguments. Two jobs with the same key are the same work."""

    name: str
    args: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return " ".join([self.name, *(f"{name}={value}" for name, value in sorted(self.args.items()))])


class Queue(Protocol):
    @property
    def closed(self) -> bool:
        """Whether nothing more will ever be handed out."""
        ...

    def enqueue(self, job: Job) -> bool:
        """Queues `job`; False where the same work waits already."""
        ...

    def claim(self, wait: timedelta) -> Job | None:
        """The oldest job whose work nobody is doing; None after `wait`, or at once when the queue is closed."""
        ...

    def finish(self, job: Job) -> None:
        """Says that a claimed job is over, well or badly."""
        ...

    def close(self) -> None:
        """Hands out nothing more and wakes everybody who waits."""
        ...


class InProcessQueue:
    """A queue for the threads of one process. Work that is running is not handed out a second time beside itself."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Job] = OrderedDict()
        self._running: set[str] = set()
        self._closed = False
        self._changed = threading.Condition()

    @property
    def closed(self) -> bool:
        return self._closed

    def enqueue(self, job: Job) -> bool:
        with self._changed:
            if self._closed or job.key in self._waiting:
                return False
            self._waiting[job.key] = job
            self._changed.notify()
            return True

    def claim(self, wait: timedelta) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next() is not None, wait.total_seconds())
            key = None if self._closed else self._next()
            if key is None:
                return None
            self._running.add(key)
            return self._waiting.pop(key)

    def finish(self, job: Job) -> None:
        with self._changed:
            self._running.discard(job.key)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _next(self) -> str | None:
        return next((key for key in self._waiting if key not in self._running), None)
