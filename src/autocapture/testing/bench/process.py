"""One measured task in a process of its own: `python -m autocapture.testing.bench.process TASK ARGUMENT ...`.

The last line of its output is one JSON object. Imports are not part of the time: a service has them behind it.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from autocapture.testing.bench.readers import READERS

if TYPE_CHECKING:
    from autocapture.application import Application
    from autocapture.workflows.report import CaptureReport

_IDLE_PASSES = 5
_CAPTURE = "autocapture.workflows.capture"  # imported late: the other programs' processes must stay as small as they are


def run(task: str, *arguments: str) -> dict[str, Any]:
    """Seconds, messages, and seconds of CPU, those of processes that the task started and ended included."""
    if task in READERS:
        port, username, password = arguments
        return _timed(lambda: READERS[task](int(port), username, password))
    (home,) = arguments
    app = _prepared(Path(home))
    return _idle(app) if task == "idle" else _first_capture(app)


def _prepared(home: Path) -> Application:
    from autocapture.testing.bench.database import application

    app = application(home)
    app.registry.get("imap")
    importlib.import_module(_CAPTURE)
    return app


def _captured(app: Application) -> CaptureReport:
    report: CaptureReport = importlib.import_module(_CAPTURE).capture_account(app, 1)
    if report.status != "ok" or report.quarantined:
        raise RuntimeError(f"the capture failed: {report}")
    return report


def _first_capture(app: Application) -> dict[str, Any]:
    captured = 0

    def capture() -> int:
        nonlocal captured
        report = _captured(app)
        captured = report.captured
        return captured + report.skipped.total()

    return {**_timed(capture), "captured": captured}


def _timed(task: Callable[[], int]) -> dict[str, Any]:
    started, cpu = time.perf_counter(), _cpu_seconds()
    messages = task()
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": _cpu_seconds() - cpu,
        "messages": messages,
    }


def _idle(app: Application) -> dict[str, Any]:
    """The CPU time of a pass over folders in which nothing happened: the median of several, after one that captures."""
    _captured(app)
    passes = [_timed(lambda: _captured(app).captured)["cpu_seconds"] for _ in range(_IDLE_PASSES)]
    return {"cpu_seconds": median(passes), "passes": _IDLE_PASSES}


def _cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1], *sys.argv[2:])) + "\n")
