"""The keys that wrap data keys: kept in a file, given by the environment or by systemd, or held by a key management service.

A service is joined by a plug of two methods, installed under the entry-point group ``autocapture.kms``. It never tells its key;
it wraps and unwraps. Nothing is ever sealed otherwise because it does not answer: what needs it waits.
"""

from __future__ import annotations

import os
import secrets
import stat
import threading
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from autocapture.clock import Clock, SystemClock
from autocapture.errors import AutocaptureError, SetupError, Unreachable
from autocapture.sections import VaultSettings

GROUP = "autocapture.kms"
KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12
_REMEMBERED_FOR = 600.0  # seconds; a mailbox is opened every minute, and a service counts its calls
_MOST_REMEMBERED = 10_000


class WrongKey(Exception):
    """What was to be unwrapped was not wrapped so by this key."""


class KeyService(Protocol):
    """A key management service. Both methods may raise anything; ValueError alone says that `wrapped` is not its own."""

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """`key` encrypted, bound to `associated`; at most 4096 bytes."""
        ...

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """The key that was wrapped with the same `associated`."""
        ...


class WrappingKey(Protocol):
    @property
    def id(self) -> bytes:
        """Eight bytes that stand before what this key wrapped."""
        ...

    def wrap(self, key: bytes, associated: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """Raises WrongKey."""
        ...

    def first(self, purpose: str) -> bytes:
        """A 256-bit key to begin with for `purpose`; kept sealed from then on."""
        ...


class LocalKey:
    """A 256-bit key in our own memory: AES-256-GCM with a random 96-bit nonce."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self.id = sha256(b"autocapture key id\0" + key).digest()[:_ID_BYTES]

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], associated)
        except (InvalidTag, ValueError):
            raise WrongKey from None

    def first(self, purpose: str) -> bytes:
        """Derived (HKDF-SHA256), so that copies of one new database hash alike."""
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"autocapture " + purpose.encode())
        return kdf.derive(self._key)


class ServiceKey:
    """A key that a service holds under `name`. What it unwrapped is remembered for ten minutes."""

    def __init__(self, name: str, service: KeyService, clock: Clock | None = None) -> None:
        self.id = sha256(b"autocapture kms\0" + name.encode()).digest()[:_ID_BYTES]
        self._service = service
        self._clock = clock or SystemClock()
        self._remembered: dict[tuple[bytes, bytes], tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        try:
            return self._service.wrap(key, associated)
        except AutocaptureError:
            raise
        except Exception as problem:  # a plug's errors are its own; their texts may quote anything
            raise _no_answer(problem) from None

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        now = self._clock.monotonic()
        with self._lock:
            known, until = self._remembered.get((wrapped, associated), (b"", 0.0))
        if known and now < until:
            return known
        try:
            key = self._service.unwrap(wrapped, associated)
        except ValueError:
            raise WrongKey from None
        except AutocaptureError:
            raise
        except Exception as problem:
            raise _no_answer(problem) from None
        with self._lock:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[wrapped, associated] = key, now + _REMEMBERED_FOR
        return key

    def first(self, purpose: str) -> bytes:
        """Random: the service derives nothing."""
        return secrets.token_bytes(KEY_BYTES)


def key_in_force(key_file: Path, settings: VaultSettings) -> WrappingKey:
    """The key that seals. Raises SetupError where it is missing or unfit."""
    if settings.key.get_secret_value():
        return LocalKey(parsed(settings.key.get_secret_value(), "the key in vault.key"))
    if settings.kms:
        return ServiceKey(settings.kms, _service(settings.kms))
    return LocalKey(read_key(key_file))


def old_keys(settings: VaultSettings) -> Sequence[WrappingKey]:
    """The keys of before, which only open."""
    return [LocalKey(read_key(path)) for path in settings.old_key_files]


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
    if mode & (0o037 if _is_systemds(path) else 0o077):
        raise SetupError(f"the key file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`")
    return parsed(text, f"the key file {path}")


def parsed(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SetupError(f"{where} does not hold a key of {2 * KEY_BYTES} hexadecimal digits")
    return key


def _is_systemds(path: Path) -> bool:
    """A credential that systemd passed on: an access list names its reader, and shows as a group that may read."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.parent == Path(folder or "")


def _service(name: str) -> KeyService:
    for entry in entry_points(group=GROUP, name=name):
        try:
            service: KeyService = entry.load()()
        except (ImportError, AttributeError, TypeError) as problem:
            raise SetupError(
                f"the key service {name!r} cannot be loaded: {type(problem).__name__}"
            ) from problem
        return service
    raise SetupError(f"no key service {name!r} is installed (vault.kms)")


def _no_answer(problem: Exception) -> Unreachable:
    return Unreachable(f"the key management service does not answer ({type(problem).__name__})")
