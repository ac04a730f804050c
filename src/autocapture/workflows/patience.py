"""How long somebody is kept waiting, whatever the servers do that are asked for them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from autocapture.clock import Clock
from autocapture.errors import Unreachable

WHOLE = timedelta(seconds=60)
T = TypeVar("T")


class Patience:
    """One wait, which begins now, over all that is asked meanwhile: each exchange has a limit of its own, and there are many."""

    def __init__(self, clock: Clock, total: timedelta = WHOLE) -> None:
        self._monotonic = clock.monotonic
        self._total = total.total_seconds()
        self._ends = self._monotonic() + self._total

    def wait_for(self, ask: Callable[[], T]) -> T:
        """What `ask` returns or raises. Raises Unreachable once the time is over: `ask` then goes on alone until its own limits
        end it, and nobody hears of it, so it must store nothing."""
        heard: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()

        def listen() -> None:
            try:
                heard.put(ask())
            except BaseException as problem:
                heard.put(problem)

        threading.Thread(target=listen, name="asked for somebody", daemon=True).start()
        try:
            answer = heard.get(timeout=max(self._ends - self._monotonic(), 0))
        except queue.Empty:
            raise Unreachable(
                f"it took longer than {self._total:g} seconds in all, and was given up"
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer
