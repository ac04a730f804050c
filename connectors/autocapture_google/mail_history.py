"""Gmail's change feed (`users.history.list`) as a set of messages to look at.

Of what happened to a message only the last thing counts, and only whether it left or may have come: it is then read as it is
now. Labels that mean nothing here are passed over, for reading a message costs ten times as much as hearing of it, and every
mail that a rep opens is a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autocapture_google.api import Json
from autocapture_google.messages import LEFT_OUT, is_left_out

KINDS = ("messageAdded", "messageDeleted", "labelAdded", "labelRemoved")
MOST_RECORDS = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A message that left what is captured, or (not `left`) that may be in it now."""

    id: str
    left: bool


def changes(answer: Json) -> list[Change]:
    """What one page of the feed tells, each message once, in the order in which they first come. Pages without the key
    `history` are usual, also when more pages follow."""
    last: dict[str, bool] = {}
    records = answer.get("history")
    for record in records if isinstance(records, list) else ():
        for change in _changes(record):
            last[change.id] = change.left
    return [Change(id_, left) for id_, left in last.items()]


def _changes(record: Any) -> Iterator[Change]:
    """Within one record, which tells of one moment: first what came, then what its labels say, then what was deleted."""
    for entry in _entries(record, "messagesAdded"):
        yield Change(entry["message"]["id"], is_left_out(entry["message"]))
    for entry in _entries(record, "labelsRemoved"):
        if _tells(entry):
            yield Change(entry["message"]["id"], False)  # what else it is labelled with is read
    for entry in _entries(record, "labelsAdded"):
        if _tells(entry):
            yield Change(entry["message"]["id"], True)
    for entry in _entries(record, "messagesDeleted"):
        yield Change(entry["message"]["id"], True)


def _entries(record: Any, key: str) -> Iterator[Json]:
    entries = record.get(key) if isinstance(record, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        message = entry.get("message") if isinstance(entry, dict) else None
        if isinstance(message, dict) and isinstance(message.get("id"), str) and message["id"]:
            yield entry


def _tells(entry: Json) -> bool:
    """Whether the labels that came or went decide if the message is captured."""
    labels = entry.get("labelIds")
    return isinstance(labels, list) and any(label in LEFT_OUT for label in labels if isinstance(label, str))
