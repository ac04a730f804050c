"""The vault: secrets sealed under a master key that is kept outside the database.

Envelope encryption. Each secret has a random 256-bit data key of its own, which the master key wraps; both layers are
AES-256-GCM with a random 96-bit nonce. The place of a secret (table, row, column) is authenticated with it, so a sealed value
copied to another row does not open. Framing, version 1::

    version (1) | key id (8) | wrapped data key (12 nonce + 32 + 16 tag) | nonce (12) | ciphertext + tag (n + 16)
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from autocapture.errors import SetupError

KEY_BYTES = 32
_VERSION = b"\x01"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES + _WRAPPED_BYTES + _NONCE_BYTES


class VaultError(SetupError):
    """A sealed value does not open here. The message never says which check failed, nor anything of the value."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives."""

    table: str
    row_id: int
    column: str


class Vault:
    """Seals and opens secrets with the key in `key_file`, which is read, and its mode checked, at the first use."""

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file

    @cached_property
    def _master_key(self) -> bytes:
        return read_key(self.key_file)

    @property
    def _key_id(self) -> bytes:
        return sha256(b"autocapture key id\0" + self._master_key).digest()[:_KEY_ID_BYTES]

    def check(self) -> None:
        """Reads the key. Raises SetupError when it is missing, malformed or open to others."""
        _ = self._master_key

    def seal(self, secret: bytes, place: Place) -> bytes:
        associated = _associated_data(place, self._key_id)
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        wrap_nonce, nonce = secrets.token_bytes(_NONCE_BYTES), secrets.token_bytes(_NONCE_BYTES)
        wrapped = wrap_nonce + AESGCM(self._master_key).encrypt(wrap_nonce, data_key, associated)
        return _VERSION + self._key_id + wrapped + nonce + AESGCM(data_key).encrypt(nonce, secret, associated)

    def open(self, sealed: bytes, place: Place) -> bytes:
        """The secret sealed for `place`. Raises VaultError for any other value, place or key."""
        key_id = sealed[1 : 1 + _KEY_ID_BYTES]
        if sealed[:1] != _VERSION or key_id != self._key_id or len(sealed) < _HEADER_BYTES + _TAG_BYTES:
            raise _does_not_open(place)
        wrapped = sealed[1 + _KEY_ID_BYTES : _HEADER_BYTES - _NONCE_BYTES]
        nonce = sealed[_HEADER_BYTES - _NONCE_BYTES : _HEADER_BYTES]
        associated = _associated_data(place, key_id)
        try:
            data_key = AESGCM(self._master_key).decrypt(
                wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], associated
            )
            return AESGCM(data_key).decrypt(nonce, sealed[_HEADER_BYTES:], associated)
        except InvalidTag:
            raise _does_not_open(place) from None

    def derived_key(self, purpose: str) -> bytes:
        """A 256-bit key for one named purpose (HKDF-SHA256), such as the keyed hash in the ledger. Always the same."""
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"autocapture " + purpose.encode())
        return kdf.derive(self._master_key)


def create_key(path: Path) -> None:
    """Writes a new random key to `path` with mode 0600. Raises SetupError where a file exists: a key is never replaced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SetupError(f"the key file {path} exists already; it is never overwritten") from None
    except OSError as problem:
        raise SetupError(f"the key file {path} cannot be written: {problem.strerror}") from problem
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> bytes:
    """The key in `path`: 64 hexadecimal digits. Raises SetupError, also when group or others may read the file."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise SetupError(
            f"there is no key file {path}; put it back, or run `autocapture init`, which says what else can be done"
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(f"the key file {path} cannot be read") from problem
    if mode & 0o077:
        raise SetupError(f"the key file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SetupError(f"the key file {path} does not hold a key of {2 * KEY_BYTES} hexadecimal digits")
    return key


def _associated_data(place: Place, key_id: bytes) -> bytes:
    return b"|".join(
        (
            _VERSION.hex().encode(),
            place.table.encode(),
            b"%d" % place.row_id,
            place.column.encode(),
            key_id.hex().encode(),
        )
    )


def _does_not_open(place: Place) -> VaultError:
    return VaultError(
        f"a sealed value ({place.table} {place.row_id}) does not open with this key file; connect the account again"
    )
