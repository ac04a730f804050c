"""The web application: which address shows which page. Who may ask for it stands in `web.access`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.errors import AutocaptureError, InputError, StoreBusy
from autocapture.report.render import STATIC
from autocapture.web import (
    account,
    accounts,
    activities,
    activity,
    connect,
    contacts,
    corrections,
    evidence,
    me,
    metrics,
    microsoft_consent,
    notices,
    overview,
    review,
    sign_in,
    sign_in_with,
    standing,
    summaries,
    users,
    why,
)
from autocapture.web.access import assert_complete
from autocapture.web.security import Closing, Guard, assert_reachable
from autocapture.web.templating import render
from autocapture.web.visit import App, Asked, NotSignedIn, visiting
from autocapture.workflows.health import readiness

Id = Annotated[int, Path(ge=0, le=2**63 - 1)]
Said = Annotated[int | None, Query(ge=0, le=2**31 - 1)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
NOT_HERE = "There is no such page here, or it is not yours to see."
NOT_OURS = (
    "This form is too old, or was not sent from a page of ours. Go back, load the page anew, and try again."
)


def build_app(application: Application) -> FastAPI:
    """The pages over `application`. Raises SetupError where its settings would have them listen beyond this machine too early,
    LookupError where a route is not in the table of access."""
    assert_reachable(application)
    app = FastAPI(
        title="autocapture",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # behind a proxy it would lead, form and all, to plain http
        dependencies=[Depends(visiting)],
    )
    app.state.application = application
    app.state.closed = closed = Closing(application)
    app.add_middleware(Guard, application=application, closed=closed)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _pages(app)
    _health(app)
    for module in (
        sign_in, sign_in_with, me, users, notices, metrics, connect, account, standing, microsoft_consent, corrections,
        contacts,
    ):  # fmt: skip
        module.add_routes(app)
    _errors(app)
    assert_complete(app.routes)
    return app


def _pages(app: FastAPI) -> None:
    @app.get("/", response_class=HTMLResponse)
    def front(application: App, visit: Asked) -> str:
        return overview.page(application, visit)

    @app.get("/summary/{team}/{week}", response_class=HTMLResponse)
    def summary(application: App, visit: Asked, team: str, week: str) -> str:
        return summaries.page(application, visit, team, week)

    @app.get("/n/{publication}/{metric}/{cell}", response_class=HTMLResponse)
    def number(
        application: App, visit: Asked, publication: Id, metric: str, cell: str, page: PageNumber = 1
    ) -> str:
        return evidence.page(application, visit, publication, metric, cell, page)

    @app.get("/activities", response_class=HTMLResponse)
    def my_activities(application: App, visit: Asked, page: PageNumber = 1) -> str:
        return activities.page(application, visit, page)

    @app.get("/activities/{activity_id}", response_class=HTMLResponse)
    def one_activity(application: App, visit: Asked, activity_id: Id, said: Said = None) -> str:
        return activity.page(application, visit, activity_id, said)

    @app.get("/review", response_class=HTMLResponse)
    def questions(
        application: App,
        visit: Asked,
        page: PageNumber = 1,
        whose: str = "",
        said: Said = None,
    ) -> str:
        return review.page(application, visit, page, team=whose == "team", said=said)

    @app.get("/why", response_class=HTMLResponse)
    def why_not_here(application: App, visit: Asked, item: str = "") -> str:
        return why.page(application, visit, item)

    @app.get("/accounts", response_class=HTMLResponse)
    def all_accounts(application: App, visit: Asked) -> str:
        return accounts.page(application, visit)


def _health(app: FastAPI) -> None:
    @app.get("/livez", response_class=PlainTextResponse)
    def livez() -> str:
        return "ok\n"

    @app.get("/readyz")
    def readyz(request: Request, application: App) -> JSONResponse:
        """Beyond this machine without what was found: it names paths."""
        is_public = request.state.arrival.is_public
        failed = [check for check in readiness(application) if not check.ok]
        reasons = [{"check": one.name} | ({} if is_public else {"found": one.found}) for one in failed]
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


def _errors(app: FastAPI) -> None:
    def answer(request: Request, title: str, words: str, status: int) -> HTMLResponse:
        visit = getattr(request.state, "visit", None)
        return HTMLResponse(render("error.html", visit=visit, title=title, words=words), status)

    @app.exception_handler(NotSignedIn)
    def _sign_in_first(request: Request, problem: NotSignedIn) -> Response:
        if request.method != "GET":
            return answer(request, "Signed out", "You are not signed in, so nothing was done.", 403)
        wanted = "" if problem.wanted == "/" else f"?next={quote(problem.wanted, safe='/')}"
        return RedirectResponse(f"/sign-in{wanted}", 303)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(InputError)
    def _no_such_page(request: Request, _problem: Exception) -> HTMLResponse:
        return answer(request, "Not found", NOT_HERE, 404)

    @app.exception_handler(HTTPException)
    def _refused(request: Request, problem: HTTPException) -> HTMLResponse:
        if problem.status_code == 404:
            return answer(request, "Not found", NOT_HERE, 404)
        if problem.status_code == 403:
            return answer(request, "Nothing was done", NOT_OURS, 403)
        return answer(request, "This did not work", "The request cannot be answered.", problem.status_code)

    @app.exception_handler(StoreBusy)
    def _busy(request: Request, _problem: Exception) -> HTMLResponse:
        return answer(request, "One moment", "The database is busy. Try again in a few seconds.", 503)

    @app.exception_handler(AutocaptureError)
    def _known(request: Request, problem: AutocaptureError) -> HTMLResponse:
        structlog.get_logger("autocapture.web").error("page_refused", error=type(problem).__name__)
        return answer(request, "This did not work", str(problem), 500)
