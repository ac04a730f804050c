"""The Teams calls of the organisation's reps: a call log of each, asked for by name, so that nobody else's is ever read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from autocapture.connector import (
    Broken,
    Callback,
    Channel,
    Cursor,
    Gone,
    Item,
    Page,
    Record,
    Ref,
    Subscription,
)
from autocapture.errors import ScopeMissing
from autocapture_microsoft import watching
from autocapture_microsoft.batch import Ask, ask_all, refuse_if_none_succeeded
from autocapture_microsoft.call_records import read_call, version_of
from autocapture_microsoft.cursor import Position, decode
from autocapture_microsoft.faults import Refused, refuse
from autocapture_microsoft.graph import Graph, page_of, segment
from autocapture_microsoft.graph import instant as written
from autocapture_microsoft.rounds import follow
from autocapture_microsoft.scopes import Permissions
from autocapture_microsoft.shape import Item as Json
from autocapture_microsoft.shape import id_of, instant
from autocapture_microsoft.since import start_of

KEPT_FOR = timedelta(days=30)
"""How long Microsoft keeps a call record."""

LATE = timedelta(days=1)
"""How far before the day of the last look calls are listed again: a record comes up to 150 minutes after its call has ended,
and is told by when the call began."""

METHOD = "callrecords.request"
"""Its limit is one of its own: 1,500 requests in 20 seconds for an application and organisation."""

_PAGE = 60

_CHANGES = "updated"
"""Of a subscription: the first version of a record is told as an update too. No record is ever told as deleted."""


class CallsConnection:
    """A closed range is listed again and again: the channel's cursor is the day of the last look. Each `rep` is
    ``OBJECT-ID=ADDRESS``."""

    def __init__(self, graph: Graph, reps: Sequence[str], granted: Permissions) -> None:
        self._graph = graph
        self._reps = {rep.partition("=")[0]: rep.partition("=")[2] for rep in reps}
        self._granted = granted
        self._since = start_of(graph.tools)
        self._scope = "" if graph.tools.since is None else graph.tools.since.isoformat()

    def channels(self) -> Sequence[Channel]:
        if not self._granted.calls:
            raise ScopeMissing("this application lacks the permission CallRecords.Read.All")
        return [
            Channel(object_id, "call", address, whose=address)
            for object_id, address in sorted(self._reps.items())
        ]

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        """One page of references; only calls and versions that are not held yet are read."""
        now = self._graph.tools.clock.now()
        position = None if cursor is None else decode(cursor, scope=self._scope)
        prefer = (page_of(max(1, min(limit, _PAGE))),)
        if position is not None and position.link:
            day, begins = position.day, self._begins(None, now)  # from when on was said with the first page
            body = follow(self._graph, position.link, prefer=prefer, method=METHOD)
        else:
            day, begins = now.date(), self._begins(None if position is None else position.day, now)
            body = self._list(channel, begins, prefer)
        listed = position is not None and position.listed
        link = self._graph.link(body, "nextLink")
        items = [ref for item in self._graph.values(body) if (ref := _ref(item, begins)) is not None]
        encoded = Position(link or "", listed or link is None, self._scope, day).encode()
        return Page(items, encoded, more=link is not None, complete=link is None and not listed)

    def _begins(self, last: date | None, now: datetime) -> datetime:
        earliest = now - KEPT_FOR
        again = earliest if last is None else datetime.combine(last, time(), UTC) - LATE
        return max(earliest, self._since or earliest, again)

    def _list(self, channel: Channel, begins: datetime, prefer: Sequence[str]) -> Json:
        """Where Graph does not take both conditions at once, this person's calls of all the time for which they are kept."""
        person = f"participants_v2/any(p:p/id eq '{channel.id}')"
        path, select = "communications/callRecords", {"$select": "id,version,startDateTime"}
        whole = {"$filter": f"startDateTime ge {written(begins)} and {person}", **select}
        try:
            return self._graph.get(path, whole, prefer=prefer, method=METHOD)
        except Refused as refused:
            if refused.status != 400:
                raise
        return self._graph.get(path, {"$filter": person, **select}, prefer=prefer, method=METHOD)

    def remembers_since(self, channel: Channel) -> datetime:
        """A day less than records are kept: which of that day are still told is a matter of hours."""
        return self._graph.tools.clock.now() - KEPT_FOR + LATE

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        path = "communications/callRecords"
        answers = ask_all(
            self._graph,
            (Ask(id_, f"{path}/{segment(id_)}?$expand=sessions") for id_ in ids),
            method=METHOD,
        )
        refuse_if_none_succeeded(answers)
        found: list[Record | Gone | Broken] = []
        for id_, answer in answers.items():
            if answer.ok:
                found.append(read_call(id_, answer.body, channel.id, channel.name))
            elif answer.status == 404:
                found.append(Gone(id_))
            elif answer.status in (401, 403):
                refuse(answer)
            else:
                found.append(Broken(id_, f"Microsoft does not give it ({answer.status})"))
        return found

    def watch(self, channel: Channel, callback: Callback) -> Subscription | None:
        return watching.subscribe(self._graph, _resource(channel), callback, _CHANGES)

    def renew(self, channel: Channel, subscription: Subscription, callback: Callback) -> Subscription:
        return watching.renew(self._graph, subscription, _resource(channel), callback, _CHANGES)

    def unwatch(self, channel: Channel, subscription: Subscription) -> None:
        watching.end(self._graph, subscription)


def _resource(channel: Channel) -> str:
    """Notices of this person's calls alone. A listing calls the same people participants_v2."""
    return f"communications/callRecords?$filter=participants/any(p:p/id eq '{channel.id}')"


def _ref(item: Json, begins: datetime) -> Item | None:
    id_, began = id_of(item), instant(item, "startDateTime")
    if id_ is None or (began is not None and began < begins):
        return None
    return Ref(id_, version_of(item))
