"""The consent of an organisation at Microsoft, for admins: people there can seldom consent for themselves."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response

from autocapture.application import Application
from autocapture.errors import AutocaptureError
from autocapture.web.visit import App, Asked, Fields, Visit
from autocapture.workflows.organization_consent import Tried, answered, ask, last_answer, try_token

_LONGEST_ANSWER = 8_000
_CALLBACK = "/admin/microsoft/callback"


def add_routes(app: FastAPI) -> None:
    @app.get("/admin/microsoft")
    def status(application: App, visit: Asked) -> Response:
        return _page(application, visit)

    @app.post("/admin/microsoft/consent")
    def consent(application: App, visit: Asked, _fields: Fields) -> Response:
        redirect_uri = f"{visit.arrival.origin}{_CALLBACK}"
        try:
            url = ask(application, visit.user_id, redirect_uri, browser_id=visit.browser_id)
        except AutocaptureError as problem:
            return _page(application, visit, str(problem), 502)
        return visit.page("going.html", title="To Microsoft", label="Microsoft", url=url)

    @app.post("/admin/microsoft/try")
    def tried(application: App, visit: Asked, _fields: Fields) -> Response:
        return _page(application, visit, tried=try_token(application))

    @app.get(_CALLBACK)
    def back(application: App, visit: Asked, request: Request) -> Response:
        return _back(application, visit, request)


def _back(application: Application, visit: Visit, request: Request) -> Response:
    query = dict(request.query_params)
    twice = len(request.query_params.multi_items()) != len(query)
    if twice or visit.is_new or len(request.url.query) > _LONGEST_ANSWER:
        query = {}
    try:
        answered(application, visit.user_id, query, browser_id=visit.browser_id)
    except AutocaptureError as problem:
        structlog.get_logger("autocapture.web").warning("consent_refused", error=type(problem).__name__)
        return _page(application, visit, str(problem), 403)
    return visit.leads_to("/admin/microsoft")


def _page(
    application: Application, visit: Visit, why: str = "", status: int = 200, tried: Tried | None = None
) -> Response:
    settings, answer = application.settings.microsoft, last_answer(application)
    return visit.page(
        "microsoft_consent.html",
        status,
        title="Microsoft 365",
        why=why,
        tenant=settings.tenant,
        client_id=settings.client_id,
        mailboxes=settings.mailboxes,
        origin=visit.arrival.origin,
        answer=answer,
        answered_at=visit.reader.moment_full(answer.answered_at) if answer else None,
        granted=[scope.rpartition("/")[2] for scope in answer.scopes.split()] if answer else [],
        tried=tried,
    )
