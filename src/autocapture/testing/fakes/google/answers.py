"""What goes over the wire: requests, answers, and refusals in Google's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query as sent; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(unquote(part) for part in urlsplit(self.target).path.strip("/").split("/"))

    @property
    def query(self) -> Query:
        return Query(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


class Query:
    """The parameters of a request. A malformed one is refused as Google refuses it."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def one(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)

    def has(self, name: str) -> bool:
        return bool(self.all(name))

    def number(self, name: str, default: int, most: int) -> int:
        text = self.one(name, str(default))
        if not text.isascii() or not text.isdigit():
            raise Refusal(400, "invalid", f"Invalid value '{text}' for {name}")
        return min(int(text), most)

    def flag(self, name: str) -> bool:
        return self.one(name) == "true"

    def names(self) -> set[str]:
        return {key for key, _ in self._pairs}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A refusal, as Google's JSON services write it."""

    def __init__(
        self, status: int, reason: str, message: str, *, domain: str = "global", location: str = ""
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.domain, self.location = domain, location

    def answer(self) -> Answer:
        one: Json = {"message": self.message, "domain": self.domain, "reason": self.reason}
        if self.location:
            one |= {"locationType": "parameter", "location": self.location}
        error: Json = {"code": self.status, "message": self.message, "errors": [one]}
        if self.status in _STATUS_NAMES:
            error["status"] = _STATUS_NAMES[self.status]
        return answered({"error": error}, self.status)


def answered(document: Json, status: int = 200) -> Answer:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=UTF-8"})


def masked(document: Any, fields: str) -> Any:
    """The parts of an answer that `fields` names: ``a,b/c,d(e,f)``. What is not named is not sent."""
    return _kept(document, _parsed(fields)) if fields else document


Mask = dict[str, Any]


def _parsed(fields: str) -> Mask:
    mask: Mask = {}
    depth, start = 0, 0
    for index, letter in enumerate(fields + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            _add(mask, fields[start:index].strip())
            start = index + 1
    if depth:
        raise Refusal(400, "invalidParameter", "Invalid field selection", location="fields")
    return mask


def _add(mask: Mask, part: str) -> None:
    name, bracket, inner = part.partition("(")
    steps = name.split("/")
    for step in steps[:-1]:
        mask = mask.setdefault(step, {})
    below = mask.setdefault(steps[-1], {})
    if bracket:
        below.update(_parsed(inner.removesuffix(")")))


def _kept(document: Any, mask: Mask) -> Any:
    if not mask:
        return document
    if isinstance(document, list):
        return [_kept(each, mask) for each in document]
    if not isinstance(document, dict):
        return document
    return {name: _kept(document[name], below) for name, below in mask.items() if name in document}
