"""Rounds of delta requests, as mail folders and calendars have them alike: a listing page by page, then rounds of changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autocapture.connector import Cursor, Item, Page
from autocapture.errors import CursorExpired, Unreachable
from autocapture_microsoft.cursor import Position
from autocapture_microsoft.faults import Refused
from autocapture_microsoft.graph import REQUEST, Graph
from autocapture_microsoft.shape import Item as Json


def follow(graph: Graph, link: str, *, prefer: Sequence[str], method: str = REQUEST) -> Json:
    """The answer to a link that Graph gave. A link that it refuses as malformed is of no more use than an expired one."""
    try:
        return graph.get(graph.require_own(link), prefer=prefer, method=method)
    except Refused as refused:
        if refused.told and refused.status == 400:
            raise CursorExpired(f"Microsoft refuses its own link ({refused})") from None
        raise


def page_after(
    graph: Graph,
    body: Json,
    items: Sequence[Item],
    *,
    before: Position | None,
    cursor: Cursor | None,
    position: Callable[[str, bool], Position],
) -> Page:
    """The page that an answer makes; `before` is where it was asked from, `cursor` that as it was stored. `position` makes
    the next one of a link and of whether the listing is done.

    Graph gives another link with every answer. Where nothing changed, the stored one is kept, so that a quiet channel is not
    written; but not for longer than a day, since nobody says how old a link may become.
    """
    listed = before is not None and before.listed
    following = graph.link(body, "nextLink")
    link = following or graph.link(body, "deltaLink")
    if link is None:
        raise Unreachable("Microsoft's answer has no link to go on from")
    done = following is None
    after = position(link, listed or done)
    if (
        cursor is not None
        and before is not None
        and listed
        and done
        and not items
        and after.day == before.day
    ):
        return Page((), cursor)
    return Page(items, after.encode(), more=not done, complete=done and not listed)
