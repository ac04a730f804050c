"""A TCP relay in front of a server, which can be cut, hold answers back, and count connections."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Relay:
    """Carries every connection to `port` on this machine. Listens on a free port until it is closed."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.connections = 0
        self.delay = 0.0
        self.cut_after: int | None = None  # bytes of answers, then the connection is reset
        self.one_at_a_time = False  # a connection ends the one before it
        self._latest: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.one_at_a_time and self._latest is not None:
                with suppress(OSError):
                    self._latest.shutdown(socket.SHUT_RDWR)
            self._latest = client
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        carried = 0
        with suppress(OSError):
            while data := source.recv(65_536):
                if answers and self.delay:
                    time.sleep(self.delay)
                if answers and self.cut_after is not None and carried + len(data) >= self.cut_after:
                    target.sendall(data[: max(0, self.cut_after - carried)])
                    break
                carried += len(data)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
