"""The pages behind a real server on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from autocapture.application import Application
from autocapture.web.app import build_app


@contextmanager
def serving(app: Application) -> Iterator[str]:
    """The address of the pages over `app`; stopped at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(build_app(app), log_level="critical", lifespan="off", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("the pages did not come up")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


def shown(app: Application, path: str) -> str:
    """The page at `path` as whoever asks on this machine is shown it, while nobody can sign in yet."""
    with serving(app) as address:
        answer = httpx.get(address + path, trust_env=False)
    assert answer.status_code == 200, answer.status_code
    return answer.text
