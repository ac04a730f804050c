"""The token endpoint: how our client proves itself there, and what its refusals mean (RFC 6749 section 5.2).

Only a refusal of the grant itself asks a person to sign in again. An endpoint that is busy, broken or in the way says nothing
about the grant: those who took that for a bad password have sent mails to everybody during every outage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from autocapture.clock import Clock
from autocapture.connect.http import check, json_object
from autocapture.errors import (
    AutocaptureError,
    CredentialRejected,
    RateLimited,
    ScopeMissing,
    SetupError,
    TryLater,
    Unreachable,
)
from autocapture.sections import read_secret

_LONGEST_LIFE = 30 * 86_400  # seconds; a provider that says more means "long"


Refused = Callable[[Mapping[str, Any], str, int], AutocaptureError]
"""Who must act on an answer of somebody called so, with this status."""


class NotYet(TryLater):
    """Nobody has typed the code in that another screen shows."""


_GRANT_IS_DEAD = frozenset(
    {"invalid_grant", "interaction_required", "login_required", "consent_required", "account_selection_required",
     "expired_token", "bad_verification_code"}
)  # fmt: skip
_WAS_DECLINED = frozenset({"access_denied", "authorization_declined"})
"""By who was asked; the second is Entra's word for a code that was declined on another screen."""
_TRY_LATER = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class Client:
    """What the operator registered at a provider: proved by a secret, at Microsoft by a certificate, or by nothing (a public
    client)."""

    client_id: str
    secret_file: Path | None = None
    certificate_file: Path | None = None

    def proof(self) -> dict[str, str]:
        """The form fields that say and prove who asks. Raises SetupError for a file that cannot be read."""
        if self.secret_file is not None:
            return {"client_id": self.client_id, "client_secret": read_secret(self.secret_file)}
        return {"client_id": self.client_id}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the endpoint gave. `scopes` are those really granted; `refresh_token` is empty where none was given."""

    access_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]
    refresh_token: str = field(default="", repr=False)
    id_token: str = field(default="", repr=False)


def post_form(
    http: requests.Session,
    label: str,
    url: str,
    form: Mapping[str, str],
    clock: Clock,
    *,
    refused: Refused | None = None,
) -> dict[str, Any]:
    """The answer of the endpoint of who is called `label`. Raises what `refused`, else `refusal`, makes of it, Unreachable,
    RateLimited."""
    response = http.post(url, data=form, headers={"Accept": "application/json"})
    check(response, clock.now())
    answer = json_object(response)
    if response.status_code != 200 or "error" in answer:
        raise (refused or refusal)(answer, label, response.status_code)
    return answer


def tokens_of(answer: Mapping[str, Any], asked: frozenset[str], now: datetime) -> Tokens:
    """The tokens in an answer; a scope that it does not name is as it was asked for (RFC 6749 section 5.1)."""
    token, kind, life = (
        answer.get("access_token"),
        answer.get("token_type", ""),
        answer.get("expires_in", 3600),
    )
    if not isinstance(token, str) or not token or str(kind).lower() != "bearer":
        raise Unreachable("the token endpoint answered without a bearer token")
    try:
        seconds = min(max(int(life), 0), _LONGEST_LIFE)
    except (TypeError, ValueError, OverflowError):
        seconds = 3600
    scope = answer.get("scope")
    return Tokens(
        access_token=token,
        expires_at=now + timedelta(seconds=seconds),
        scopes=frozenset(scope.split()) if isinstance(scope, str) else asked,
        refresh_token=_text(answer, "refresh_token"),
        id_token=_text(answer, "id_token"),
    )


def refusal(answer: Mapping[str, Any], label: str, status: int) -> AutocaptureError:
    """Who must act on a refusal of the one called `label`. Descriptions are not quoted: they name people and hold parts of
    tokens."""
    error = _text(answer, "error")
    if error in _TRY_LATER:
        return Unreachable(f"{label} cannot give tokens now ({error})")
    if error == "authorization_pending":
        return NotYet("the code has not been typed in")
    if error == "slow_down":
        return RateLimited(f"{label} asked for fewer requests")
    if error in _WAS_DECLINED:
        return CredentialRejected(
            f"consent was not given at {label} ({error}); start again and agree, or, where an administrator's approval is asked "
            "for, have that given first"
        )
    if error in _GRANT_IS_DEAD:
        return CredentialRejected(
            f"{label} no longer accepts this sign-in ({_detail(answer)}); sign in again"
        )
    if error == "insufficient_scope":
        return ScopeMissing(f"{label} misses a permission; sign in again and grant it")
    if error.isascii() and error.replace("_", "").isalnum():
        return SetupError(
            f"{label} refuses this client ({_detail(answer)}); check its id, secret and redirect address"
        )
    return Unreachable(f"{label} answered {status} and said nothing that means anything")


def _detail(answer: Mapping[str, Any]) -> str:
    """The error's name, and Entra's number, which is what an administrator can look up."""
    codes = answer.get("error_codes")
    numbers = [f"AADSTS{code}" for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    return ", ".join([str(answer["error"]), *numbers[:1]])


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""
