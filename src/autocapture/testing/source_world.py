"""What the author of a connector writes for the conformance suite: a source under the test's control."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from autocapture.connector import Connector, Credential


class SourceWorld(ABC):
    """A source under the test's control, and how the connector reaches it.

    Items are named by the tests' own numbers. `content` of an item is what must be found in the store: its subject, title, or
    for a call the other party's number and the seconds talked. `can` names what the source is able to do: edit, remove, move
    (to another channel), expire (cursors), poison (make an item unreadable and readable again).
    """

    can: ClassVar[frozenset[str]] = frozenset({"remove"})
    channel_count: ClassVar[int] = 1
    idle_requests: ClassVar[int] = 3
    """The most requests one idle channel may cost."""
    relists: ClassVar[bool] = False
    """Whether the source can only be asked for a closed range, so that its latest items are listed again for ever."""
    of_others: ClassVar[bool] = False
    """Whether its channels belong to people who must have an account of their own besides."""

    connector: Connector[Any]
    options: Mapping[str, Any]
    credential: Credential = None

    @abstractmethod
    def add(self, number: int, channel: int) -> None:
        """A new item appears in the channel."""

    @abstractmethod
    def truth(self) -> list[Counter[str]]:
        """The contents of the readable items of each channel now."""

    def unreadable(self) -> list[int]:
        """How many items of each channel cannot be read now."""
        return [0] * self.channel_count

    def edit(self, number: int) -> None:
        """The item's content becomes another one."""
        raise NotImplementedError

    def remove(self, number: int) -> None:
        """The item is gone from the source."""
        raise NotImplementedError

    def move(self, number: int, channel: int) -> None:
        """The item leaves its channel and appears in another, or anew in the same."""
        raise NotImplementedError

    def expire(self) -> None:
        """Cursors given out so far are refused from now on; what the source holds stays."""
        raise NotImplementedError

    def poison(self, number: int) -> None:
        """The item can no longer be read; it counts as changed, for the connector need not read again what it has read."""
        raise NotImplementedError

    def heal(self, number: int) -> None:
        """A poisoned item can be read again."""
        raise NotImplementedError

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        """Sources that can: call `act` once, in the middle of the nth request from now on; `act` may ask for the next time.
        By default never."""
        return

    def requests(self) -> int | None:
        """Requests the source has answered so far, or None where it cannot count."""
        return None

    def fingerprint(self) -> object:
        """Anything that would change if the connector wrote to the source. Changes made by the test itself may change it."""
        return None

    def close(self) -> None:
        """Stops what was started. By default nothing was."""
        return
