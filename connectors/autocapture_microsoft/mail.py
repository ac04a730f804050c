"""The mail folders of one mailbox: each has a delta of its own, which tells whole messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from autocapture.connector import Broken, Channel, Count, Cursor, Gone, Item, Page, Record, Ref
from autocapture.errors import RecordUnusable
from autocapture.formats.html_text import html_to_text
from autocapture_microsoft import messages
from autocapture_microsoft.batch import Ask, ask_all, refuse_if_none_succeeded
from autocapture_microsoft.counting import by_year
from autocapture_microsoft.cursor import Position, decode
from autocapture_microsoft.faults import Answer, Refused
from autocapture_microsoft.folders import Folders, find_folders
from autocapture_microsoft.graph import AS_TEXT, REQUEST, Graph, page_of, segment
from autocapture_microsoft.rounds import follow, page_after
from autocapture_microsoft.shape import Item as Json
from autocapture_microsoft.shape import id_of, instant, is_removed, member, text
from autocapture_microsoft.since import start_of

PAGE = 500
"""Messages of one answer; Graph may give fewer."""

TEXT_BYTES = 65_536


class Mail:
    """In scope is what was received since `tools.since` began, drafts aside. Every answer is judged by that, not the request:
    a delta with a filter tells of 5,000 messages at most, and a folder may hold more."""

    def __init__(self, graph: Graph, well_known: Callable[[], Mapping[str, str]]) -> None:
        self._graph = graph
        self._well_known = well_known
        self._since = start_of(graph.tools)
        self._scope = "" if graph.tools.since is None else graph.tools.since.isoformat()

    def channels(self) -> list[Channel]:
        return [Channel(folder.id, "email", folder.name) for folder in self._folders().captured]

    def left_out(self) -> dict[str, str]:
        return self._folders().left_out

    def _folders(self) -> Folders:
        return find_folders(self._graph, self._well_known())

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        """One request: one page of the listing, or of the changes since. Raises ChannelGone where there is no such folder."""
        prefer = (page_of(max(1, min(limit, PAGE))),)
        before = None if cursor is None else decode(cursor, scope=self._scope)
        if before is None:
            body = self._first(channel, prefer)
        else:
            body = follow(self._graph, before.link, prefer=prefer)
        items = self._items(self._graph.values(body))
        today = self._graph.tools.clock.now().date()
        return page_after(
            self._graph,
            body,
            items,
            before=before,
            cursor=cursor,
            position=lambda link, listed: Position(link, listed, self._scope, today),
        )

    def _first(self, channel: Channel, prefer: Sequence[str]) -> Json:
        """The newest first. Where Graph does not tell header lines in a delta, the same without them."""
        path = f"{self._graph.mailbox}/mailFolders/{segment(channel.id)}/messages/delta"
        fields = ",".join(messages.FIELDS)
        order = {"$orderby": "receivedDateTime desc"}
        try:
            return self._graph.get(path, {"$select": f"{fields},{messages.HEADERS}", **order}, prefer=prefer)
        except Refused as refused:
            if refused.status != 400:
                raise
        return self._graph.get(path, {"$select": fields, **order}, prefer=prefer)

    def _items(self, values: Sequence[Json]) -> list[Item]:
        """An id that comes twice counts as it came last."""
        by_id = {id_: item for item in values if (id_ := id_of(item)) is not None}
        return [found for id_, item in by_id.items() if (found := self._item(id_, item)) is not None]

    def _item(self, id_: str, item: Json) -> Item | None:
        """None for what is out of scope. A message of which only a flag is told is read only where it is not held yet."""
        if is_removed(item):
            return Gone(id_)
        if not messages.is_whole(item):
            return Ref(id_, messages.VERSION)
        if messages.is_draft(item):
            return None
        found = messages.read_message(id_, item)
        is_old = isinstance(found, Record) and self._is_before(instant(item, "receivedDateTime"))
        return None if is_old else found

    def _is_before(self, received: datetime | None) -> bool:
        return self._since is not None and received is not None and received < self._since

    def get(self, channel: Channel, ids: Sequence[str]) -> list[Record | Gone | Broken]:
        fields = ",".join((*messages.FIELDS, messages.HEADERS))
        answers = ask_all(
            self._graph,
            (Ask(id_, f"{self._graph.mailbox}/messages/{segment(id_)}?$select={fields}") for id_ in ids),
        )
        refuse_if_none_succeeded(answers)
        return [_answered(channel, id_, answer) for id_, answer in answers.items()]

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        answers = ask_all(
            self._graph,
            (
                Ask(id_, f"{self._graph.mailbox}/messages/{segment(id_)}?$select=id,body", (AS_TEXT,))
                for id_ in ids
            ),
        )
        refuse_if_none_succeeded(answers)
        found = {id_: _body_text(answer.body) for id_, answer in answers.items() if answer.ok}
        return {id_: told for id_, told in found.items() if told}

    def count(self, channel: Channel) -> Count:
        path = f"{self._graph.mailbox}/mailFolders/{segment(channel.id)}"
        total = self._graph.get(path, {"$select": "id,totalItemCount"}).get("totalItemCount")
        years = (
            {} if total == 0 else by_year(self._graph, f"{path}/messages", "receivedDateTime", quoted=False)
        )
        return Count(
            channel, total if isinstance(total, int) else None, years, REQUEST, PAGE, text_method=REQUEST
        )

    def newest(self, channel: Channel) -> datetime | None:
        path = f"{self._graph.mailbox}/mailFolders/{segment(channel.id)}/messages"
        params = {"$select": "id,receivedDateTime,isDraft", "$orderby": "receivedDateTime desc", "$top": "10"}
        for item in self._graph.values(self._graph.get(path, params)):
            received = None if messages.is_draft(item) else instant(item, "receivedDateTime")
            if received is not None:
                return None if self._is_before(received) else received
        return None


def _answered(channel: Channel, id_: str, answer: Answer) -> Record | Gone | Broken:
    """A message keeps its id when it is moved, so one that is found may lie in another folder."""
    if answer.status == 404:
        return Gone(id_)
    if not answer.ok:
        return Broken(id_, f"Microsoft does not give it ({answer.status})")
    if not messages.is_whole(answer.body):
        return Broken(id_, "Microsoft's answer does not describe it")
    if answer.body.get("parentFolderId") != channel.id or messages.is_draft(answer.body):
        return Gone(id_)
    return messages.read_message(id_, answer.body)


def _body_text(item: Json) -> str:
    try:
        body = member(item, "body")
        content, is_html = body.get("content"), text(body, "contentType").casefold() == "html"
    except RecordUnusable:
        return ""
    if not isinstance(content, str):
        return ""
    told = html_to_text(content[: 16 * TEXT_BYTES]) if is_html else content
    return told.encode("utf-8", "replace")[:TEXT_BYTES].decode("utf-8", "ignore").strip()
