"""Reading: items fetched by a connector and judged one by one, as far as that goes without the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autocapture.connector import Broken, Channel, Connection, Gone, Record
from autocapture.workflows.staging import Scope, Staged, stage

Answer = Staged | Gone | Broken


@dataclass(frozen=True, slots=True)
class Wanted:
    """Items of one channel to be read, and the sweep that they will be of."""

    channel: Channel
    ids: Sequence[str]
    generation: int


def read(connection: Connection, wanted: Wanted, scope: Scope, now: datetime) -> list[Answer]:
    """One answer for each id, in any order. Raises what `Connection.get` raises."""
    return [
        stage(item, scope, generation=wanted.generation, now=now) if isinstance(item, Record) else item
        for item in connection.get(wanted.channel, wanted.ids)
    ]
