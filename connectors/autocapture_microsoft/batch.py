"""Several GETs in one request (JSON batching). Each is answered by itself: one that fails leaves the others be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autocapture.connect.retry_after import retry_after
from autocapture.errors import Unreachable
from autocapture_microsoft.faults import Answer, fault, refuse
from autocapture_microsoft.graph import REQUEST, Graph, preferring

MOST = 20
"""As many requests as a batch may hold."""

AT_ONCE = 4
"""As many as Outlook works on at once for one application and mailbox."""

_UNANSWERED = Answer(504)


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET of a path below the address of Graph; `key` names its answer."""

    key: str
    path: str
    prefer: tuple[str, ...] = ()


def ask_all(graph: Graph, asks: Iterable[Ask], *, method: str = REQUEST) -> dict[str, Answer]:
    """The answers by key; an answer that never came is a 504.

    Graph hands Outlook four requests of a batch at a time, but what else reads the mailbox counts too, so some may be turned
    away while others succeed. Those are asked once more, by fours; when they are turned away again, or all were, RateLimited
    is raised.
    """
    waiting = list({ask.key: ask for ask in asks}.values())
    answers: dict[str, Answer] = {}
    turned_away: list[Ask] = []
    for chunk in _chunks(waiting, MOST):
        found = _post(graph, chunk, method)
        turned_away += _turned_away(chunk, found)
        answers.update(found)
    for chunk in _chunks(turned_away, AT_ONCE):
        found = _post(graph, chunk, method)
        for answer in found.values():
            if answer.is_throttled:
                raise fault(answer)
        answers.update(found)
    return answers


def refuse_if_none_succeeded(answers: Mapping[str, Answer]) -> None:
    """Raises what the first answer means where not one item was read and none is merely gone: then it is no item's fault."""
    if answers and not any(answer.ok or answer.status == 404 for answer in answers.values()):
        refuse(next(iter(answers.values())))


def _turned_away(chunk: Sequence[Ask], found: Mapping[str, Answer]) -> list[Ask]:
    throttled = [ask for ask in chunk if found[ask.key].is_throttled]
    if throttled and len(throttled) == len(chunk):
        raise fault(max((found[ask.key] for ask in chunk), key=lambda answer: answer.wait is not None))
    return throttled


def _post(graph: Graph, chunk: Sequence[Ask], method: str) -> dict[str, Answer]:
    graph.tools.meter.take(method, want=len(chunk), least=len(chunk))
    body = {
        "requests": [
            {
                "id": str(number),
                "method": "GET",
                "url": f"/{ask.path}",
                "headers": {"Prefer": preferring(ask.prefer)},
            }
            for number, ask in enumerate(chunk)
        ]
    }
    whole = graph.ask("POST", f"{graph.url}/$batch", body=body, taken=True)
    refuse(whole)
    responses = whole.body.get("responses")
    if not isinstance(responses, list):
        raise Unreachable("Microsoft's answer to a batch has no list of answers")
    by_id = {str(each.get("id")): each for each in responses if isinstance(each, dict)}
    return {ask.key: _one(graph, by_id.get(str(number))) for number, ask in enumerate(chunk)}


def _one(graph: Graph, response: Mapping[str, Any] | None) -> Answer:
    if response is None or not isinstance(response.get("status"), int):
        return _UNANSWERED
    headers, body = response.get("headers"), response.get("body")
    named = (
        {str(name).lower(): str(value) for name, value in headers.items()}
        if isinstance(headers, dict)
        else {}
    )
    wait = retry_after(named.get("retry-after"), graph.tools.clock.now())
    return Answer(response["status"], body if isinstance(body, dict) else {}, wait)


def _chunks(asks: Sequence[Ask], size: int) -> Iterable[Sequence[Ask]]:
    return (asks[at : at + size] for at in range(0, len(asks), size))
