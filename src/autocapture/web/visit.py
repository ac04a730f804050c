"""One request: how it came, who asks, and how far they reach on this page."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.model.organization import User
from autocapture.report.reader import Reader
from autocapture.web.access import ROUTES, Reach, Row
from autocapture.web.arrival import Arrival
from autocapture.web.reading import reader_of
from autocapture.web.templating import render
from autocapture.workflows.sign_in_sessions import LONGEST, new_id, signed_in

_ID_LENGTH = len(new_id())
_MOST_FIELDS = 500  # an account's folders are chosen one by one


class NotSignedIn(Exception):
    """Somebody must sign in first. `wanted` is where they were going, a path of ours."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Visit:
    """`user` is None where nobody is signed in. `browser_id` is what the browser's cookie holds: the id of its session, or of
    nothing yet; `is_new` where the browser does not have it yet. While the pages are open, everybody reaches all."""

    arrival: Arrival
    user: User | None
    reach: Reach
    reader: Reader
    browser_id: str
    is_new: bool

    @property
    def is_open(self) -> bool:
        """Whether everybody on this machine sees this page, since nobody can sign in yet."""
        return self.user is None and self.reach is Reach.ALL

    @property
    def user_id(self) -> int | None:
        return None if self.user is None else self.user.id

    @property
    def form_token(self) -> str:
        """What a form must bring back: known to who holds the browser's cookie, which does not follow from it."""
        return hmac.digest(self.browser_id.encode(), b"form", "sha256").hex()

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page with forms: the browser is given an id, if it has none, to which their token is bound."""
        answer = HTMLResponse(render(template, visit=self, **values), status)
        if self.is_new:
            self.keep(answer, self.browser_id)
        return answer

    def leads_to(self, path: str) -> RedirectResponse:
        return RedirectResponse(path, 303)

    def keep(self, answer: Response, browser_id: str) -> None:
        """Tells the browser to keep `browser_id`.

        Over https under the prefix `__Host-`, which no other host or plain connection can set (RFC 6265bis section 4.1.3).
        Over plain http on this machine browsers do not agree on whether they take that, so it has another name, by which it is
        never believed over https; the port is in it, since cookies do not tell ports apart.
        """
        answer.set_cookie(
            cookie_name(self.arrival),
            browser_id,
            max_age=int(LONGEST.total_seconds()),
            path="/",
            secure=self.arrival.is_public,
            httponly=True,
            samesite="lax",
        )

    def forget(self, answer: Response) -> None:
        answer.delete_cookie(
            cookie_name(self.arrival), path="/", secure=self.arrival.is_public, httponly=True, samesite="lax"
        )


def cookie_name(came: Arrival) -> str:
    if came.is_public:
        return "__Host-autocapture"
    port = came.origin.rpartition(":")[2]
    return f"autocapture-{port if port.isdigit() else '80'}"


def application_of(request: Request) -> Application:
    found: Application = request.app.state.application
    return found


def visiting(request: Request) -> Visit:
    """The dependency that every route has: finds out who asks, and refuses what they may not ask for."""
    application = application_of(request)
    row = ROUTES[request.method, request.scope["route"].path]
    came: Arrival = request.state.arrival
    held = request.cookies.get(cookie_name(came), "")
    held = held if len(held) == _ID_LENGTH else ""  # one of ours, or none
    user = None if row.anyone or not held else signed_in(application, held)
    zone = application.settings.organization.time_zone if user is None else user.time_zone
    found = Visit(
        arrival=came,
        user=user,
        reach=_reach(row, user, request.app.state.closed),
        reader=reader_of(request.headers.get("accept-language", ""), zone, application.fiscal_calendar),
        browser_id=held or new_id(),
        is_new=not held,
    )
    request.state.visit = found
    if found.reach is Reach.NOTHING and not row.anyone:
        if user is None:
            raise NotSignedIn(_wanted(request))
        raise HTTPException(404)
    return found


def _reach(row: Row, user: User | None, closed: Callable[[], bool]) -> Reach:
    if row.anyone:
        return Reach.NOTHING
    if user is not None:
        return row.reach(user.role)
    return Reach.ALL if row.at_first and not closed() else Reach.NOTHING


def _wanted(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path, safe="/;=,.~-_@") + query


App = Annotated[Application, Depends(application_of)]
Asked = Annotated[Visit, Depends(visiting)]


async def form(request: Request, visit: Asked) -> FormData:
    """The fields of a form that a page of ours sent, from the browser that it was made for. Anything else is refused."""
    if not _is_from_our_page(request, visit.arrival):
        raise HTTPException(403)
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise HTTPException(415)
    fields = await request.form(max_fields=_MOST_FIELDS)
    if any(
        "\0" in value
        for value in (text for pair in fields.multi_items() for text in pair)
        if isinstance(value, str)
    ):
        raise HTTPException(400)  # nobody types that, and no text of PostgreSQL's holds it
    token = str(fields.get("form_token", ""))
    if visit.is_new or not hmac.compare_digest(token.encode(), visit.form_token.encode()):
        raise HTTPException(403)
    return fields


def _is_from_our_page(request: Request, came: Arrival) -> bool:
    """By what the browser says of where the form was: its origin, and the relation of that to us (Fetch Metadata)."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    return (
        (origin is not None or site is not None)
        and origin in (None, came.origin)
        and site in (None, "same-origin")
    )


Fields = Annotated[FormData, Depends(form)]


def signed_in_user(visit: Visit) -> User:
    """Who is signed in. Raises NotSignedIn on a page that is open to everybody."""
    if visit.user is None:
        raise NotSignedIn("/")
    return visit.user


def text(fields: FormData, name: str) -> str:
    """A field as text; empty where the form lacks it."""
    found = fields.get(name, "")
    return found if isinstance(found, str) else ""
