"""What opens an account, sealed for its row: a user name and password, or what its owner or organisation granted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

from autocapture.connect.vault import Place, Vault
from autocapture.connector import PasswordCredential

By = Literal["owner", "application", "delegate"]


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant as it is kept. Access tokens are not part of it: they live in memory alone.

    `by` says who granted: the account's `owner`, with a refresh token; the organisation, to our `application` or to a service
    account that stands in for the mailbox `address` (`delegate`), both without one. `granted_at` tells a grant from the one
    before it.
    """

    provider: str
    subject: str
    address: str
    scopes: frozenset[str]
    granted_at: str
    by: By = "owner"
    refresh_token: str = field(default="", repr=False)


def seal_credential(vault: Vault, account_id: int, credential: PasswordCredential | StoredGrant) -> bytes:
    return vault.seal(json.dumps(_as_json(credential)).encode(), _place(account_id))


def open_credential(vault: Vault, account_id: int, sealed: bytes) -> PasswordCredential | StoredGrant:
    """Raises VaultError where `sealed` was not made for this account under this key."""
    kept = json.loads(vault.open(sealed, _place(account_id)))
    if isinstance(kept, list):
        return PasswordCredential(*kept)
    return StoredGrant(**{**kept, "scopes": frozenset(kept["scopes"])})


def _as_json(credential: PasswordCredential | StoredGrant) -> object:
    if isinstance(credential, PasswordCredential):
        return [credential.username, credential.password]
    return {
        "provider": credential.provider,
        "subject": credential.subject,
        "address": credential.address,
        "scopes": sorted(credential.scopes),
        "granted_at": credential.granted_at,
        "by": credential.by,
        "refresh_token": credential.refresh_token,
    }


def _place(account_id: int) -> Place:
    return Place("credential", account_id, "sealed")
