"""Every error that autocapture raises on purpose. The type says who must act.

::

    AutocaptureError
    ├── TryLater                  nobody: the engine waits and tries again
    │   ├── RateLimited           the provider named a time, or asked for less
    │   ├── Unreachable           network, DNS, time-out, 5xx
    │   └── StoreBusy             the database is locked, full or away
    ├── CursorExpired             nobody: the engine enumerates the channel anew
    ├── ChannelGone               nobody: the channel is switched off until discovery finds it again
    ├── RecordUnusable            nobody: one item goes to quarantine, its page goes on
    ├── LeaseLost                 nobody: another worker owns the account now
    ├── ReconnectNeeded           the rep must sign in again
    │   ├── CredentialRejected
    │   └── ScopeMissing
    ├── SetupError                the administrator must change the set-up
    │   └── DelegationRefused     what an organisation granted lets an account in no more
    └── InputError                whoever typed the command or wrote the file
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

_CODES = re.compile(r" \((?=[^()]*(?:[a-z.][_A-Z]|AADSTS))[A-Za-z][\w.]*(?:, [A-Za-z][\w.]*)*\)")
"""Names that only programs use, in brackets: ``(invalid_grant, AADSTS50173)``, ``(ErrorAccessDenied)``."""


class AutocaptureError(Exception):
    """Root of the tree. The message is one line, fit for a person, and holds no secret and no content of mail."""


class TryLater(AutocaptureError):
    """Nobody has to act; the same call may succeed later."""


class RateLimited(TryLater):
    """The provider asked for less. `retry_after` is None when it named no time."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(TryLater):
    """The provider could not be reached or did not answer properly."""


class StoreBusy(TryLater):
    """The database is locked, full or unreachable; nothing of the transaction was kept."""


class CursorExpired(AutocaptureError):
    """The cursor is no longer valid: the channel starts a new generation beside its live rows."""


class ChannelGone(AutocaptureError):
    """The folder, calendar or call log no longer exists at the provider."""


class RecordUnusable(AutocaptureError):
    """One item exists but cannot be read; it is quarantined with this message as its reason."""


class LeaseLost(AutocaptureError):
    """The lease on the account ran out and another worker took it; nothing was committed."""


class ReconnectNeeded(AutocaptureError):
    """The account stays off until its owner signs in again."""


class CredentialRejected(ReconnectNeeded):
    """Wrong or withdrawn password or grant."""


class ScopeMissing(ReconnectNeeded):
    """The grant lacks a permission that this account's capture level needs."""


class SetupError(AutocaptureError):
    """The administrator must change configuration, install something, or mend a key or a database."""


class DelegationRefused(SetupError):
    """What an organisation granted does not let an account in. That stops the whole account, and its owner can do nothing."""


class InputError(AutocaptureError):
    """A command's argument or an input file is wrong; the message names the place."""


def without_codes(message: str) -> str:
    """A message as people are told it who only have to act on it. Who runs the service looks up the codes that are left out."""
    return _CODES.sub("", message)


def codes_of(message: str) -> str:
    """What `without_codes` leaves out, with the blank before it."""
    return "".join(found[0] for found in _CODES.finditer(message))


def wrong_value(found: Mapping[str, Any]) -> str:
    """One of pydantic's errors (``ValidationError.errors()``) in words for who wrote the value, not for who programs.

    Where a text may be meant for a secret, what was given is not repeated.
    """
    limits, given = found.get("ctx", {}), f"not {found.get('input')!r}"
    match found["type"]:
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return f"a whole number is wanted, {given}"
        case "bool_type" | "bool_parsing":
            return f"true or false is wanted, {given}"
        case "string_type":
            return "a text is wanted"
        case "greater_than_equal":
            return f"at least {limits['ge']} is wanted, {given}"
        case "less_than_equal":
            return f"at most {limits['le']} is wanted, {given}"
        case "literal_error" | "enum":
            return f"{limits['expected']} is wanted, {given}"
        case "dict_type" | "model_type":
            return "a section with keys is wanted"
        case "missing":
            return "it is missing"
        case "extra_forbidden":
            return "there is no such key"
    return str(found["msg"]).removeprefix("Value error, ")
