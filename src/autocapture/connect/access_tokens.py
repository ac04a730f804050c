"""Access tokens, in memory alone, one renewal at a time for each account however many threads want one."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autocapture.clock import Clock
from autocapture.connect.token_endpoint import Tokens

EARLY = timedelta(minutes=5)
"""A token is renewed so long before its end, so that it lives through the request it is taken for."""

ANY = ""
"""Whatever token is held was refused."""


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    good_until: datetime
    granted_at: str


class AccessTokens:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[int, _Held] = {}
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def get(
        self, account_id: int, granted_at: str, renew: Callable[[], Tokens], *, refused: str | None = None
    ) -> str:
        """A token of the grant made at `granted_at`, which is not the one that was `refused`. Renews where none is held,
        and raises what renewing raises; whoever waited for a renewal takes what it brought."""
        with self._guard:
            lock = self._locks[account_id]
        with lock:
            held = self._held.get(account_id)
            if (
                held is not None
                and refused != ANY
                and held.token != refused
                and held.granted_at == granted_at
                and self._clock.now() < held.good_until
            ):
                return held.token
            tokens = renew()
            self.put(account_id, granted_at, tokens)
            return tokens.access_token

    def put(self, account_id: int, granted_at: str, tokens: Tokens) -> None:
        """Keeps a token that came with the grant itself."""
        life = tokens.expires_at - self._clock.now()
        good_until = tokens.expires_at - min(EARLY, life / 4)
        self._held[account_id] = _Held(tokens.access_token, good_until, granted_at)
