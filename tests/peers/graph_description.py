"""Microsoft's description of Graph, cut to what autocapture speaks to: the whole has 7,419 paths and schemas in circles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.peers.openapi import Json, described

_WHOSE = r"(/me|/users/\{user-id\})"
_MAIL = _WHOSE + r"/mailFolders(/\{mailFolder-id\}(/childFolders|/messages(/microsoft\.graph\.delta\(\))?)?)?"
_PATHS = (
    _MAIL,
    _WHOSE + r"/messages/\{message-id\}",
    _WHOSE + r"/calendars(/\{calendar-id\}(/events|/calendarView/microsoft\.graph\.delta\(\))?)?",
    _WHOSE + r"/calendarView/microsoft\.graph\.delta\(\)",
    _WHOSE + r"/events/\{event-id\}(/instances)?",
    r"/subscriptions(/\{subscription-id\})?",
    r"/communications/callRecords(/\{callRecord-id\})?",
)
_DELTA = "microsoft.graph.delta()"
_NAVIGATED = ("attachments", "organizer", "sessions")
"""Navigation properties that answers hold; all others are only reached by paths of their own."""


def graph_document() -> Json:
    """The paths in use, and the components that they reach; deltas under the short name by which the service knows them."""
    whole = described("graph")
    paths = {
        path.replace(_DELTA, "delta"): item
        for path, item in whole["paths"].items()
        if any(re.fullmatch(pattern, path) for pattern in _PATHS)
    }
    _prune(whole["components"])
    for path, item in paths.items():
        if path.endswith("/calendarView/delta"):
            item["get"]["parameters"] += [_period(name) for name in ("startDateTime", "endDateTime")]
        if path.endswith("/instances"):
            item["get"]["parameters"] += [_period(name) for name in ("startDateTime", "endDateTime")]
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "paths": paths,
        "components": _reached(paths, whole["components"]),
    }


def _period(name: str) -> Json:
    """Left out of this description, but of none that came later."""
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _prune(part: Any) -> None:
    """Takes out what makes schemas circular, and the type name that is marked required and neither sent nor answered."""
    if isinstance(part, dict):
        properties = part.get("properties")
        if isinstance(properties, dict):
            for name in [name for name, value in properties.items() if _is_navigation(name, value)]:
                del properties[name]
        part.pop("discriminator", None)
        required = part.get("required")
        if isinstance(required, list):
            part["required"] = [name for name in required if name != "@odata.type"]
            if not part["required"]:
                del part["required"]
        for value in part.values():
            _prune(value)
    elif isinstance(part, list):
        for value in part:
            _prune(value)


def _is_navigation(name: str, value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("x-ms-navigationProperty")) and name not in _NAVIGATED


def _reached(paths: Json, components: Json) -> Json:
    found: Json = {}
    waiting: list[Any] = [paths]
    while waiting:
        for reference in _references(waiting.pop()):
            _, _, kind, name = reference.split("/", 3)
            if name not in found.setdefault(kind, {}):
                found[kind][name] = components[kind][name]
                waiting.append(components[kind][name])
    found.setdefault("schemas", {})
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref" and isinstance(value, str) and value.startswith("#/components/"):
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
