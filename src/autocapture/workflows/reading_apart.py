"""Reading over a connection that breaks: part by part over new ones, until the items over which it breaks stand alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from autocapture.connector import Connection
from autocapture.errors import Unreachable

MOST_BREAKS = 40
"""In one page: some three items of a thousand, each found by halves. What was not asked by then is left for another day."""

T = TypeVar("T")


def read_apart(
    ids: Sequence[str],
    ask: Callable[[Connection, Sequence[str]], T],
    reopen: Callable[[], AbstractContextManager[Connection]],
) -> tuple[list[T], list[str]]:
    """What `ask` gives for the parts of `ids`, and those ids that it cannot be asked for: the connection breaks over each even
    where it is asked for alone, or broke too often before. Raises Unreachable where nothing at all could be read though it
    broke often, and what `reopen` raises."""
    answers: list[T] = []
    broken: list[str] = []
    waiting, breaks = [list(ids)], 0
    while waiting and breaks <= MOST_BREAKS:
        with reopen() as connection:
            while waiting:
                part = waiting.pop()
                try:
                    answers.append(ask(connection, part))
                except Unreachable:
                    breaks += 1
                    middle = len(part) // 2
                    waiting += [half for half in (part[middle:], part[:middle]) if half and len(part) > 1]
                    broken += part if len(part) == 1 else []
                    break
    if waiting and not answers:
        raise Unreachable("the connection breaks whatever is read")
    return answers, broken + [each for part in waiting for each in part]
