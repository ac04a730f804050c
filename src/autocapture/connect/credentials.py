"""An account's user name and password, sealed for its row."""

from __future__ import annotations

import json

from autocapture.connect.vault import Place, Vault
from autocapture.connector import PasswordCredential


def seal_credential(vault: Vault, account_id: int, credential: PasswordCredential) -> bytes:
    plain = json.dumps([credential.username, credential.password]).encode()
    return vault.seal(plain, _place(account_id))


def open_credential(vault: Vault, account_id: int, sealed: bytes) -> PasswordCredential:
    """Raises VaultError where `sealed` was not made for this account under this key."""
    username, password = json.loads(vault.open(sealed, _place(account_id)))
    return PasswordCredential(username, password)


def _place(account_id: int) -> Place:
    return Place("credential", account_id, "sealed")
