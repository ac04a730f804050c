"""The certificate that all gateways of these tests show, and what trusts it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from tests.peers.certificates import make_certificates


@dataclass(frozen=True)
class Tls:
    """`served` is what a server shows, `trusted` what its clients believe, `authority` the file of who signed it."""

    served: ssl.SSLContext
    trusted: ssl.SSLContext
    authority: Path


def make_tls(folder: Path) -> Tls:
    made = make_certificates(folder)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(made.certificate, made.key)
    return Tls(served, ssl.create_default_context(cafile=str(made.authority)), made.authority)
