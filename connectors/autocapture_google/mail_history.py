"""Gmail's change feed (`users.history.list`) as a set of messages to look at.

Of what happened to a message only the last thing counts, and only whether it left or may have come: it is then read as it is
now. Labels that mean nothing here are passed over, for reading a message costs ten times as much as hearing of it, and every
mail that a rep opens is a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


@dataclass(frozen=True, slots=True)
class Part:
    """The leading changes of a page. `mark` is the id of the last record that was told whole, None where not even the first
    one was; `skip`: how much of the record after it is told."""

    told: list[Change]
    mark: int | None
    skip: int = 0


def changes(answer: Json, skip: int = 0) -> list[Change]:
    """What one page of the feed tells, each message once, in the order in which they first come; of its first record without
    the leading `skip`. Pages without the key `history` are usual, also when more pages follow."""
    return _once(change for _, found in _records(answer, skip) for change in found)


def leading(answer: Json, skip: int, most: int) -> Part:
    """As much of a page as has at most `most` messages to read, but at least one. A part ends with a record: what happens to
    its messages afterwards is told by later ones, whatever was told of them here."""
    records = _records(answer, skip)
    whole: list[Change] = []
    mark = None
    for id_, found in records:
        longer = _once([*whole, *found])
        if _to_read(longer) > most:
            break
        whole, mark = longer, id_
    if mark is not None:
        return Part(whole, mark)
    told: list[Change] = []
    for change in records[0][1]:
        most -= not change.left
        if most < 0:
            break
        told.append(change)
    return Part(told, None, skip + len(told))


def _to_read(told: Iterable[Change]) -> int:
    return sum(not change.left for change in told)


def _once(told: Iterable[Change]) -> list[Change]:
    last = {change.id: change.left for change in told}
    return [Change(id_, left) for id_, left in last.items()]


def _records(answer: Json, skip: int) -> list[tuple[int, list[Change]]]:
    """Each record's id and changes, as they happened."""
    listed = answer.get("history")
    found = [
        (number(record.get("id")), list(_changes(record)))
        for record in (listed if isinstance(listed, list) else ())
        if isinstance(record, dict)
    ]
    return [(id_, told[skip:] if index == 0 else told) for index, (id_, told) in enumerate(found)]


def number(value: Any) -> int:
    """A history id, which comes as text; 0 for what is none."""
    return int(value) if str(value).isascii() and str(value).isdigit() else 0


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
