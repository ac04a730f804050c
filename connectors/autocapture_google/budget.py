"""An account's share of Google's quota: what was taken for a page is kept until the page is read."""

from __future__ import annotations

from collections import Counter

from autocapture.connector import Meter

GET_LABEL = "gmail.labels.get"
GET_PROFILE = "gmail.getProfile"
LIST_HISTORY = "gmail.history.list"
LIST_MESSAGES = "gmail.messages.list"
GET_MESSAGE = "gmail.messages.get"
WATCH_MAILBOX = "gmail.watch"
STOP_MAILBOX = "gmail.stop"
LIST_CALENDARS = "calendar.calendarList.list"
LIST_EVENTS = "calendar.events.list"
GET_EVENT = "calendar.events.get"
WATCH_EVENTS = "calendar.events.watch"
STOP_CHANNEL = "calendar.channels.stop"


class Budget:
    """Takes before it asks; holds what a page will need, so that no page is begun that cannot be finished."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._held: Counter[str] = Counter()

    def take(self, method: str) -> None:
        """One call of `method`. Raises RateLimited."""
        self._meter.take(method)

    def hold(self, method: str, want: int, least: int) -> int:
        """Calls of `method` for later: between `least` and `want`. Raises RateLimited."""
        taken = self._meter.take(method, want, min(least, want))
        self._held[method] += taken
        return taken

    def spend(self, method: str, calls: int) -> None:
        """Calls of `method` now: those held, and of the rest as many as it takes. Raises RateLimited."""
        held = min(self._held[method], calls)
        if calls > held:
            self._meter.take(method, calls - held, calls - held)
        self._held[method] -= held

    def held(self, method: str) -> int:
        return self._held[method]

    def give_back(self) -> None:
        """Returns everything that is held."""
        for method, calls in self._held.items():
            if calls:
                self._meter.give_back(method, calls)
        self._held.clear()
