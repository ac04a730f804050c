"""Cloud Pub/Sub over HTTP, for a deployment that nobody can reach: messages are pulled and acknowledged.

https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions

A pull waits at the server until there is a message, or for a minute or so.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests

from autocapture.clock import Clock
from autocapture.connect.http import check, json_object
from autocapture.errors import CredentialRejected, SetupError

SCOPE = "https://www.googleapis.com/auth/pubsub"
WAITS_FOR = timedelta(seconds=100)
"""How long a session for a pull must let an answer take."""

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Message:
    """`mailbox` is the address of which Gmail says that it changed; empty where the message says nothing of the kind."""

    ack_id: str
    mailbox: str


class PubSub:
    """One subscription. `access_token(fresh)` gives a bearer token; `fresh=True` asks for a new one."""

    def __init__(
        self,
        url: str,
        subscription: str,
        access_token: Callable[[bool], str],
        http: requests.Session,
        clock: Clock,
    ) -> None:
        self._root = f"{url}/v1/{subscription}"
        self._access_token = access_token
        self._http = http
        self._clock = clock

    def pull(self) -> list[Message]:
        """What was published since, perhaps nothing. Raises SetupError, CredentialRejected, RateLimited, Unreachable."""
        answer = self._ask("pull", {"maxMessages": MOST_AT_ONCE})
        listed = answer.get("receivedMessages")
        return [
            Message(found["ackId"], mailbox_of(found.get("message")))
            for found in (listed if isinstance(listed, list) else [])
            if isinstance(found, dict) and isinstance(found.get("ackId"), str)
        ]

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """These need not be told again."""
        if ack_ids:
            self._ask("acknowledge", {"ackIds": list(ack_ids)})

    def _ask(self, method: str, body: Mapping[str, object]) -> dict[str, Any]:
        response = self._post(method, body, fresh=False)
        if response.status_code == 401:
            response = self._post(method, body, fresh=True)
        check(response, self._clock.now())
        match response.status_code:
            case 200:
                return json_object(response)
            case 401:
                raise CredentialRejected("Pub/Sub refuses the service account's token")
            case 403:
                raise SetupError("the service account may not read the Pub/Sub subscription")
            case 404:
                raise SetupError("there is no such Pub/Sub subscription; see push.gmail_subscription")
        raise SetupError(f"Pub/Sub refuses to {method} ({response.status_code})")

    def _post(self, method: str, body: Mapping[str, object], *, fresh: bool) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._access_token(fresh)}"}
        return self._http.post(f"{self._root}:{method}", json=body, headers=headers)


def mailbox_of(message: object) -> str:
    """The mailbox that a message of Gmail names, in small letters; empty where it names none. Its `historyId` is not used."""
    data = message.get("data") if isinstance(message, dict) else None
    try:
        told = json.loads(base64.b64decode(str(data or "").translate(_STANDARD) + "==", validate=False))
    except (ValueError, binascii.Error, RecursionError):
        return ""
    found = told.get("emailAddress") if isinstance(told, dict) else None
    return found.lower() if isinstance(found, str) else ""


_STANDARD = str.maketrans("-_", "+/")  # Gmail writes base64url, Pub/Sub base64
