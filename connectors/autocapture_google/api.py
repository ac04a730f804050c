"""Google's own client library over our HTTP: one request, or a batch of them, with the account's bearer token.

The discovery documents are those that the library ships, so nothing is fetched to learn the services. Their root address is
rewritten rather than overridden by an option of the library, since that option leaves batches where they were.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from json import loads
from typing import Any

import httplib2
import requests
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import BatchError, HttpError

from autocapture.clock import Clock
from autocapture.connector import Grant
from autocapture.errors import CredentialRejected, SetupError, Unreachable
from autocapture_google.refusals import Refused, fault, refusal

Json = dict[str, Any]

# Below this level the library logs addresses, and bodies of refusals.
logging.getLogger("googleapiclient").setLevel(logging.ERROR)

_ODD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the library raises over an answer of another form than it expects."""

_OURS = frozenset({"accept-encoding", "content-length", "user-agent"})
"""Headers that the session writes itself."""


class _Bearer:
    """What the library takes for an `httplib2.Http`: requests with the grant's token, a refreshed one after the first 401."""

    def __init__(self, session: requests.Session, grant: Grant) -> None:
        self._session = session
        self._grant = grant

    def request(
        self, uri: str, method: str = "GET", body: str | bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[httplib2.Response, bytes]:
        kept = {name: value for name, value in headers.items() if name.lower() not in _OURS}
        data = body.encode() if isinstance(body, str) else body
        for fresh in (False, True):
            kept["authorization"] = f"Bearer {self._grant.access_token(fresh)}"
            answer = self._session.request(method, uri, data=data, headers=kept, allow_redirects=False)
            if answer.status_code != 401:
                break
        told = {name.lower(): value for name, value in answer.headers.items()}
        return httplib2.Response({**told, "status": str(answer.status_code)}), answer.content

    def refresh(self) -> None:
        self._grant.access_token(True)


class Api:
    """One of Google's services, as one account may use it."""

    def __init__(
        self, name: str, version: str, root: str, session: requests.Session, grant: Grant, clock: Clock
    ) -> None:
        self.title = "Gmail" if name == "gmail" else "Google Calendar"
        self._service = (name, version, root)
        self._http = _Bearer(session, grant)
        self._clock = clock

    def resource(self, *path: str) -> Any:
        """A part of the service, such as ("users", "messages"), whose methods make requests."""
        return _resource(self._service, *path)

    def ask(self, request: Any) -> Json:
        """The answer to one request. Raises `Refused` for a refusal that only the caller can judge, and what `fault` makes of
        the others."""
        answer = self._executed(request)
        if not isinstance(answer, dict):
            raise Unreachable(f"the answer of {self.title} cannot be understood")
        return answer

    def tell(self, request: Any) -> None:
        """Makes a request that is answered with nothing. Raises as `ask` does."""
        self._executed(request)

    def _executed(self, request: Any) -> Any:
        try:
            return request.execute(http=self._http)
        except HttpError as error:
            raise self._judged(self._refused(error)) from None
        except _ODD:
            raise Unreachable(f"the answer of {self.title} cannot be understood") from None

    def ask_one(self, request: Any) -> Json | Refused:
        """What `ask_all` gives for one request, but not wrapped, which takes as long as the request itself. A server that fails
        at it may be failing altogether."""
        try:
            answer = request.execute(http=self._http)
        except HttpError as error:
            refused = self._refused(error)
            if _is_unauthorized(refused):
                raise CredentialRejected(f"{self.title} refuses the grant") from None
            return refused
        except _ODD:
            answer = None
        return answer if isinstance(answer, dict) else Refused(502)

    def ask_all(self, asked: Mapping[str, Any]) -> dict[str, Json | Refused]:
        """The answers to several requests in one, by the names they were given. Raises for what concerns all of them."""
        found = self._batch(asked)
        rejected = [name for name, answer in found.items() if _is_unauthorized(answer)]
        if rejected:
            self._http.refresh()
            found.update(self._batch({name: asked[name] for name in rejected}))
            if any(map(_is_unauthorized, found.values())):
                raise CredentialRejected(f"{self.title} refuses the grant")
        return found

    def _batch(self, asked: Mapping[str, Any]) -> dict[str, Json | Refused]:
        found: dict[str, Json | Refused] = {}

        def collect(name: str, answer: Any, error: HttpError | None) -> None:
            if error is not None:
                found[name] = self._refused(error)
            else:
                found[name] = answer if isinstance(answer, dict) else Refused(502)

        batch = _service(*self._service).new_batch_http_request(callback=collect)
        for name, request in asked.items():
            batch.add(request, request_id=name)
        try:
            batch.execute(http=self._http)
        except HttpError as error:
            refused = self._refused(error)
            raise fault(refused, self.title) from None
        except (BatchError, *_ODD):
            raise Unreachable(f"the batch answer of {self.title} cannot be understood") from None
        return found

    def _refused(self, error: HttpError) -> Refused:
        return refusal(
            int(error.resp.status), error.content, error.resp.get("retry-after"), self._clock.now()
        )

    def _judged(self, refused: Refused) -> Exception:
        """Gone, not found, malformed and forbidden mean something else at each call."""
        malformed = refused.told and refused.status == 400 and "failedPrecondition" not in refused.reasons
        if malformed or refused.forbidden or refused.gone:
            return refused
        return fault(refused, self.title)


def _is_unauthorized(answer: Json | Refused) -> bool:
    return isinstance(answer, Refused) and answer.status == 401


@cache  # building one takes longer than most requests, and it holds nothing of an account
def _service(name: str, version: str, root: str) -> Any:
    document = get_static_doc(name, version)
    if document is None:
        raise SetupError(f"google-api-python-client brings no description of {name} {version}")
    described = loads(document)
    described["rootUrl"] = described["baseUrl"] = root
    return build_from_document(described, http=_Nothing())


@cache
def _resource(service: tuple[str, str, str], *path: str) -> Any:
    """The library makes each anew with all its methods, at several times the cost of a request."""
    found = _service(*service)
    for name in path:
        found = getattr(found, name)()
    return found


class _Nothing:
    """Stands where the library would look for credentials of its own; every request is executed over an account's session."""

    request = None
