"""The vault: secrets sealed under a key that is kept outside the database.

Envelope encryption. Each secret has a random 256-bit data key of its own, which the key in force wraps; the secret is under
AES-256-GCM with a random 96-bit nonce. The place of a secret (table, row, column) is authenticated in both layers, so a sealed
value copied to another row does not open. The key's id is bound to the wrapped data key alone: rotating the key wraps the data
keys anew, and no secret is opened for it. Framing, version 2::

    version (1) | key id (8) | length of the wrapped data key (2) | wrapped data key | nonce (12) | ciphertext + tag (n + 16)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from autocapture.connect.keys import (
    KEY_BYTES,
    WrappingKey,
    WrongKey,
    create_key,
    key_in_force,
    old_keys,
    read_key,
)
from autocapture.errors import SetupError
from autocapture.sections import VaultSettings

__all__ = ["Place", "Vault", "VaultError", "create_key", "read_key"]

_VERSION = b"\x02"
_KEY_ID_BYTES = 8
_LENGTH_BYTES = 2
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES + _LENGTH_BYTES


class VaultError(SetupError):
    """A sealed value does not open here. The message never says which check failed, nor anything of the value."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives."""

    table: str
    row_id: int
    column: str


@dataclass(frozen=True, slots=True)
class _Parts:
    key_id: bytes
    wrapped: bytes
    nonce: bytes
    ciphertext: bytes


class Vault:
    """Seals under the key in force, opens what that one and those before it sealed. Keys are read at the first use."""

    def __init__(self, key_file: Path, settings: VaultSettings | None = None) -> None:
        settings = settings or VaultSettings()
        self._read_key: Callable[[], WrappingKey] = partial(key_in_force, key_file, settings)
        self._read_old: Callable[[], Sequence[WrappingKey]] = partial(old_keys, settings)

    @cached_property
    def _key(self) -> WrappingKey:
        return self._read_key()

    @cached_property
    def _keys(self) -> dict[bytes, WrappingKey]:
        return {key.id: key for key in (*self._read_old(), self._key)}

    def check(self) -> None:
        """Reads the keys. Raises SetupError when one is missing, malformed or open to others."""
        _ = self._keys

    def seal(self, secret: bytes, place: Place) -> bytes:
        data_key, nonce = AESGCM.generate_key(bit_length=8 * KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, secret, _associated(place))
        return self._framed(data_key, place, nonce + ciphertext)

    def open(self, sealed: bytes, place: Place) -> bytes:
        """The secret sealed for `place`. Raises VaultError for any other value, place or key, Unreachable where a key
        management service does not answer."""
        parts = _parts(sealed, place)
        try:
            return AESGCM(self._data_key(parts, place)).decrypt(
                parts.nonce, parts.ciphertext, _associated(place)
            )
        except (InvalidTag, ValueError):
            raise _does_not_open(place) from None

    def first_key(self, purpose: str) -> bytes:
        """A 256-bit key to begin with for one named purpose, such as the keyed hash in the ledger. It changes with the key in
        force, so it is kept sealed (`workflows.kept_keys`)."""
        return self._key.first(purpose)

    def is_sealed_under_key_in_force(self, sealed: bytes) -> bool:
        return sealed[1 : 1 + _KEY_ID_BYTES] == self._key.id and sealed[:1] == _VERSION

    def wrap_anew(self, sealed: bytes, place: Place) -> bytes:
        """The same sealed secret with its data key under the key in force. Raises what `open` raises, but does not open it."""
        parts = _parts(sealed, place)
        return self._framed(self._data_key(parts, place), place, parts.nonce + parts.ciphertext)

    def _framed(self, data_key: bytes, place: Place, body: bytes) -> bytes:
        wrapped = self._key.wrap(data_key, _associated(place, self._key.id))
        return _VERSION + self._key.id + len(wrapped).to_bytes(_LENGTH_BYTES) + wrapped + body

    def _data_key(self, parts: _Parts, place: Place) -> bytes:
        key = self._keys.get(parts.key_id)
        if key is None:
            raise _does_not_open(place)
        try:
            return key.unwrap(parts.wrapped, _associated(place, parts.key_id))
        except WrongKey:
            raise _does_not_open(place) from None


def _parts(sealed: bytes, place: Place) -> _Parts:
    length = int.from_bytes(sealed[_HEADER_BYTES - _LENGTH_BYTES : _HEADER_BYTES])
    body = sealed[_HEADER_BYTES + length :]
    if sealed[:1] != _VERSION or len(body) < _NONCE_BYTES + _TAG_BYTES:
        raise _does_not_open(place)
    return _Parts(
        key_id=sealed[1 : 1 + _KEY_ID_BYTES],
        wrapped=sealed[_HEADER_BYTES : _HEADER_BYTES + length],
        nonce=body[:_NONCE_BYTES],
        ciphertext=body[_NONCE_BYTES:],
    )


def _associated(place: Place, key_id: bytes = b"") -> bytes:
    parts = (_VERSION.hex().encode(), place.table.encode(), b"%d" % place.row_id, place.column.encode())
    return b"|".join((*parts, key_id.hex().encode()))


def _does_not_open(place: Place) -> VaultError:
    return VaultError(
        f"a sealed value ({place.table} {place.row_id}) opens with no key that is set; put its key back (key_file, "
        'vault.old_key_files); where it is lost for good, docs/how-to/run-as-a-service.md says under "Back up" what to do'
    )
