"""Workers: threads that take jobs from the queue and run their tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from autocapture.errors import AutocaptureError
from autocapture.jobs.queue import Job, Queue

Task = Callable[[Job], None]

_CLAIM_WAIT = timedelta(seconds=30)

log = structlog.get_logger()


class Workers:
    """`threads` workers over one queue. A task that fails is logged and its worker goes on."""

    def __init__(self, queue: Queue, tasks: Mapping[str, Task], threads: int) -> None:
        self._queue = queue
        self._tasks = tasks
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(1, threads + 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within: timedelta) -> bool:
        """Takes no more jobs and waits for those that run; False where one is still running after `within`."""
        self._stopping.set()
        self._queue.close()
        share = within.total_seconds() / max(1, len(self._threads))
        for thread in self._threads:
            thread.join(share)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not (self._stopping.is_set() or self._queue.closed):
            job = self._queue.claim(_CLAIM_WAIT)
            if job is not None:
                self._run(job)

    def _run(self, job: Job) -> None:
        try:
            self._tasks[job.name](job)
        except AutocaptureError as problem:
            log.warning("job failed", job=job.name, error=type(problem).__name__, **_account(job))
        except Exception as problem:  # the last resort of a thread that must outlive its jobs
            log.error(
                "job broke",
                job=job.name,
                error=type(problem).__name__,
                place=_place(problem),
                **_account(job),
            )
        finally:
            self._queue.finish(job)


def _account(job: Job) -> dict[str, int | str]:
    return {"account_id": job.args["account_id"]} if "account_id" in job.args else {}


def _place(problem: BaseException) -> str:
    """Where a programming error arose, without the values that an exception's text may hold."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
