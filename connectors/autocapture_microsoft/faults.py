"""What an answer of Microsoft Graph means, as the error whose type says who must act. Its texts are judged, never passed on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    CredentialRejected,
    CursorExpired,
    RateLimited,
    ReconnectNeeded,
    ScopeMissing,
    Unreachable,
)

_THROTTLES = frozenset(
    {"applicationthrottled", "mailboxconcurrency", "toomanyrequests", "activitylimitreached", "serverbusy"}
)
_EXPIRED = frozenset(
    {
        "syncstatenotfound",
        "syncstateinvalid",
        "invalidsyncstatedata",
        "resyncrequired",
        "resynccannotbecompleted",
    }
)
_NO_MAILBOX = frozenset(
    {"mailboxnotenabledforrestapi", "nonexistentmailbox", "mailboxmovefailed", "invaliduser"}
)
_NO_MAILBOX_TEXT = re.compile(r"mailbox is either inactive|soft-deleted|hosted on-premise", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}")


class Refused(Unreachable):
    """A request that a working provider would not refuse. `status` lets who asked tell whether to ask for less; `told`: Graph
    said it, and no proxy on the way."""

    def __init__(self, message: str, status: int, *, told: bool) -> None:
        super().__init__(message)
        self.status = status
        self.told = told


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, alone or out of a batch. `wait` is its Retry-After, bounded."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    wait: timedelta | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The error's code, when it is a plain word."""
        code = _error(self.body).get("code")
        return code if isinstance(code, str) and _CODE.fullmatch(code) else ""

    @property
    def is_throttled(self) -> bool:
        return (
            self.status in (429, 509)
            or (self.status == 503 and self.wait is not None)
            or (not self.ok and _plain(self.code) in _THROTTLES)
        )


def refuse(answer: Answer) -> None:
    """Returns for an answer that is one, raises what any other means."""
    if not answer.ok:
        raise fault(answer)


def fault(answer: Answer) -> AutocaptureError:
    """The error for an answer that is none. A 404 means what was asked for is gone; who asked knows what that was."""
    code = _plain(answer.code)
    named = f"{answer.status} {answer.code}".strip()
    if answer.is_throttled:
        return RateLimited(f"Microsoft asked for fewer requests ({named})", answer.wait)
    if answer.status == 410 or code in _EXPIRED:
        return CursorExpired(f"Microsoft no longer knows this position ({named})")
    if code in _NO_MAILBOX or _NO_MAILBOX_TEXT.search(str(_error(answer.body).get("message", ""))[:1000]):
        return ReconnectNeeded(
            "Microsoft says that this mailbox is inactive, deleted, or on a server of your own; only mailboxes in Exchange Online"
            " can be read through Microsoft 365"
        )
    match answer.status:
        case 401:
            return CredentialRejected("Microsoft no longer accepts this sign-in; connect the account again")
        case 403 | 404 if not _error(answer.body):  # no word of Graph's, but of a proxy on the way
            return Refused(f"something before Microsoft answered {named}", answer.status, told=False)
        case 403:
            return ScopeMissing(
                f"Microsoft does not let autocapture read this ({named}): a permission was not granted or was taken back"
            )
        case 404:
            return ChannelGone(f"Microsoft no longer has it ({named})")
        case status if status >= 500:
            return Unreachable(f"Microsoft answered {named}")
        case status:
            return Refused(f"Microsoft refuses the request ({named})", status, told=bool(answer.code))


def _error(body: Mapping[str, Any]) -> Mapping[str, Any]:
    error = body.get("error")
    return error if isinstance(error, Mapping) else {}


def _plain(code: str) -> str:
    """Codes come with and without the word in front: ErrorInvalidSyncStateData, SyncStateNotFound."""
    return code.casefold().removeprefix("error")
