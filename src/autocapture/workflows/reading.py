"""Reading: items fetched by a connector and judged one by one, as far as that goes without the database."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from autocapture.connector import Broken, Channel, Connection, Gone, Record
from autocapture.workflows.staging import Scope, Staged, stage

Answer = Staged | Gone | Broken


@dataclass(frozen=True, slots=True)
class Wanted:
    """Items of one channel to be read, and the sweep that they will be of. `kept`: those that stay captured though they may lie
    before the bound."""

    channel: Channel
    ids: Sequence[str]
    generation: int
    kept: Set[str] = frozenset()


def read(connection: Connection, wanted: Wanted, scope: Scope, now: datetime) -> list[Answer]:
    """One answer for each id, in any order. Raises what `Connection.get` raises."""
    return [
        judged(item, wanted.kept, scope, generation=wanted.generation, now=now)
        if isinstance(item, Record)
        else item
        for item in connection.get(wanted.channel, wanted.ids)
    ]


def judged(record: Record, kept: Set[str], scope: Scope, *, generation: int, now: datetime) -> Staged:
    """A record staged by the bound that holds for it."""
    return stage(record, scope.of_kept() if record.id in kept else scope, generation=generation, now=now)
