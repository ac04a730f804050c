"""Notices pulled from Pub/Sub, where nobody can reach this deployment: one thread that waits at Google for messages of Gmail."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from autocapture.application import Application
from autocapture.connect.pubsub import WAITS_FOR, PubSub
from autocapture.errors import AutocaptureError, RateLimited
from autocapture.workflows.notices import pull_notices
from autocapture.workflows.pubsub_access import pubsub_token

_FIRST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=10)

log = structlog.get_logger()


class Puller:
    """Does nothing where the settings name no subscription."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._wanted = bool(app.settings.push.gmail_subscription)

    def start(self) -> None:
        if self._wanted:
            threading.Thread(target=self._pull_on, name="pubsub", daemon=True).start()

    def stop(self) -> None:
        """Asks no more. A pull that waits is let go with the process: what it would have brought comes again."""
        self._stopping.set()

    def _pull_on(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.pull_once()
                failures = 0
            except Exception as problem:  # polling goes on meanwhile, and this goes on when it can
                failures += 1
                log.warning("pubsub_failed", error=type(problem).__name__, state=_state(problem))
                rest = min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
                if isinstance(problem, RateLimited) and problem.retry_after is not None:
                    rest = max(rest, problem.retry_after)
                self._stopping.wait(rest.total_seconds())

    def pull_once(self) -> int:
        """Waits for messages, has their mailboxes captured, acknowledges them; how many there were."""
        push = self._app.settings.push
        with self._app.open_http(total=WAITS_FOR, each_wait=WAITS_FOR) as http:
            token = pubsub_token(self._app)
            pubsub = PubSub(push.pubsub_url, push.gmail_subscription, token, http, self._app.clock)
            return pull_notices(self._app, pubsub)


def _state(problem: Exception) -> str:
    return str(problem) if isinstance(problem, AutocaptureError) else ""
