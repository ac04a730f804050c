"""`serve`: scheduler, worker and web in one process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from autocapture.cli.application import open_application

if TYPE_CHECKING:
    from autocapture.application import Application


class Part(StrEnum):
    WEB = "web"
    WORKER = "worker"
    SCHEDULER = "scheduler"


Only = Annotated[
    Part | None,
    typer.Option(
        "--only",
        help="Run this part alone. A worker has a scheduler of its own; a scheduler alone is refused.",
    ),
]
Sample = Annotated[
    bool,
    typer.Option(
        "--sample", help="Where no account is connected, write and capture a sample organisation first."
    ),
]


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(only: Only = None, sample: Sample = False) -> None:
    """Run the service: capture, count, publish, show the pages. Ctrl-C or SIGTERM stops it."""
    from autocapture.errors import InputError
    from autocapture.service.logs import configure_logs

    if only is Part.SCHEDULER:
        raise InputError(
            "serve: work waits in the process that found it due, so a scheduler alone would do nothing; run "
            "`autocapture serve --only worker`, which has its own"
        )
    application = _settled(open_application()) if sample else open_application()
    configure_logs()
    with _stop_signals() as stopping, _web(application) if only in (None, Part.WEB) else _nothing():
        if sample:
            from autocapture.testing.demo import show_sample

            show_sample(application, stopping.is_set)
        works = only is not Part.WEB and not stopping.is_set()
        with _background(application) if works else _nothing():
            stopping.wait()


def _settled(application: Application) -> Application:
    """The application in the zone and country of the sample, where it is about to be written."""
    from autocapture.testing.demo import settle_sample

    return open_application() if settle_sample(application) else application


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set. A second SIGINT stops at once, as everywhere."""
    stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _web(application: Application) -> Iterator[None]:
    from autocapture.report.charts import warm_up
    from autocapture.web.app import build_app
    from autocapture.web.server import WebServer

    web = application.settings.web
    server = WebServer(build_app(application), web.host, web.port)
    server.start()
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    typer.echo(f"autocapture is at {server.address}")
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _background(application: Application) -> Iterator[None]:
    from autocapture.service.process import Service

    service = Service(application)
    service.start()
    try:
        yield
    finally:
        service.stop()
