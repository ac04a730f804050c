"""What changed where, in the order in which it did, and the links that remember how much of it was told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from autocapture.testing.fakes.microsoft.http import Json, Response

EXPIRED: tuple[tuple[int, str], ...] = (
    (410, "syncStateNotFound"),
    (410, "resyncRequired"),
    (400, "ErrorInvalidSyncStateData"),
    (410, "SyncStateInvalid"),
)
"""How Graph says that a link has expired; the fake says it in all these ways in turn."""


@dataclass(frozen=True, slots=True)
class Change:
    """`partial`: only a flag changed, and a delta tells no more than that."""

    number: int
    item: str
    partial: bool = False


@dataclass(slots=True)
class ChangeLog:
    """The changes of each place: a folder, a calendar."""

    number: int = 0
    _of_place: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))

    def note(self, place: str, item: str, *, partial: bool = False) -> None:
        self.number += 1
        self._of_place[place].append(Change(self.number, item, partial))

    def since(self, place: str, mark: int) -> list[Change]:
        return [change for change in self._of_place[place] if change.number > mark]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a link stands for: how far the listing of a place was told, and from which change on the news begins.

    `asked` is what the first request of the round asked for, which Graph keeps in its tokens.
    """

    place: str
    phase: Literal["list", "feed"]
    mark: int
    asked: Mapping[str, Any]
    after: Any = None
    epoch: int = 0
    rested: bool = False


class Links:
    """Tokens, and what they stand for. An expired one is refused, also in the middle of a round."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._epoch = 0
        self._refusals = 0

    def expire(self) -> None:
        self._epoch += 1

    def token(self, mark: Mark) -> str:
        token = f"R0usmc{len(self._marks):06d}"
        self._marks[token] = replace(mark, epoch=self._epoch)
        return token

    def read(self, token: str) -> Mark | Response:
        mark = self._marks.get(token)
        if mark is not None and mark.epoch == self._epoch:
            return mark
        status, code = EXPIRED[self._refusals % len(EXPIRED)]
        self._refusals += 1
        return refusal(status, code, "The sync state generation is not found.")


def refusal(status: int, code: str, message: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body: Json = {
        "error": {"code": code, "message": message or code, "innerError": {"date": "2026-11-16T09:00:00"}}
    }
    return Response(status, body, named)
