"""The truth about every activity as JSON lines, for tests and evaluation; not part of the organisation's own files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

from autocapture.testing.world.model import Truth, World


def write_truth(world: World, path: Path) -> Path:
    """One line for each mail, date of an event and call: its id, when it was, and the fields of `Truth`."""
    with path.open("w", encoding="utf-8") as file:
        for identity, moment, truth in _activities(world):
            row = {"id": identity, "at": moment.isoformat(), **asdict(truth)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def _activities(world: World) -> Iterator[tuple[str, datetime | date, Truth]]:
    """A date of an event is named by its uid and its original start; only one of several has the start."""
    for message in world.messages:
        yield message.message_id, message.sent_at, message.truth
    for event in world.events:
        for occurrence in event.occurrences:
            original = f"/{occurrence.original_start.isoformat()}" if event.rule else ""
            yield f"{event.uid}{original}", occurrence.starts_at, occurrence.truth
    for call in world.calls:
        yield call.call_id, call.started_at, call.truth
