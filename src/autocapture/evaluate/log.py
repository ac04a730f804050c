"""`activities.jsonl`: what happened, one record a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

from autocapture.errors import InputError
from autocapture.evaluate.sheets import WrongCell, instant
from autocapture.evaluate.world import KINDS, Activity, Invited
from autocapture.records import Response

FILE = "activities.jsonl"
_NEEDED = ("id", "kind", "at", "mailbox")
_RESPONSES = get_args(Response)


def read_activities(text: str) -> Iterator[tuple[int, Activity]]:
    """Each activity with its line. Raises InputError naming file, line and key."""
    for line, content in enumerate(text.splitlines(), start=1):
        if content.strip():
            yield line, _activity(content, f"{FILE} line {line}")


def write_activity(activity: Activity) -> str:
    """One line of JSON: what is not said of the activity is left out."""
    told: dict[str, Any] = {}
    for each in fields(Activity):
        value = getattr(activity, each.name)
        if value in (None, "", (), {}) and each.name not in _NEEDED:
            continue
        told[each.name.removesuffix("_")] = _plain(value)
    return json.dumps(told, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Invited):
        return {"address": value.address, "response": value.response}
    return dict(value) if isinstance(value, Mapping) else value


def _activity(content: str, place: str) -> Activity:
    try:
        told = json.loads(content)
    except json.JSONDecodeError as problem:
        raise InputError(f"{place}: not JSON: {problem.msg} (column {problem.colno})") from None
    if not isinstance(told, dict):
        raise InputError(f"{place}: a record is a JSON object")
    known = {each.name.removesuffix("_"): each for each in fields(Activity)}
    values: dict[str, Any] = {}
    for key, value in told.items():
        if key not in known:
            raise InputError(f"{place}: unknown key {key!r}; there are: {', '.join(known)}")
        if value is None:
            continue
        try:
            values[known[key].name] = _READ.get(key, _text)(value)
        except WrongCell as wrong:
            raise InputError(f"{place}: {key}: {wrong}") from None
    for name in _NEEDED:
        if not values.get(name):
            raise InputError(f"{place}: {name} is missing")
    return Activity(**values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongCell("must be a text")
    return value.strip()


def _kind(value: object) -> str:
    if value not in KINDS:
        raise WrongCell(f"must be one of {', '.join(KINDS)}")
    return str(value)


def _instant(value: object) -> datetime | None:
    return instant(_text(value))


def _mailbox(value: object) -> str:
    return _text(value).lower()


def _texts(value: object) -> tuple[str, ...]:
    """A list of addresses; one alone may be written as a text."""
    if isinstance(value, str):
        return (value.strip(),) if value.strip() else ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise WrongCell("must be a list of texts")
    return tuple(each.strip() for each in value)


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise WrongCell("must be an object of texts")
    return {name.lower(): text for name, text in value.items()}


def _attendees(value: object) -> tuple[Invited, ...]:
    if not isinstance(value, list):
        raise WrongCell("must be a list")
    found = []
    for each in value:
        if not isinstance(each, dict) or not isinstance(each.get("address"), str):
            raise WrongCell('each must be an object such as {"address": "anna@acme.example"}')
        response = each.get("response") or "needs_action"
        if response not in _RESPONSES:
            raise WrongCell(f"response {response!r} is none of {', '.join(_RESPONSES)}")
        found.append(Invited(each["address"].strip(), response))
    return tuple(found)


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise WrongCell("must be a number of seconds")
    return round(value)


_READ: Mapping[str, Callable[[object], Any]] = {
    "kind": _kind,
    "at": _instant,
    "mailbox": _mailbox,
    "headers": _headers,
    "to": _texts,
    "cc": _texts,
    "bcc": _texts,
    "attendees": _attendees,
    "duration_s": _seconds,
}
