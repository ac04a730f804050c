"""The calendars of one mailbox: each has a view of a period whose delta tells what changed in it.

The view knows series by their instances, which arrive bare. It never tells of an instance that was taken out, only that its
series changed. So a series is one item: whenever anything of it is mentioned, its master and its instances are read anew,
and what is no longer among them is no longer part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from urllib.parse import quote

from autocapture.connector import Broken, Channel, Count, Cursor, Gone, Item, Page, Record, Ref
from autocapture.errors import CursorExpired, Unreachable
from autocapture_microsoft import events
from autocapture_microsoft.batch import Ask, ask_all, refuse_if_none_succeeded
from autocapture_microsoft.calendars import Calendars, Found, find_calendars
from autocapture_microsoft.counting import by_year
from autocapture_microsoft.cursor import Position, decode
from autocapture_microsoft.faults import Answer, refuse
from autocapture_microsoft.graph import IN_UTC, REQUEST, Graph, page_of, segment
from autocapture_microsoft.graph import instant as written
from autocapture_microsoft.rounds import follow, page_after
from autocapture_microsoft.shape import Item as Json
from autocapture_microsoft.shape import id_of, is_removed
from autocapture_microsoft.since import start_of

AHEAD = timedelta(days=365)
RENEWED_BELOW = timedelta(days=180)
"""How much of the view must lie ahead; with less, the calendar is listed anew, in a view that reaches further."""

LONGEST = timedelta(days=1825)
"""The longest period that Graph gives a view of."""

INSTANCES_BACK = timedelta(days=366)
"""How far back instances of a series are read: as far as meetings are derived."""

PAGE = 200
_INSTANCES_AT_ONCE = 500
_MOST_INSTANCES = 2_000


@dataclass(frozen=True, slots=True)
class View:
    """The period of a calendar that is captured. It begins where the account's scope does, so a view that is renewed begins
    where the one before did, and listing it takes nothing for gone that merely lies outside; only where nothing bounds the
    account does its beginning move, some four years back."""

    begins: datetime
    ends: datetime

    @property
    def instances(self) -> tuple[datetime, datetime]:
        return max(self.begins, self.ends - AHEAD - INSTANCES_BACK), self.ends


def view_at(now: datetime, since: datetime | None) -> View:
    ends = datetime.combine((now + AHEAD).date(), time(), UTC)
    earliest = ends - LONGEST
    return View(max(since, earliest) if since is not None else earliest, ends)


class Agenda:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._since = start_of(graph.tools)
        self._scope = "" if graph.tools.since is None else graph.tools.since.isoformat()
        self._calendars: dict[str, Found] = {}

    def channels(self) -> list[Channel]:
        return [Channel(each.id, "event", each.name) for each in self._find().captured]

    def left_out(self) -> dict[str, str]:
        return self._find().left_out

    def is_default(self, channel: Channel) -> bool:
        return self._found(channel).is_default

    def _find(self) -> Calendars:
        found = find_calendars(self._graph)
        self._calendars = {each.id: each for each in found.captured}
        return found

    def _found(self, channel: Channel) -> Found:
        if channel.id not in self._calendars:
            self._find()
        return self._calendars.get(channel.id) or Found(channel.id, channel.name, False, "")

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        """One page of the listing, or of the changes since, and the series that it mentions, read whole."""
        prefer = (IN_UTC, page_of(max(1, min(limit, PAGE))))
        now = self._graph.tools.clock.now()
        before = None if cursor is None else decode(cursor, scope=self._scope)
        if before is None:
            view = view_at(now, self._since)
            body = self._first(channel, view, prefer)
        else:
            if before.to is None or (before.listed and before.to - now < RENEWED_BELOW):
                raise CursorExpired("the calendar's view is renewed")
            view = view_at(before.to - AHEAD, self._since)
            body = follow(self._graph, before.link, prefer=prefer)
        items = self._items(channel, self._graph.values(body), view)
        return page_after(
            self._graph,
            body,
            items,
            before=before,
            cursor=cursor,
            position=lambda link, listed: Position(link, listed, self._scope, now.date(), view.ends),
        )

    def _first(self, channel: Channel, view: View, prefer: Sequence[str]) -> Json:
        """Of the default calendar by the path that is documented for it."""
        place = "" if self._found(channel).is_default else f"calendars/{segment(channel.id)}/"
        path = f"{self._graph.mailbox}/{place}calendarView/delta"
        period = {"startDateTime": written(view.begins), "endDateTime": written(view.ends)}
        return self._graph.get(path, period, prefer=prefer)

    def _items(self, channel: Channel, values: Sequence[Json], view: View) -> list[Item]:
        """An id that comes twice counts as it came last. What is told as removed may merely lie outside of the view, as the
        master of a series does that began before it, or an instance that was moved: a series is gone when it is not there.

        What Graph fails at is only named, so that the engine asks for it alone: it must not keep the whole calendar waiting."""
        by_id = {id_: item for item in values if (id_ := id_of(item)) is not None}
        removed = [id_ for id_, item in by_id.items() if is_removed(item)]
        there, unknown = self._series_among(channel, removed)
        series = dict.fromkeys(there)
        items: dict[str, Item] = {id_: Gone(id_) for id_ in removed}
        bare: list[str] = []
        for id_, item in by_id.items():
            if is_removed(item):
                continue
            if (master := _series_of(id_, item)) is not None:
                series[master] = None
            elif not _is_whole(item):
                bare.append(id_)
            elif item.get("isDraft") is not True:
                items[id_] = events.read_event(id_, item, self._calendar(channel))
        items |= {id_: Ref(id_) for id_ in unknown}
        for id_ in series:
            items.pop(id_, None)
        found: list[Item] = []
        try:
            found += self._read_series(channel, series, view)
            found += self.get(channel, bare) if bare else ()
        except Unreachable:
            found = [Ref(id_) for id_ in (*series, *bare)]
        return [*items.values(), *found]

    def _series_among(self, channel: Channel, ids: Sequence[str]) -> tuple[list[str], list[str]]:
        """The series of those of these events that can be read, where they lie in the calendar, and the ids of which nothing is
        known, since Graph fails at them: a failure is no sign that a series is gone."""
        answers = self._ask_events(ids)
        refuse_if_none_succeeded({id_: answer for id_, answer in answers.items() if answer.status < 500})
        named = (_series_of(id_, answer.body) for id_, answer in answers.items() if answer.ok)
        masters = self._ask_events([master for master in dict.fromkeys(named) if master is not None])
        lying = self._lying_in(channel, {id_: answer.body for id_, answer in masters.items() if answer.ok})
        asked = (*answers.items(), *masters.items(), *lying.items())
        unknown = dict.fromkeys(id_ for id_, answer in asked if answer.status >= 500)
        return [id_ for id_, answer in lying.items() if _is_listed(id_, answer)], list(unknown)

    def _lying_in(self, channel: Channel, bodies: Mapping[str, Json]) -> dict[str, Answer]:
        """What the calendar lists under the UID of each of these single events and series. One that was deleted keeps its id,
        and may be read from the folder of what was deleted, but is not listed."""
        path = f"{self._graph.mailbox}/calendars/{segment(channel.id)}/events"
        asks = []
        for id_, body in bodies.items():
            if isinstance(uid := body.get("iCalUId"), str):
                named_so = quote("iCalUId eq '{}'".format(uid.replace("'", "''")), safe="")
                asks.append(Ask(id_, f"{path}?$filter={named_so}&$select=id"))
        return ask_all(self._graph, asks)

    def get(self, channel: Channel, ids: Sequence[str]) -> list[Record | Gone | Broken]:
        """An instance of a series is no item of its own: its series is answered besides."""
        answers = self._ask_events(ids)
        refuse_if_none_succeeded(answers)
        found: list[Record | Gone | Broken] = []
        own: dict[str, Json] = {}
        series: dict[str, None] = {}
        for id_, answer in answers.items():
            master = _series_of(id_, answer.body)
            if not answer.ok:
                found.append(_not_given(id_, answer))
            elif answer.body.get("isDraft") is True:
                found.append(Gone(id_))
            elif master is not None and master != id_:
                found.append(Gone(id_))
                series[master] = None
            else:
                own[id_] = answer.body
        for id_, answer in self._ask_events([id_ for id_ in series if id_ not in answers]).items():
            if answer.ok:
                own[id_] = answer.body
            elif answer.status >= 500:
                found.append(_not_given(id_, answer))
        return found + self._read_own(channel, own)

    def _read_own(self, channel: Channel, own: Mapping[str, Json]) -> list[Record | Gone | Broken]:
        """Single events and series, where they lie in the calendar."""
        lying = self._lying_in(channel, own)
        refuse_if_none_succeeded(lying)
        found: list[Record | Gone | Broken] = []
        masters: dict[str, Json] = {}
        for id_, body in own.items():
            listed = lying.get(id_)
            if listed is not None and not listed.ok:
                found.append(_not_given(id_, listed))
            elif listed is not None and not _is_listed(id_, listed):
                found.append(Gone(id_))
            elif body.get("type") == "seriesMaster":
                masters[id_] = body
            else:
                found.append(events.read_event(id_, body, self._calendar(channel)))
        view = view_at(self._graph.tools.clock.now(), self._since)
        return [*found, *self._with_instances(channel, masters, view)]

    def _read_series(self, channel: Channel, ids: Iterable[str], view: View) -> list[Record | Gone | Broken]:
        answers = self._ask_events(list(ids))
        refuse_if_none_succeeded(answers)
        masters = {id_: answer.body for id_, answer in answers.items() if answer.ok}
        failed = [_not_given(id_, answer) for id_, answer in answers.items() if not answer.ok]
        return [*failed, *self._with_instances(channel, masters, view)]

    def _ask_events(self, ids: Sequence[str]) -> dict[str, Answer]:
        fields = ",".join(events.FIELDS)
        path = f"{self._graph.mailbox}/events"
        return ask_all(
            self._graph, (Ask(id_, f"{path}/{segment(id_)}?$select={fields}", (IN_UTC,)) for id_ in ids)
        )

    def _with_instances(
        self, channel: Channel, masters: dict[str, Json], view: View
    ) -> list[Record | Gone | Broken]:
        if not masters:
            return []  # nor is the calendar's owner asked for
        begins, ends = (written(moment) for moment in view.instances)
        query = f"startDateTime={begins}&endDateTime={ends}&$select={','.join(events.FIELDS)}&$top={_INSTANCES_AT_ONCE}"
        path = f"{self._graph.mailbox}/events"
        answers = ask_all(
            self._graph, (Ask(id_, f"{path}/{segment(id_)}/instances?{query}", (IN_UTC,)) for id_ in masters)
        )
        refuse_if_none_succeeded(answers)
        calendar = self._calendar(channel)
        return [
            events.read_series(id_, masters[id_], self._all_instances(answer.body), calendar)
            if answer.ok
            else _not_given(id_, answer)
            for id_, answer in answers.items()
        ]

    def _all_instances(self, body: Json) -> list[Json]:
        found = list(self._graph.values(body))
        while (link := self._graph.link(body, "nextLink")) and len(found) < _MOST_INSTANCES:
            body = self._graph.get(link, prefer=(IN_UTC,))
            found += self._graph.values(body)
        return found

    def _calendar(self, channel: Channel) -> events.Calendar:
        return events.Calendar(self._found(channel).owner, self._graph.tools.time_zone)

    def count(self, channel: Channel) -> Count:
        path = f"{self._graph.mailbox}/calendars/{segment(channel.id)}/events"
        body = self._graph.get(path, {"$count": "true", "$top": "1", "$select": "id"})
        total = body.get("@odata.count")
        years = by_year(self._graph, path, "start/dateTime", quoted=True)
        return Count(channel, total if isinstance(total, int) else None, years, REQUEST, PAGE)


def _series_of(id_: str, item: Json) -> str | None:
    """The series that an item is of, if it is of one."""
    if item.get("type") == "seriesMaster":
        return id_
    master = item.get("seriesMasterId")
    return master if isinstance(master, str) and master else None


def _is_listed(id_: str, answer: Answer) -> bool:
    listed = answer.body.get("value") if answer.ok else None
    return isinstance(listed, list) and id_ in {id_of(each) for each in listed if isinstance(each, dict)}


def _is_whole(item: Json) -> bool:
    return "iCalUId" in item and "start" in item and "end" in item


def _not_given(id_: str, answer: Answer) -> Gone | Broken:
    if answer.status == 404:
        return Gone(id_)
    if answer.status in (401, 403):
        refuse(answer)
    return Broken(id_, f"Microsoft does not give it ({answer.status})")
