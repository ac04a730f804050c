"""What Graph answers about calendars and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from autocapture.testing.fakes.microsoft.calendar import Event, FakeCalendar, begins
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.delta import Place, answer
from autocapture.testing.fakes.microsoft.http import Json, Request, Response
from autocapture.testing.fakes.microsoft.mail_answers import DENIED, NOT_FOUND, paged
from autocapture.testing.fakes.microsoft.mailbox import FakeMailbox
from autocapture.testing.fakes.microsoft.session import Login, Session

LONGEST = timedelta(days=1825)
_BODIES = ("body", "bodyPreview")


def answer_calendar(
    session: Session, mailbox: FakeMailbox, request: Request, rest: Sequence[str]
) -> Response:
    """`rest` is the path below the mailbox."""
    if not session.login.reads("calendars"):
        return DENIED
    match list(rest):
        case ["calendars"]:
            return paged(request, [_calendar_told(each) for each in mailbox.calendars.values()])
        case ["calendarView", "delta"]:
            return _view(session, mailbox.calendar, request)
        case ["calendars", id_, *more]:
            calendar = mailbox.calendars.get(id_)
            if calendar is None:
                return NOT_FOUND
            if more == ["calendarView", "delta"]:
                return _view(session, calendar, request)
            return (
                _events(calendar, request) if more == ["events"] else Response(200, _calendar_told(calendar))
            )
        case ["events", id_, *more]:
            return _event(session.login, mailbox, request, id_, more)
        case _:
            return refusal(400, "BadRequest", "Resource not found for the segment.")


def _calendar_told(calendar: FakeCalendar) -> Json:
    return {
        "id": calendar.id,
        "name": calendar.name,
        "isDefaultCalendar": calendar.is_default,
        "canEdit": calendar.can_edit,
        "owner": {"name": calendar.owner, "address": calendar.owner},
    }


def _view(session: Session, calendar: FakeCalendar, request: Request) -> Response:
    """The period is asked for at the first request and stays in the links. Nothing can be selected."""
    asked: Mapping[str, Any] = {}
    if "$skiptoken" not in request.query and "$deltatoken" not in request.query:
        if set(request.query) & {"$select", "$filter", "$orderby", "$search", "$expand"}:
            return refusal(
                400, "ErrorInvalidUrlQuery", "The query parameter is not supported on this request."
            )
        try:
            first, last = (
                datetime.fromisoformat(request.query[name]) for name in ("startDateTime", "endDateTime")
            )
        except (KeyError, ValueError):
            return refusal(400, "ErrorInvalidParameter", "This request requires a time window.")
        if last - first > LONGEST:
            return refusal(400, "ErrorInvalidRequest", "Maximum number of days: 1825")
        asked = {"first": first.astimezone(UTC), "last": last.astimezone(UTC)}

    def listing(period: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        return sorted(
            (id_,) for id_ in calendar.events if calendar.seen(id_, period["first"], period["last"])
        )

    def told(id_: str, partial: bool, period: Mapping[str, Any]) -> Iterable[Json]:
        for each in calendar.seen(id_, period["first"], period["last"]):
            yield _told(each, session.login)

    place = Place(calendar.id, calendar.log, listing, told)
    return answer(place, request, session.links, session.root, asked, session.step)


def _events(calendar: FakeCalendar, request: Request) -> Response:
    """Single events and masters; by their start, which can only be counted with, or by their UID."""
    found = list(calendar.events.values())
    wanted = request.query.get("$filter", "")
    words = wanted.replace("'", "").split()
    if wanted.startswith("iCalUId eq '"):
        uid = wanted.removeprefix("iCalUId eq '").removesuffix("'").replace("''", "'")
        found = [each for each in found if each.told.get("iCalUId") == uid]
    elif words:
        first, last = (datetime.fromisoformat(words[at]).replace(tzinfo=UTC) for at in (2, 6))
        found = [each for each in found if first <= each.begins < last]
    return paged(request, [{"id": each.id} for each in found])


def _event(login: Login, mailbox: FakeMailbox, request: Request, id_: str, more: Sequence[str]) -> Response:
    held = (found for each in mailbox.calendars.values() for found in (each.events, each.deleted))
    event = next((found[id_] for found in held if id_ in found), None)
    if event is None:
        return NOT_FOUND
    if more == ["instances"]:
        return _instances(event, request, login)
    return Response(
        200, _told({**event.told, "id": event.id, "changeKey": f"key{event.changes}"}, login, request)
    )


def _instances(event: Event, request: Request, login: Login) -> Response:
    try:
        first, last = (
            datetime.fromisoformat(request.query[name]).astimezone(UTC)
            for name in ("startDateTime", "endDateTime")
        )
    except (KeyError, ValueError):
        return refusal(400, "ErrorInvalidParameter", "This request requires a time window.")
    found = [each for each in event.instances() if first <= begins(each) < last]
    return paged(request, [_told(each, login, request) for each in found])


def _told(told: Json, login: Login, request: Request | None = None) -> Json:
    names = [name for name in (request.query.get("$select", "") if request else "").split(",") if name]
    chosen = {name: value for name, value in told.items() if name in names} if names else told
    whole = login.reads_whole("calendars")
    return {
        "@odata.etag": 'W/"key"',
        **{n: v for n, v in chosen.items() if whole or n not in _BODIES},
        "id": told["id"],
    }
