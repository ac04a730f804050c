"""What a refusal of Google means, as the error whose type says who must act.

An error body is ``{"error": {"code", "message", "errors": [{"domain", "reason"}], "status", "details"}}``, but parts of it are
missing as often as not: the status and the call decide where no reason is given. The message of a refusal may quote what was
asked, so it is searched and never passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from autocapture.connect.retry_after import bounded, retry_after
from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    CredentialRejected,
    RateLimited,
    ScopeMissing,
    SetupError,
    Unreachable,
)

_THROTTLED = frozenset(
    {
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "quotaExceeded",
        "dailyLimitExceeded",
        "RATE_LIMIT_EXCEEDED",
    }
)
_SCOPE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_POLICY = frozenset({"domainPolicy", "DOMAIN_POLICY", "admin_policy_enforced"})
_UNTIL = re.compile(r"[Rr]etry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)")
_WORD = re.compile(r"[A-Za-z_]{1,60}")


@dataclass
class Refused(Exception):
    """An answer other than 2xx. `reasons` are Google's words for it, `message` its prose: never to be shown or logged. `told`:
    Google said it, and no proxy on the way, whose 404 says nothing of a calendar."""

    status: int
    reasons: frozenset[str] = frozenset()
    message: str = ""
    wait: timedelta | None = None
    told: bool = True

    @property
    def gone(self) -> bool:
        return self.told and self.status in (404, 410)

    @property
    def throttled(self) -> bool:
        return (
            self.status == 429
            or (self.status == 403 and bool(self.reasons & _THROTTLED))
            or (self.status == 503 and self.wait is not None)
        )

    @property
    def passing(self) -> bool:
        """Whether the server failed, not the request: time mends it."""
        return self.status >= 500 or "backendError" in self.reasons

    @property
    def forbidden(self) -> bool:
        """Whether what was asked for may not be had, though the grant and the project are in order."""
        other = self.reasons & (_THROTTLED | _SCOPE | _SWITCHED_OFF | _POLICY)
        return self.told and self.status == 403 and not other and "scope" not in self.message.lower()

    @property
    def says(self) -> str:
        """The status and the first reason, which are safe to show."""
        word = next(filter(_WORD.fullmatch, sorted(self.reasons)), None)
        return f"{self.status} {word}" if word else str(self.status)

    def __str__(self) -> str:
        return self.says


def refusal(status: int, body: bytes, retry_after_header: str | None, now: datetime) -> Refused:
    """What Google said, whatever its body is: nothing, a page of a proxy, half a document."""
    error = _error(body)
    message = str(error.get("message", ""))[:2_000]
    wait = retry_after(retry_after_header, now)
    if wait is None and (until := _UNTIL.search(message)):
        wait = bounded(datetime.fromisoformat(until[1]) - now)
    return Refused(status, frozenset(_reasons(error)), message, wait, told=bool(error))


def fault(refused: Refused, service: str) -> AutocaptureError:
    """The error for a refusal that means the same wherever it comes. `service` is "Gmail" or "Google Calendar"."""
    status, reasons = refused.status, refused.reasons
    if refused.throttled:
        return RateLimited(f"{service} asks for fewer requests ({refused.says})", refused.wait)
    if refused.passing:
        return Unreachable(f"{service} is not available now ({refused.says})")
    if status == 401:
        return CredentialRejected(f"{service} refuses the grant")
    if not refused.told:
        return Unreachable(f"something before {service} answered {status}")
    if status == 403 and reasons & _SWITCHED_OFF:
        return SetupError(f"the API of {service} is not enabled in the Google Cloud project")
    if status == 403 and reasons & _POLICY:
        return SetupError(f"the Workspace's administrator does not let this app use {service}")
    if status == 403 and (reasons & _SCOPE or "scope" in refused.message.lower()):
        return ScopeMissing(f"the grant lacks a permission that {service} asks for")
    if status == 400 and "failedPrecondition" in reasons:
        if "not enabled" in refused.message:
            return ChannelGone(f"{service} is not switched on for this user")
        return Unreachable(f"{service} cannot answer now ({refused.says})")
    if status == 403:
        return ScopeMissing(f"{service} refuses what the account asks for ({refused.says})")
    return Unreachable(f"{service} answered {refused.says}")


def _error(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {"message": error} if isinstance(error, str) else {}


def _reasons(error: dict[str, Any]) -> Iterator[str]:
    """The old form names it in `errors`, the new one in `details` (google.rpc.ErrorInfo) or only in `status`."""
    for key in ("errors", "details"):
        entries = error.get(key)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(reason := entry.get("reason"), str):
                yield reason
    if error.get("status") == "FAILED_PRECONDITION":
        yield "failedPrecondition"
