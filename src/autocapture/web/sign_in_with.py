"""Signing in with an identity from elsewhere: to the provider, and back with its answer.

The browser is sent on by a page of ours and not by a redirect: `form-action 'self'` forbids a form to lead elsewhere, also
through redirects.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from autocapture.application import Application
from autocapture.errors import AutocaptureError, CredentialRejected, InputError, SetupError
from autocapture.web.sign_in import Token, let_in, same_site, sign_in_page
from autocapture.web.visit import App, Asked, Fields, Visit, text
from autocapture.workflows.sign_in_providers import Browser, answered, ask, label_of
from autocapture.workflows.sign_in_sessions import fingerprint

Name = Annotated[str, Path(max_length=60)]
_LONGEST_ANSWER = 8_000


def add_routes(app: FastAPI) -> None:
    @app.post("/sign-in/with/{provider}")
    def go(application: App, visit: Asked, provider: Name, fields: Fields) -> Response:
        return _go(application, visit, provider, {"next": same_site(text(fields, "next"))})

    @app.post("/link/{token}/with/{provider}")
    def bind(application: App, visit: Asked, token: Token, provider: Name, _fields: Fields) -> Response:
        return _go(application, visit, provider, {"link": fingerprint(token)})

    @app.get("/sign-in/{provider}/callback")
    def back(application: App, visit: Asked, provider: Name, request: Request) -> Response:
        return _back(application, visit, provider, request)


def _go(application: Application, visit: Visit, name: str, about: dict[str, str]) -> Response:
    label = label_of(application, name)
    redirect_uri = f"{visit.arrival.origin}/sign-in/{quote(name, safe='')}/callback"
    try:
        url = ask(application, name, redirect_uri, _browser(visit), about)
    except AutocaptureError as problem:
        return _not_in(application, visit, name, problem)
    return visit.page("going.html", title=f"To {label}", label=label, url=url)


def _back(application: Application, visit: Visit, name: str, request: Request) -> Response:
    """A parameter that comes twice is no answer of a provider's (RFC 6749 section 3.1)."""
    label_of(application, name)
    query = dict(request.query_params)
    twice = len(request.query_params.multi_items()) != len(query)
    if twice or visit.is_new or len(request.url.query) > _LONGEST_ANSWER:
        query = {}
    try:
        browser_id, wanted = answered(application, name, query, _browser(visit))
    except AutocaptureError as problem:
        return _not_in(application, visit, name, problem)
    return let_in(application, visit, browser_id, same_site(wanted))


def _not_in(application: Application, visit: Visit, name: str, problem: AutocaptureError) -> Response:
    """Back to the sign-in, with what somebody can do about it. What is the administrator's to mend is in the log."""
    structlog.get_logger("autocapture.web").warning("sign_in_refused", error=type(problem).__name__)
    label = label_of(application, name)
    if isinstance(problem, InputError):
        why, status = str(problem), 403
    elif isinstance(problem, CredentialRejected):
        why, status = f"{label} did not say who you are. Try again.", 403
    elif isinstance(problem, SetupError):
        why, status = f"Signing in with {label} is not set up rightly. Tell who runs autocapture here.", 502
    else:
        why, status = f"{label} cannot be asked at the moment. Try again in a minute.", 503
    return sign_in_page(application, visit, "/", why=why, status=status)


def _browser(visit: Visit) -> Browser:
    return Browser(visit.browser_id, visit.arrival.source)
