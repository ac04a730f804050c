"""Keys of an issuer: however many tokens claim to be signed by one that is not known, they are asked for by one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
import requests

from autocapture.clock import FixedClock
from autocapture.connect.signing_keys import SigningKeys, Unproven
from autocapture.errors import Unreachable

AT_ONCE = 12
FORGED = jwt.encode({"iss": "anybody"}, "k" * 32, algorithm="HS256", headers={"kid": "unheard-of"})


class Issuer(ThreadingHTTPServer):
    """Answers slowly, and counts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = 0
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}/keys"


class Answer(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self.server.asked += 1
        time.sleep(0.1)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b'{"keys":[]}')

    def log_message(self, *_said: object) -> None:
        return


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 16, tzinfo=UTC))


def judge(keys: SigningKeys) -> None:
    with requests.Session() as http:
        keys.claims(FORGED, audience="us", required=[], http=http)


def judge_many(keys: SigningKeys, *refusals: type[Exception]) -> None:
    def forged() -> None:
        with suppress(*refusals):
            judge(keys)

    threads = [threading.Thread(target=forged) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_forged_tokens_at_once_ask_for_the_keys_once(issuer: Issuer, clock: FixedClock) -> None:
    keys = SigningKeys(issuer.url, clock)
    judge_many(keys, Unproven)
    assert issuer.asked == 1
    clock.advance(timedelta(minutes=2))  # by now the key may have come
    judge_many(keys, Unproven)
    assert issuer.asked == 2


def test_an_issuer_that_fails_is_asked_again_after_a_while_and_not_by_everybody(
    issuer: Issuer, clock: FixedClock
) -> None:
    keys = SigningKeys(issuer.url, clock)
    issuer.status = 500
    judge_many(keys, Unreachable)
    assert issuer.asked == 1
    issuer.status = 200
    clock.advance(timedelta(seconds=10))
    with pytest.raises(Unproven):
        judge(keys)
    assert issuer.asked == 2
