"""What Graph's JSON holds, taken out of it strictly: a value of another shape makes one item unusable, never a page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from autocapture.errors import RecordUnusable
from autocapture.formats.charsets import without_unwanted
from autocapture.records import RecordData

Item = Mapping[str, Any]

_TEXT_LIMIT = 4_000


def id_of(item: Item) -> str | None:
    """None for what has no usable id: it can neither be named nor asked for again."""
    found = item.get("id")
    return found if isinstance(found, str) and 0 < len(found) <= 2_000 else None


def is_removed(item: Item) -> bool:
    return "@removed" in item


def text(item: Item, name: str) -> str:
    """One line of text; empty where there is none."""
    found = item.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise RecordUnusable(f"its {name} is no text")
    return " ".join(without_unwanted(found[:_TEXT_LIMIT]).split())


def member(item: Item, name: str) -> Item:
    """An object within the item; empty where there is none."""
    found = item.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise RecordUnusable(f"its {name} has an unknown form")
    return found


def members(item: Item, name: str) -> list[Item]:
    found = item.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise RecordUnusable(f"its {name} has an unknown form")
    return found


def flag(item: Item, name: str) -> bool:
    return item.get(name) is True


def instant(item: Item, name: str) -> datetime | None:
    """A DateTimeOffset. None where there is none, or it lies where no mail was: programs write the years 1 and 9999."""
    found = text(item, name)
    if not found:
        return None
    try:
        moment = datetime.fromisoformat(found)
    except ValueError:
        raise RecordUnusable(f"its {name} is no time") from None
    if not 1970 <= moment.year < 9999:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def version_of(data: RecordData) -> str:
    """Changes whenever the content does, and only then: Graph's own change key moves with every flag."""
    return blake2b(repr(data).encode("utf-8", "backslashreplace"), digest_size=10).hexdigest()
