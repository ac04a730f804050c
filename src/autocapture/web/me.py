"""My account: who I am here, my password, and where I am signed in."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.datastructures import FormData

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.organization import User
from autocapture.web.sign_in import TWO_DIFFER, wait_in_words
from autocapture.web.visit import App, Asked, Fields, NotSignedIn, Visit, text
from autocapture.workflows.passwords import SHORTEST
from autocapture.workflows.people_access import access_of, sign_out_everywhere
from autocapture.workflows.sign_in import Refused, change_password


def add_routes(app: FastAPI) -> None:
    @app.get("/me")
    def me(application: App, visit: Asked, changed: bool = False) -> Response:
        return _page(application, visit, done=changed)

    @app.post("/me/password")
    def change(application: App, visit: Asked, fields: Fields) -> Response:
        return _change(application, visit, fields)

    @app.post("/me/sign-out-everywhere")
    def leave(application: App, visit: Asked, _fields: Fields) -> Response:
        sign_out_everywhere(application, _user(visit).id, actor_id=visit.user_id)
        answer = visit.leads_to("/sign-in")
        visit.forget(answer)
        return answer


def _page(
    application: Application, visit: Visit, why: str = "", done: bool = False, status: int = 200
) -> Response:
    access = access_of(application, _user(visit).id or 0)
    return visit.page(
        "me.html",
        status,
        title="My account",
        access=access,
        shortest=SHORTEST,
        why=why,
        done=done,
        last=visit.reader.moment_full(access.last_sign_in) if access.last_sign_in else None,
    )


def _change(application: Application, visit: Visit, fields: FormData) -> Response:
    password = text(fields, "password")
    if password != text(fields, "again"):
        return _page(application, visit, TWO_DIFFER, status=422)
    try:
        opened = change_password(
            application, _user(visit), text(fields, "current"), password, visit.arrival.source
        )
    except InputError as problem:
        return _page(application, visit, str(problem), status=422)
    if isinstance(opened, Refused):
        why = "The present password is another one." if opened.wait is None else wait_in_words(opened)
        return _page(application, visit, why, status=403 if opened.wait is None else 429)
    answer = visit.leads_to("/me?changed=1")
    visit.keep(answer, opened)
    return answer


def _user(visit: Visit) -> User:
    if visit.user is None:
        raise NotSignedIn("/me")
    return visit.user
