"""Signing in and out, links that are used once, and forgotten passwords."""

from __future__ import annotations

import math
import re
from typing import Annotated
from urllib.parse import quote

from fastapi import BackgroundTasks, FastAPI, Path
from fastapi.responses import Response
from starlette.datastructures import FormData

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.store.engine import reading
from autocapture.web.visit import App, Asked, Fields, Visit, text
from autocapture.workflows.invitations import ask_for_reset, send_reset
from autocapture.workflows.passwords import SHORTEST
from autocapture.workflows.sign_in import LINK_IS_OVER, Refused, choose_password, sign_in
from autocapture.workflows.sign_in_links import owner_of
from autocapture.workflows.sign_in_providers import choices
from autocapture.workflows.sign_in_sessions import end_session, fingerprint, is_closed

Token = Annotated[str, Path(max_length=100)]
TWO_DIFFER = "The two passwords differ."
_OF_OURS = re.compile(r"/(?![/\\])[A-Za-z0-9/;=,.~_@%?&+-]*")


def add_routes(app: FastAPI) -> None:
    @app.get("/sign-in")
    def ask(application: App, visit: Asked, next: str = "/") -> Response:
        return sign_in_page(application, visit, next)

    @app.post("/sign-in")
    def tried(application: App, visit: Asked, fields: Fields) -> Response:
        return _try(application, visit, fields)

    @app.post("/sign-out")
    def leave(application: App, visit: Asked, _fields: Fields) -> Response:
        end_session(application, visit.browser_id)
        answer = visit.leads_to("/sign-in")
        visit.forget(answer)
        return answer

    @app.get("/link/{token}")
    def follow(application: App, visit: Asked, token: Token) -> Response:
        return _link_page(application, visit, token)

    @app.post("/link/{token}")
    def use(application: App, visit: Asked, token: Token, fields: Fields) -> Response:
        return _use_link(application, visit, token, fields)

    @app.get("/forgotten")
    def forgotten(visit: Asked) -> Response:
        return visit.page("forgotten.html", title="A new password", asked=False)

    @app.post("/forgotten")
    def send(application: App, visit: Asked, fields: Fields, after: BackgroundTasks) -> Response:
        made = ask_for_reset(application, text(fields, "email"), visit.arrival.source)
        if made is not None:  # once the browser has its answer, which must not take longer for whom we know
            after.add_task(send_reset, application, *made)
        return visit.page("forgotten.html", title="A new password", asked=True)


def same_site(path: str) -> str:
    """`path` where it leads to a page of ours, else the front page: nobody is sent elsewhere after signing in."""
    return path if _OF_OURS.fullmatch(path) else "/"


def wait_in_words(refused: Refused) -> str:
    """What somebody is told who was not let in. Address and password are never told apart."""
    if refused.wait is None:
        return "This address and this password do not belong together."
    minutes = math.ceil(refused.wait.total_seconds() / 60)
    return f"Those were too many tries. Wait {minutes} {'minute' if minutes == 1 else 'minutes'}, then try again."


def sign_in_page(
    application: Application, visit: Visit, wanted: str, email: str = "", why: str = "", status: int = 200
) -> Response:
    return visit.page(
        "sign_in.html",
        status,
        title="Sign in",
        wanted=same_site(wanted),
        email=email,
        why=why,
        providers=choices(application),
        is_anybody_known=is_closed(application),
    )


def _try(application: Application, visit: Visit, fields: FormData) -> Response:
    email, wanted = text(fields, "email")[:320], text(fields, "next")
    opened = sign_in(application, email, text(fields, "password"), visit.arrival.source)
    if isinstance(opened, Refused):
        status = 403 if opened.wait is None else 429
        return sign_in_page(application, visit, wanted, email, wait_in_words(opened), status)
    return let_in(application, visit, opened, same_site(wanted))


def let_in(application: Application, visit: Visit, browser_id: str, path: str) -> Response:
    """Whatever the browser was signed in as before ends, and its id is another one from here on."""
    end_session(application, visit.browser_id)
    answer = visit.leads_to(path)
    visit.keep(answer, browser_id)
    return answer


def _link_page(
    application: Application,
    visit: Visit,
    token: str,
    why: str = "",
    status: int = 200,
) -> Response:
    with reading(application.engine) as session:
        found = owner_of(session, fingerprint(token), application.clock.now())
    if found is None:
        return visit.page("said.html", 410, title="This link is over", words=LINK_IS_OVER)
    link, user = found
    return visit.page(
        "link.html",
        status,
        title="Welcome" if link.purpose == "invitation" else "A new password",
        purpose=link.purpose,
        user=user,
        organization=application.settings.organization.name,
        action=f"/link/{quote(token, safe='')}",
        shortest=SHORTEST,
        why=why,
        providers=choices(application) if link.purpose == "invitation" else (),
    )


def _use_link(application: Application, visit: Visit, token: str, fields: FormData) -> Response:
    password = text(fields, "password")
    if password != text(fields, "again"):
        return _link_page(application, visit, token, TWO_DIFFER, 422)
    try:
        opened = choose_password(application, token, password)
    except InputError as problem:
        return _link_page(application, visit, token, str(problem), 422)
    return let_in(application, visit, opened, "/")
