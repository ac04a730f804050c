"""Service accounts as Google's authorization server has them: it takes what they sign by a registered key, for now, for itself.

    accounts = ServiceAccounts(clock)
    key_file.write_text(json.dumps(accounts.make_key("robot@project.example")))
    accounts.delegate("robot@project.example", scopes)      # what a super administrator enters

The refusals are those of "JWT error codes" in https://developers.google.com/identity/protocols/oauth2/service-account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from autocapture.clock import Clock

LONGEST_LIFE = timedelta(minutes=65)
SKEW = timedelta(minutes=5)

NOT_SIGNED = ("invalid_grant", "Invalid JWT Signature.")
NOT_NOW = (
    "invalid_grant",
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values "
    "in the JWT claim.",
)
NOT_FOR_US = (
    "invalid_grant",
    "Invalid JWT: Failed audience check. The right audience is the token endpoint.",
)
NO_ACCOUNT = ("invalid_grant", "Invalid grant: account not found")
NO_MAILBOX = ("invalid_grant", "Invalid email or User ID")
NOT_DELEGATED = (
    "unauthorized_client",
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes "
    "requested.",
)


class AssertionRefused(Exception):
    """An assertion that is not taken: the error and its description."""

    def __init__(self, refusal: tuple[str, str]) -> None:
        super().__init__(*refusal)
        self.error, self.description = refusal


@dataclass
class ServiceAccounts:
    """The accounts of a project with their registered keys, what was delegated to each, and which mailboxes are no more. `clock`
    is Google's, which need not be ours."""

    clock: Clock
    gone: set[str] = field(default_factory=set)
    _keys: dict[tuple[str, str], rsa.RSAPublicKey] = field(default_factory=dict)
    _delegated: dict[str, frozenset[str]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def make_key(self, email: str) -> dict[str, str]:
        """A new key of this account, as the file that is stored."""
        pem = _private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        written = {
            "type": "service_account",
            "client_email": email,
            "private_key": pem,
            "private_key_id": f"key-{next(self._numbers)}",
        }
        self.register(written)
        return written

    def register(self, written: dict[str, str]) -> None:
        """Takes the key in a stored file for one of its account."""
        key = load_pem_private_key(written["private_key"].encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("a service account has an RSA key")
        self._keys[written["client_email"], written["private_key_id"]] = key.public_key()

    def delete_keys(self, email: str) -> None:
        """Every key of this account is dead; the account is still there."""
        self._keys = {named: key for named, key in self._keys.items() if named[0] != email}
        self._keys[email, "another"] = _private_key().public_key()

    def delegate(self, email: str, scopes: Iterable[str]) -> None:
        """What this account may do in place of people, and no more."""
        self._delegated[email] = frozenset(scopes)

    def checked(self, assertion: str, audience: str) -> tuple[str, tuple[str, ...]]:
        """For whom an assertion that was sent to `audience` asks, and which scopes. Raises AssertionRefused."""
        kid = str(jwt.get_unverified_header(assertion).get("kid", ""))
        unproved = jwt.decode(assertion, options={"verify_signature": False})
        issuer = str(unproved.get("iss", ""))
        if not any(email == issuer for email, _ in self._keys):
            raise AssertionRefused(NO_ACCOUNT)
        claims = self._proved(assertion, issuer, kid)
        if claims.get("aud") != audience:
            raise AssertionRefused(NOT_FOR_US)
        if not self._is_now(claims):
            raise AssertionRefused(NOT_NOW)
        mailbox, scopes = str(claims.get("sub", "")), tuple(str(claims.get("scope", "")).split())
        if not scopes:
            raise AssertionRefused(("invalid_scope", "Invalid OAuth scope or ID token audience provided."))
        if mailbox in self.gone:
            raise AssertionRefused(NO_MAILBOX)
        if mailbox and not self._delegated.get(issuer, frozenset()).issuperset(scopes):
            raise AssertionRefused(NOT_DELEGATED)
        return mailbox, scopes

    def _proved(self, assertion: str, issuer: str, kid: str) -> dict[str, Any]:
        key = self._keys.get((issuer, kid))
        try:
            if key is None:
                raise jwt.InvalidSignatureError
            unchecked = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
            return jwt.decode(assertion, key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            raise AssertionRefused(NOT_SIGNED) from None

    def _is_now(self, claims: dict[str, Any]) -> bool:
        began, ends, now = claims.get("iat"), claims.get("exp"), self.clock.now().timestamp()
        if not isinstance(began, int | float) or not isinstance(ends, int | float):
            return False
        skew = SKEW.total_seconds()
        return began - skew <= now <= ends + skew and 0 < ends - began <= LONGEST_LIFE.total_seconds()


@cache
def _private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
