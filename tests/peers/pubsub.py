"""Pub/Sub on loopback: one subscription, and the token endpoint of the service account that may read it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SUBSCRIPTION = "projects/our-project/subscriptions/autocapture"


@dataclass
class FakePubSub:
    """One subscription and the token endpoint of its service account. A message that is not acknowledged comes again."""

    url: str
    waiting: dict[str, dict[str, object]] = field(default_factory=dict)
    refuse: list[int] = field(default_factory=list)
    assertions: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def publish(self, data: bytes) -> None:
        number = str(len(self.waiting) + 1)
        self.waiting[f"ack-{number}"] = {"data": base64.b64encode(data).decode(), "messageId": number}

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, object]:
        if path == "/token":
            self.assertions.append(body.decode())
            self.tokens.append(f"token-{len(self.tokens)}")
            return 200, {"access_token": self.tokens[-1], "expires_in": 3600, "token_type": "Bearer"}
        if self.refuse:
            return self.refuse.pop(0), {}
        if token not in self.tokens:
            return 401, {}
        asked = json.loads(body)
        match path:
            case p if p == f"/v1/{SUBSCRIPTION}:pull":
                held = list(self.waiting.items())[: asked["maxMessages"]]
                return 200, {
                    "receivedMessages": [{"ackId": a, "message": m} for a, m in held]
                } if held else {}
            case p if p == f"/v1/{SUBSCRIPTION}:acknowledge":
                for ack_id in asked["ackIds"]:
                    self.waiting.pop(ack_id, None)
                return 200, {}
        return 404, {}


@contextmanager
def pubsub_server() -> Iterator[FakePubSub]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, told = fake.answer(self.path, token, body)
            answer = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakePubSub(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
