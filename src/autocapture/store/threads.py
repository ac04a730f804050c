"""Threads: the connected sets of Message-IDs.

A message ties its own id to those it refers to, seen or not; two sets that share an id are one thread. The thread's id is the
smallest key of its set, so whatever order mail arrives in, the same threads come out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update
from sqlmodel import Session, col

from autocapture.model.activities import Activity, ThreadKey
from autocapture.store.bulk import insert_missing_tuples, table_of
from autocapture.store.lookup import Lookup

_KEY = table_of(ThreadKey).c
_KNOWN = Lookup(lambda among: select(_KEY.key, _KEY.thread_id).where(among(_KEY.key, "keys")))


def assign(session: Session, messages: Sequence[Sequence[int]]) -> list[int]:
    """The thread id of each message, given the keys that tie it (its own first). Joins threads where needed."""
    every = {key for keys in messages for key in keys}
    known = _known(session, every)
    sets = _Sets()
    for own, *others in messages:
        for key in others:
            sets.join(own, key)
    for key, thread_id in known.items():
        sets.join(key, thread_id)
    moved = {old: new for old in set(known.values()) if (new := sets.smallest(old)) != old}
    for old, new in moved.items():
        session.execute(update(ThreadKey).where(col(ThreadKey.thread_id) == old).values(thread_id=new))
        session.execute(update(Activity).where(col(Activity.thread_id) == old).values(thread_id=new))
    unknown = sorted(every - known.keys())
    insert_missing_tuples(
        session, ThreadKey, ("key", "thread_id"), [(key, sets.smallest(key)) for key in unknown]
    )
    return [sets.smallest(keys[0]) for keys in messages]


def _known(session: Session, keys: Collection[int]) -> dict[int, int]:
    return dict(_KNOWN(session, keys=keys))


class _Sets:
    """Disjoint sets of integers, each represented by its smallest member."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def smallest(self, member: int) -> int:
        parent = self._parent
        root = parent.get(member, member)
        if parent.get(root, root) == root:  # nearly always
            return root
        while (above := parent.get(root, root)) != root:
            root = above
        while (above := parent.get(member, member)) != root:
            parent[member], member = root, above
        return root

    def join(self, one: int, other: int) -> None:
        one, other = self.smallest(one), self.smallest(other)
        if one < other:
            self._parent[other] = one
        elif other < one:
            self._parent[one] = other
