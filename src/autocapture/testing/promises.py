"""What a connector and the engine promise, checked when an account has come to rest: the store and the source compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Items:
    """The items that a source ever had, by the tests' own numbers: all their contents so far, and how they are now."""

    content: dict[int, str] = field(default_factory=dict)
    """The present content, or the last one, of every item that ever was."""
    owner: dict[str, int] = field(default_factory=dict)
    """Whose content it is, or once was."""
    alive: set[int] = field(default_factory=set)
    poisoned: set[int] = field(default_factory=set)

    def learn(self, number: int, content: str) -> None:
        self.content[number] = content
        self.owner[content] = number
        self.alive.add(number)

    def is_replaced(self, content: str) -> bool:
        """Whether its item is readable and says something else now."""
        number = self.owner.get(content, -1)
        return number in self.alive - self.poisoned and self.content[number] != content


@dataclass(frozen=True, slots=True)
class AtRest:
    """Both sides of an account at rest, by channel in the source's order of channels."""

    items: Items
    truth: Sequence[Counter[str]]
    held: Sequence[Counter[str]]
    unreadable: Sequence[int]
    quarantined: Sequence[Sequence[str]]
    activities: Mapping[str, Sequence[int]]
    """The ids of all activities by their contents."""

    def broken(self) -> list[str]:
        """The promises that are broken, as sentences."""
        return [*self._of_channels(), *self._of_activities()]

    def _of_channels(self) -> Iterator[str]:
        if len(self.held) != len(self.truth):
            yield f"{len(self.held)} channels are held of {len(self.truth)}"
        for index, (truth, held) in enumerate(zip(self.truth, self.held, strict=False)):
            ids, unreadable = self.quarantined[index], self.unreadable[index]
            for content in sorted(held - truth):
                yield f"channel {index}: {self._held_wrongly(content, truth)}"
            for content in sorted(truth - held):
                yield f"channel {index}: lost: {content!r} is at the source and not held"
            if len(ids) < unreadable:
                yield f"channel {index}: lost: of {unreadable} unreadable items only {ids} are in quarantine"
            if len(ids) > unreadable:
                yield f"channel {index}: ghosts: {ids} are in quarantine for {unreadable} unreadable items"

    def _held_wrongly(self, content: str, truth: Counter[str]) -> str:
        if content in truth:
            return f"doubled: {content!r} is held more often than it is at the source"
        if self.items.is_replaced(content):
            return f"outdated: {content!r} is held, and its item was changed"
        if self.items.owner.get(content) in self.items.poisoned:
            return f"ghost: {content!r} is held, and its item cannot be read any more"
        return f"ghost: {content!r} is held, and is not there any more"

    def _of_activities(self) -> Iterator[str]:
        told = Counter[int]()
        for content, ids in self.activities.items():
            told[self.items.owner.get(content, -1)] += len(ids)
            if self.items.is_replaced(content):
                yield f"outdated: {content!r} is an activity, and its item was changed"
        for number, times in sorted(told.items()):
            if times > 1:
                yield f"doubled: item {number} is {times} activities"
        for content in sorted(sum(self.truth, Counter[str]())):
            if not self.activities.get(content):
                yield f"lost: {content!r} is at the source and no activity"
