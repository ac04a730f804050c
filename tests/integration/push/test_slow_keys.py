"""Anybody may send what claims to be a notice: judging it keeps nobody from the pages."""

from __future__ import annotations

import socket
import time

import httpx
import jwt
from tests.integration.push.conftest import SENDER
from tests.integration.summary.serving import serving

from autocapture.application import Application

MAIL = "/notices/google/mail"
MANY = 60  # more than there are threads for pages


def test_forged_messages_keep_no_page_waiting_while_googles_keys_are_slow(app: Application) -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and never answers
    keys = f"http://127.0.0.1:{silent.getsockname()[1]}/keys"
    settings = app.settings.model_copy(
        update={
            "google": app.settings.google.model_copy(update={"keys_url": keys}),
            "push": app.settings.push.model_copy(update={"gmail_sender": SENDER}),
        }
    )
    object.__setattr__(app, "settings", settings)
    token = jwt.encode({"iss": "anybody"}, "k" * 32, algorithm="HS256", headers={"kid": "k1"})
    sent = f"POST {MAIL} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
    with serving(app) as address:
        port = int(address.rpartition(":")[2])
        senders = [socket.create_connection(("127.0.0.1", port)) for _ in range(MANY)]
        for sender in senders:
            sender.sendall(sent.encode())
        time.sleep(0.5)
        try:
            assert httpx.get(f"{address}/sign-in", timeout=5).status_code == 200
        finally:
            for sender in senders:
                sender.close()
            silent.close()  # resets what waits for an answer
