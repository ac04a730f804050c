"""The web application: which address shows which page."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.errors import AutocaptureError, InputError, StoreBusy
from autocapture.report.reader import Reader
from autocapture.report.render import STATIC
from autocapture.web import accounts, activity, evidence, overview, summaries
from autocapture.web.reading import reader_of
from autocapture.web.security import Guard, assert_loopback
from autocapture.web.templating import render
from autocapture.workflows.health import readiness

Id = Annotated[int, Path(ge=0, le=2**63 - 1)]
NOT_HERE = "There is no such page. It may have been written down wrongly."


def build_app(application: Application) -> FastAPI:
    """The pages over `application`. Raises SetupError where its settings would have them listen beyond this machine."""
    assert_loopback(application.settings.web.host)
    app = FastAPI(title="autocapture", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Guard)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _pages(app, application)
    _health(app, application)
    _errors(app)
    return app


def _pages(app: FastAPI, application: Application) -> None:
    def reader(request: Request) -> Reader:
        zone = application.settings.organization.time_zone
        return reader_of(request.headers.get("accept-language", ""), zone)

    @app.get("/", response_class=HTMLResponse)
    def front(request: Request) -> str:
        return overview.page(application, reader(request))

    @app.get("/summary/{team}/{week}", response_class=HTMLResponse)
    def summary(request: Request, team: str, week: str) -> str:
        return summaries.page(application, reader(request), team, week)

    @app.get("/n/{publication}/{metric}/{cell}", response_class=HTMLResponse)
    def number(request: Request, publication: Id, metric: str, cell: str) -> str:
        return evidence.page(application, reader(request), publication, metric, cell)

    @app.get("/activities/{activity_id}", response_class=HTMLResponse)
    def one_activity(request: Request, activity_id: Id) -> str:
        return activity.page(application, reader(request), activity_id)

    @app.get("/accounts", response_class=HTMLResponse)
    def all_accounts(request: Request) -> str:
        return accounts.page(application, reader(request))


def _health(app: FastAPI, application: Application) -> None:
    @app.get("/livez", response_class=PlainTextResponse)
    def livez() -> str:
        return "ok\n"

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        checks = list(readiness(application))
        reasons = [{"check": check.name, "found": check.found} for check in checks if not check.ok]
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


def _errors(app: FastAPI) -> None:
    def answer(title: str, words: str, status: int) -> HTMLResponse:
        return HTMLResponse(render("error.html", title=title, words=words), status)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(InputError)
    def _no_such_page(_request: Request, _problem: Exception) -> HTMLResponse:
        return answer("Not found", NOT_HERE, 404)

    @app.exception_handler(HTTPException)
    def _refused(_request: Request, problem: HTTPException) -> HTMLResponse:
        if problem.status_code == 404:
            return answer("Not found", NOT_HERE, 404)
        return answer("This did not work", "The request cannot be answered.", problem.status_code)

    @app.exception_handler(StoreBusy)
    def _busy(_request: Request, _problem: Exception) -> HTMLResponse:
        return answer("One moment", "The database is busy. Try again in a few seconds.", 503)

    @app.exception_handler(AutocaptureError)
    def _known(_request: Request, problem: AutocaptureError) -> HTMLResponse:
        structlog.get_logger("autocapture.web").error("page_refused", error=type(problem).__name__)
        return answer("This did not work", str(problem), 500)
