"""A user name and password as HTTP carries them: Basic (RFC 7617), or Digest (RFC 7616) where the server takes nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping

import requests
from requests.auth import AuthBase

from autocapture.connector import PasswordCredential
from autocapture.errors import CredentialRejected

_SCHEME = re.compile(
    r"(?:\A|,)\s*([A-Za-z][A-Za-z0-9-]*)\s+(?=[A-Za-z0-9_*-]+\s*=)|(?:\A|,)\s*([A-Za-z]+)\s*(?=,|\Z)"
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_PARAMETER = re.compile(r'([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES: Mapping[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}


class Login(AuthBase):
    """Signs each request. It begins with Basic, which costs no question; `challenged` may make it Digest."""

    def __init__(self, credential: PasswordCredential) -> None:
        if ":" in credential.username:
            raise CredentialRejected("a user name with a colon cannot be sent to a CalDAV server")
        self._username = credential.username
        self._password = credential.password
        self._digest: dict[str, str] | None = None
        self._count = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._digest is None:
            plain = f"{self._username}:{self._password}".encode()
            request.headers["Authorization"] = "Basic " + base64.b64encode(plain).decode()
        else:
            signed = self._signed(self._digest, request.method or "", request.path_url)
            request.headers["Authorization"] = signed
        return request

    def challenged(self, challenge: str) -> bool:
        """Whether asking once more makes sense after a 401: the server wants Digest, or a newer nonce."""
        offered = _challenges(challenge)
        digest = next(
            (each for scheme, each in offered if scheme == "digest" and _algorithm(each) in _HASHES), None
        )
        if digest is None or "nonce" not in digest:
            return False
        if self._digest is None and any(scheme == "basic" for scheme, _ in offered):
            return False
        again = self._digest is None or digest.get("stale", "").lower() == "true"
        self._digest, self._count = digest, 0
        return again

    def _signed(self, challenge: Mapping[str, str], method: str, uri: str) -> str:
        algorithm = _algorithm(challenge)
        realm, nonce = challenge.get("realm", ""), challenge["nonce"]
        self._count += 1
        count, own = f"{self._count:08x}", secrets.token_hex(8)

        def hashed(text: str) -> str:
            return _HASHES[algorithm](text.encode())

        secret = hashed(f"{self._username}:{realm}:{self._password}")
        asked = hashed(f"{method}:{uri}")
        fields = {"username": self._username, "realm": realm, "nonce": nonce, "uri": uri}
        if "auth" in re.split(r"[\s,]+", challenge.get("qop", "")):
            fields["response"] = hashed(f"{secret}:{nonce}:{count}:{own}:auth:{asked}")
            fields["cnonce"] = own
            plain = f", qop=auth, nc={count}"
        else:  # RFC 2069
            fields["response"], plain = hashed(f"{secret}:{nonce}:{asked}"), ""
        if "opaque" in challenge:
            fields["opaque"] = challenge["opaque"]
        quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
        return f"Digest {quoted}{plain}, algorithm={algorithm}"


def _challenges(header: str) -> list[tuple[str, dict[str, str]]]:
    """The schemes of ``WWW-Authenticate``, lower-case, with their parameters (RFC 9110, 11.6.1)."""
    header = header[:8_000]
    begins = list(_SCHEME.finditer(_QUOTED.sub(lambda found: "_" * len(found[0]), header)))
    ends = [*(begin.start() for begin in begins[1:]), len(header)]
    found = []
    for begin, end in zip(begins, ends, strict=False):
        pairs = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
            for name, quoted, plain in _PARAMETER.findall(header[begin.end() : end])
        }
        found.append(((begin[1] or begin[2]).lower(), pairs))
    return found


def _algorithm(challenge: Mapping[str, str]) -> str:
    return challenge.get("algorithm", "MD5").upper()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
