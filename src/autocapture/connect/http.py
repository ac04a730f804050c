"""HTTP as connectors use it: a `requests.Session` that dials what is allowed, ends in time and tells nothing.

    session = open_session(dial_allowed)
    response = session.get(url, headers=...)      # any status; Unreachable for whatever the network did
    check(response, clock.now())                  # RateLimited, Unreachable
    answer = json_object(response)                # Unreachable where it is no JSON object

What a status means beyond that is the connector's to know. No error quotes a path, a query, a header or a body: those hold
addresses of people, and tokens.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import requests

from autocapture.clock import Clock, SystemClock
from autocapture.connect.retry_after import retry_after as _retry_after
from autocapture.connect.transport import Limits, Resolve, Transport, resolve
from autocapture.errors import RateLimited, SetupError, Unreachable

__all__ = ["check", "json_object", "open_session", "retry_after"]

MOST_BYTES = 32 * 1024 * 1024
CONNECT_WITHIN = timedelta(seconds=10)
EACH_WAIT = timedelta(seconds=30)
TOTAL = timedelta(seconds=60)

_THROTTLES = (429, 509)  # Graph says 509 for too much bandwidth


def open_session(
    dial_allowed: Callable[[str], bool],
    *,
    total: timedelta = TOTAL,
    each_wait: timedelta = EACH_WAIT,
    most_bytes: int = MOST_BYTES,
    ca_file: Path | None = None,
    clock: Clock | None = None,
    resolve: Resolve = resolve,
) -> requests.Session:
    """A session. `total` bounds a whole exchange, `each_wait` one silence within it, `most_bytes` an answer when unpacked;
    `ca_file` holds authorities that are trusted besides the system's. Plain http is spoken with this machine alone, and
    nothing is read from the environment: no proxy, no netrc. Cookies are not kept. Redirects are followed when a call says
    `allow_redirects=True`, each to an address that is judged like the first.

    Raises SetupError for a `ca_file` that cannot be read.
    """
    limits = Limits(
        connect=min(CONNECT_WITHIN, total).total_seconds(),
        each=min(each_wait, total).total_seconds(),
        total=total.total_seconds(),
        most_bytes=most_bytes,
    )
    transport = Transport(
        dial_allowed=dial_allowed,
        limits=limits,
        context=_trusted(ca_file),
        monotonic=(clock or SystemClock()).monotonic,
        resolve=resolve,
    )
    return _Session(transport)


def retry_after(response: requests.Response, now: datetime) -> timedelta | None:
    """How long the answer asks us to wait, between a second and an hour; None where it does not say."""
    return _retry_after(response.headers.get("Retry-After"), now)


def check(response: requests.Response, now: datetime) -> None:
    """Raises RateLimited where the provider asked for less (429, 509, and 503 with a Retry-After), Unreachable for every
    other 5xx. Any other status is the connector's to judge."""
    status, wait = response.status_code, retry_after(response, now)
    if status in _THROTTLES or (status == 503 and wait is not None):
        raise RateLimited(f"{host_of(response)} asked for fewer requests ({status})", wait)
    if status >= 500:
        raise Unreachable(f"{host_of(response)} answered {status}")


def json_object(response: requests.Response) -> dict[str, Any]:
    """The answer's JSON object. Raises Unreachable for anything else: a page of a proxy, half an answer, a list."""
    try:
        value = response.json()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Unreachable(
            f"{host_of(response)} answered {response.status_code} with something that is no JSON object"
        )
    return cast(dict[str, Any], value)


def host_of(response: requests.Response) -> str:
    """The host that answered: all that an error may say about an address."""
    return urlsplit(response.url).hostname or "the provider"


@cache  # reading the system's authorities takes longer than a request
def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise SetupError(f"the certificate file {ca_file} cannot be read") from None
    return context


class _Session(requests.Session):
    """A session over one transport, which follows no redirect unless asked and raises our errors alone."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 5
        self.adapters.clear()
        self.mount("https://", transport)
        self.mount("http://", transport)
        self.headers["Accept-Encoding"] = "gzip"
        self.headers["User-Agent"] = (
            "autocapture (gzip)"  # Google packs its answers only where both headers say so
        )

    def get(self, url: str | bytes, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("allow_redirects", False)
        return super().get(url, **kwargs)

    def options(self, url: str | bytes, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("allow_redirects", False)
        return super().options(url, **kwargs)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("allow_redirects", False)
        return self._translated(super().request, method, url, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("allow_redirects", False)
        return self._translated(super().send, request, **kwargs)

    @staticmethod
    def _translated(call: Callable[..., requests.Response], *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return call(*args, **kwargs)
        except requests.TooManyRedirects:
            raise Unreachable("the provider sent us from address to address") from None
        except (requests.RequestException, ValueError) as error:  # a redirect's address may be none at all
            raise SetupError(f"a request could not be made ({type(error).__name__})") from None
