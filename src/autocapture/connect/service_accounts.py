"""A service account of Google that stands in for people: what it signs (RFC 7523), and what its refusals mean.

Google answers ``invalid_grant`` to a key that was deleted, to a clock that is wrong and to a mailbox that is no more. Only the
last is the mailbox's own matter; the description tells them apart ("JWT error codes" in
https://developers.google.com/identity/protocols/oauth2/service-account). What it does not name is taken for the operator's: that
is tried again, and nobody is asked for a sign-in that would not help.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from autocapture.connect.token_endpoint import refusal
from autocapture.errors import AutocaptureError, ReconnectNeeded, SetupError
from autocapture.sections import read_secret

LIVES = timedelta(minutes=10)

_NO_MAILBOX = re.compile(r"email or user id|not a valid email", re.IGNORECASE)
_CLOCK = re.compile(r"short-lived|\biat\b|\bexp\b|clock", re.IGNORECASE)
_KEY = re.compile(r"signature", re.IGNORECASE)
_NOT_DELEGATED = frozenset(
    {"unauthorized_client", "access_denied", "admin_policy_enforced", "org_internal", "invalid_scope"}
)
_NO_ACCOUNT = frozenset({"invalid_client", "deleted_client", "disabled_client", "invalid_grant"})


def assertion(key_file: Path, mailbox: str, scopes: Iterable[str], audience: str, now: datetime) -> str:
    """What the service account whose key this is signs, to stand in for `mailbox`; for itself where that is empty. Raises
    SetupError."""
    try:
        account = json.loads(read_secret(key_file))
        claims = {
            **({"sub": mailbox} if mailbox else {}),
            "iss": account["client_email"], "scope": " ".join(scopes), "aud": audience,
            "iat": int(now.timestamp()), "exp": int((now + LIVES).timestamp()),
        }  # fmt: skip
        return jwt.encode(
            claims, account["private_key"], algorithm="RS256", headers={"kid": account["private_key_id"]}
        )
    except (ValueError, KeyError, TypeError, jwt.PyJWTError):
        raise SetupError(f"{key_file} is no key of a service account") from None


def refusal_of_account(answer: Mapping[str, Any], label: str, status: int) -> AutocaptureError:
    """Who must act where the one called `label` does not take an assertion: the operator (SetupError), but for a mailbox that is
    no more."""
    error, told = str(answer.get("error", "")), str(answer.get("error_description", ""))
    if error == "invalid_grant" and _NO_MAILBOX.search(told):
        return ReconnectNeeded(f"{label} knows no such mailbox any more, or it is suspended ({error})")
    if error == "invalid_grant" and _KEY.search(told):
        return SetupError(
            f"{label} does not take the service account's key ({error}): it was deleted, disabled or replaced; make a new one "
            "and name its file in the settings"
        )
    if error == "invalid_grant" and _CLOCK.search(told):
        return SetupError(
            f"{label} does not take the time at which the service account signs ({error}): this machine's clock is wrong; set "
            "it right"
        )
    if error in _NOT_DELEGATED:
        return SetupError(
            f"{label} does not let the service account stand in for people ({error}): the domain-wide delegation was taken "
            "back, or lacks a permission; enter it again in the Admin console"
        )
    if error in _NO_ACCOUNT:
        return SetupError(
            f"{label} does not take the service account ({error}): it was deleted or disabled; restore it, or name the key of "
            "another"
        )
    return refusal(answer, label, status)
