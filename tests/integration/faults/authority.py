"""Authorization servers before which a gateway stands: their routes, and what they refuse in their own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from autocapture.testing.fakes.entra_server import TENANT
from autocapture.testing.fakes.gateway import Reply

_JSON = {"Content-Type": "application/json"}


def authority_route(_verb: str, target: str, body: bytes) -> str:
    """The path, and at the token endpoint what for."""
    path = urlsplit(target).path.removeprefix(f"/{TENANT}")
    grant = dict(parse_qsl(body.decode())).get("grant_type", "")
    return " ".join(filter(None, (path, grant.rpartition(":")[2])))


AUTHORITY_WORDS: Mapping[int, Reply] = {
    429: Reply(429, json.dumps({"error": "temporarily_unavailable"}).encode(), _JSON),
}
"""What a dead grant and a refused client are told by is tested with OAuth itself: they are answers, not faults."""
