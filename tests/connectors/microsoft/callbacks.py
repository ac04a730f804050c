"""An address for notices, as ours will be: it greets back, and keeps what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Callbacks(str):
    """Its address; `told` holds the path and body of every notice."""

    told: list[tuple[str, Any]]


@contextmanager
def callbacks(*, greets: bool = True) -> Iterator[Callbacks]:
    told: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            greeting = parse_qs(parts.query).get("validationToken", [""])[0]
            if not greeting:
                told.append((parts.path, json.loads(raw)))
            self.send_response(200 if greeting else 202)
            self.send_header("Content-Type", "text/plain" if greets else "text/html")
            self.end_headers()
            self.wfile.write(greeting.encode())

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        address = Callbacks(f"http://127.0.0.1:{server.server_address[1]}/notices")
        address.told = told
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()
