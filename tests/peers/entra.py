"""Entra's fake on loopback with a certificate of its own authority, and how it is named in the settings."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.certificates import make_certificates

from autocapture.clock import Clock
from autocapture.testing.fakes.entra_server import TENANT, EntraServer, entra_server


@contextmanager
def entra(
    folder: Path, clock: Clock | None = None, tenant: str = TENANT
) -> Iterator[tuple[EntraServer, Path]]:
    """The running server, and the file of the authority to trust: `network.ca_file`."""
    made = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with entra_server(context, clock, tenant) as server:
        yield server, made.authority
