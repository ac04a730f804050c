"""A round of delta requests: first everything of a place, page by page, then what changed since the round began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autocapture.testing.fakes.microsoft.changes import ChangeLog, Links, Mark
from autocapture.testing.fakes.microsoft.http import Json, Request, Response


@dataclass(frozen=True, slots=True)
class Place:
    """What a delta is about. `listing` gives, for what was asked, a sorted key for each item, its id last; `told` what is told
    of an item now, nothing being that it was removed."""

    name: str
    log: ChangeLog
    listing: Callable[[Mapping[str, Any]], Sequence[tuple[Any, ...]]]
    told: Callable[[str, bool, Mapping[str, Any]], Iterable[Json]]


def answer(
    place: Place,
    request: Request,
    links: Links,
    root: str,
    asked: Mapping[str, Any],
    step: Callable[[], None],
) -> Response:
    """The next page. `asked` counts at a round's first request alone; a link remembers it. `step` is called where the mailbox
    may change in the middle of the request."""
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken")
    if token is None:
        mark: Mark | Response = Mark(place.name, "list", place.log.number, asked)
    else:
        mark = links.read(token)
    if isinstance(mark, Response):
        return mark
    step()
    size = request.page_size(10)
    page, following, more = (_listed if mark.phase == "list" else _changed)(place, mark, size)
    step()
    value = [each for item, partial in page for each in _told(place, item, partial, mark.asked)]
    kind, parameter = ("nextLink", "skiptoken") if more else ("deltaLink", "deltatoken")
    path = request.target.partition("?")[0]
    link = f"{root}{path}?${parameter}={links.token(following)}"
    return Response(200, {f"@odata.{kind}": link, "value": value})


Page = tuple[list[tuple[str, bool]], Mark, bool]


def _listed(place: Place, mark: Mark, size: int) -> Page:
    """Keys beyond the last one told: what comes in before it meanwhile is told as a change, after the listing."""
    keys = [key for key in place.listing(mark.asked) if mark.after is None or key > mark.after]
    if not mark.rested and len(keys) % 3 == 2:  # now and then a page has nothing and more follows
        return [], replace(mark, rested=True), True
    page = keys[:size]
    items = [(str(key[-1]), False) for key in page]
    if len(keys) > size:
        return items, replace(mark, after=page[-1], rested=False), True
    return items, Mark(place.name, "feed", mark.mark, mark.asked), False


def _changed(place: Place, mark: Mark, size: int) -> Page:
    """Changes as they happened, so that an item may come several times in one round; each time as it is now."""
    changes = place.log.since(place.name, mark.mark)
    if changes and not mark.rested and len(changes) % 3 == 2:
        return [], replace(mark, rested=True), True
    page = changes[:size]
    items = [(change.item, change.partial) for change in page]
    reached = page[-1].number if page else mark.mark
    return items, replace(mark, mark=reached, rested=False), len(changes) > size


def _told(place: Place, item: str, partial: bool, asked: Mapping[str, Any]) -> Iterable[Json]:
    told = list(place.told(item, partial, asked))
    return told or [{"id": item, "@removed": {"reason": "deleted"}}]
