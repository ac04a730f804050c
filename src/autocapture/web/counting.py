"""Counting beside the pages: how much an account holds takes as long as its provider likes, and no page waits for it."""

from __future__ import annotations

import threading

import structlog

from autocapture.application import Application
from autocapture.errors import AutocaptureError, without_codes
from autocapture.workflows.preview import take_preview

AT_ONCE = 4
"""Accounts that are counted at a time; further ones wait."""

log = structlog.get_logger("autocapture.web")


class Counting:
    """The counts that are under way, one for each account, and why the last one of an account came to nothing. What was counted
    is kept with the account; all else ends with the process, and whoever looks at a page again has it counted anew."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._guard = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._under_way: set[int] = set()
        self._failed: dict[int, str] = {}

    def begin(self, account_id: int) -> None:
        """Has an account counted, unless it is being counted. Returns at once."""
        with self._guard:
            if account_id in self._under_way:
                return
            self._under_way.add(account_id)
            self._failed.pop(account_id, None)
        threading.Thread(target=self._count, args=(account_id,), name="counting", daemon=True).start()

    def is_under_way(self, account_id: int) -> bool:
        with self._guard:
            return account_id in self._under_way

    def why_not(self, account_id: int) -> str:
        """What kept an account from being counted the last time, as a sentence; empty where nothing did. It is told once."""
        with self._guard:
            return self._failed.pop(account_id, "")

    def _count(self, account_id: int) -> None:
        why = ""
        try:
            with self._slots:
                take_preview(self._application, account_id)
        except Exception as problem:  # the text of an error that is none of ours may quote anything
            log.warning("counting_failed", account_id=account_id, error=type(problem).__name__)
            said = (
                without_codes(str(problem)) if isinstance(problem, AutocaptureError) else "an internal error"
            )
            why = f"How much there is cannot be told now: {said.removesuffix('.')}."
        with self._guard:
            self._under_way.discard(account_id)
            if why:
                self._failed[account_id] = why
