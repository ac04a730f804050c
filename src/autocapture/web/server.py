"""The web server: uvicorn on a thread."""

from __future__ import annotations

import socket
import threading

import uvicorn
from fastapi import FastAPI

from autocapture.errors import SetupError

_STOP_WITHIN_S = 3


class WebServer:
    """Serves `app`. The socket is bound here and now, so that a port in use is told before any work begins.

    Raises SetupError for an address that cannot be had. Port 0 takes a free one. Headers of proxies are left to
    `web.arrival`: uvicorn would believe those of anybody on this machine.
    """

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_WITHIN_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finishes requests that are under way, for a few seconds at most."""
        self._server.should_exit = True
        self._thread.join(_STOP_WITHIN_S + 1)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    address = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError as problem:
        listener.close()
        raise SetupError(
            f"{address} port {port} cannot be listened on ({problem.strerror}); set AUTOCAPTURE_WEB_PORT to another"
        ) from problem
    return listener
