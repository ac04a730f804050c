"""Google's limits: units a minute for each user and for the project, and calls of one user that are under way at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from autocapture.testing.fakes.google.answers import Refusal

COSTS: Mapping[str, int] = {
    "gmail.getProfile": 1,
    "gmail.history.list": 2,
    "gmail.labels.get": 1,
    "gmail.labels.list": 1,
    "gmail.messages.get": 20,
    "gmail.messages.list": 5,
    "gmail.stop": 50,
    "gmail.watch": 100,
}
"""Units of Gmail as of May 2026; a request to the calendars is one."""

MINUTE = 60.0


class Quota:
    """Enforced within fixed minutes of `monotonic`. 0 stands for no limit."""

    def __init__(self, monotonic: Callable[[], float], *, user: int = 0, project: int = 0) -> None:
        self._monotonic = monotonic
        self.user, self.project = user, project
        self.spent = 0
        self.refused = 0
        self.used: defaultdict[tuple[str, int], int] = defaultdict(int)
        """Units by user ("" for the project) and minute."""

    def take(self, address: str, method: str) -> None:
        """Raises the refusal that Google gives beyond the limit."""
        minute = int(self._monotonic() // MINUTE)
        cost = COSTS.get(method, 1)
        for whose, limit, what in (
            (address, self.user, "Queries per minute per user"),
            ("", self.project, "Queries per minute"),
        ):
            if limit and self.used[whose, minute] + cost > limit:
                self.refused += 1
                raise Refusal(
                    403,
                    "rateLimitExceeded",
                    f"Quota exceeded for quota metric 'Queries' and limit '{what}' of service"
                    " 'gmail.googleapis.com' for consumer 'project_number:1'.",
                    domain="usageLimits",
                )
        self.used[address, minute] += cost
        self.used["", minute] += cost
        self.spent += cost
