"""Who asks, and what the fake lends to whoever answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autocapture.testing.fakes.microsoft.changes import Links


@dataclass(frozen=True, slots=True)
class Login:
    """A token's owner. An application has no mailbox of its own; `reaches` names those that it may read."""

    address: str
    scopes: frozenset[str]
    reaches: frozenset[str] = frozenset()

    @property
    def is_application(self) -> bool:
        return not self.address

    def reads(self, what: str) -> bool:
        return any(scope.casefold().startswith(f"{what}.read") for scope in self.scopes)

    def reads_whole(self, what: str) -> bool:
        return any(
            scope.casefold().startswith(f"{what}.read") and "basic" not in scope.casefold()
            for scope in self.scopes
        )


@dataclass(frozen=True, slots=True)
class Session:
    """One request's surroundings. `root` is the address before the path; `step` lets the world change in the middle."""

    login: Login
    links: Links
    root: str
    step: Callable[[], None]
