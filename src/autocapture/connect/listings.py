"""When the channels of each account were last listed, in memory alone: whoever starts anew lists anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from autocapture.clock import Clock


class Listings:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listed_at: dict[int, datetime] = {}

    def note(self, account_id: int, at: datetime) -> None:
        """The channels of this account were listed then."""
        self._listed_at[account_id] = at

    def forget(self, account_id: int) -> None:
        """There may be other channels by now."""
        self._listed_at.pop(account_id, None)

    def stands(self, account_id: int, within: timedelta) -> bool:
        """Whether they were listed so lately. A listing of the future is one of a clock that was set back."""
        listed_at = self._listed_at.get(account_id)
        return listed_at is not None and timedelta(0) <= self._clock.now() - listed_at < within
