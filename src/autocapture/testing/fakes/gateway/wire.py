"""Which call sites were met, and which of them break in what way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from autocapture.testing.fakes.gateway.kinds import Kind

Place = Literal["first", "later"]


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """Where a provider is asked: by which service and route (method and the path's form), at which moment of an account's
    life, and whether as the first request of that route in one try or as one that follows: a further page, another item."""

    service: str
    moment: str
    route: str
    place: Place

    def __str__(self) -> str:
        return f"{self.moment}: {self.service} {self.route} ({self.place})"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire:
    """What the gateways of one account's providers share. `moment` names what is going on now."""

    def __init__(self) -> None:
        self.moment = ""
        self.met: Counter[Site] = Counter()
        self.struck: Counter[tuple[Site, Kind]] = Counter()
        self.released = threading.Event()
        """Set while nobody is kept waiting."""
        self._planned: dict[Site, list[Kind]] = {}
        self._again: tuple[Site, Kind] | None = None
        """What is about to be asked once more, as soon as there is a fresh token."""
        self._asked: Counter[tuple[str, str]] = Counter()
        self._down = 0
        self._lock = threading.RLock()

    def break_at(self, planned: Mapping[Site, Sequence[Kind]]) -> None:
        """Each site meets its kinds one after the other, whenever it is asked next."""
        self._planned = {site: list(kinds) for site, kinds in planned.items()}

    def arrive(self, service: str, route: str) -> Kind | None:
        """One request: what it meets, None where it is handed on."""
        with self._lock:
            self._asked[service, route] += 1
            place: Place = "first" if self._asked[service, route] == 1 else "later"
            site = Site(service, self.moment, route, place)
            self.met[site] += 1
            again = self._again
            if again is not None and (again[0].service, again[0].route) == (service, route):
                self._again = None
                return self._strikes(*again) if again[1].twice else None
            if not self._planned.get(site):
                return None
            kind = self._planned[site].pop(0)
            self._again = (site, kind) if kind.asked_again else None
            return self._strikes(site, kind)

    def _strikes(self, site: Site, kind: Kind) -> Kind:
        self.struck[site, kind] += 1
        self.released.clear()
        return kind

    @property
    def is_down(self) -> bool:
        """Whether nobody is let in."""
        return self._down > 0

    def take_down(self) -> None:
        """Nobody is let in, in the next try neither."""
        with self._lock:
            self._down = 2

    def heal(self) -> None:
        """Another try begins: whoever waits is let go, and what is down comes back soon."""
        with self._lock:
            self._asked.clear()
            self._again = None
            self._down = max(0, self._down - 1)
        self.released.set()

    def forget(self) -> None:
        """As if nobody had asked anything, and nothing were planned."""
        with self._lock:
            self.met, self.struck, self._planned = Counter(), Counter(), {}
            self._down = 0
        self.heal()
