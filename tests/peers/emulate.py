"""Google's and Microsoft's sign-in, and Gmail, as the npm package `emulate` has them, written by nobody here.

``.ci/peers`` puts it, and the Node it wants, into ``.venv/.peers``. It speaks plain http; Microsoft's part is put behind TLS
here, since msal asks for that. Codes for other screens, certificates and boxes to untick it does not know.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
from tests.peers.certificates import make_certificates
from tests.peers.processes import running
from tests.peers.tls_front import tls_before

from autocapture.sections import GoogleSettings

FOLDER = Path(__file__).parents[2] / ".venv/.peers/emulate-0.12.2"
ADDRESS = "alice@example.test"
CLIENT_ID = "autocapture-here"
SECRET = "of-the-emulated-client"
BACK = "http://127.0.0.1:8000/back"
TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the one that it knows


def missing() -> str | None:
    """Why it cannot be started; None where it can."""
    return None if (FOLDER / "node").is_file() else "no emulate: .ci/peers fetches it with npm"


@dataclass(frozen=True)
class Emulated:
    """The running servers; `ca_file` is to be trusted for Microsoft's."""

    google: str
    microsoft: str
    ca_file: Path

    @property
    def google_settings(self) -> GoogleSettings:
        url = self.google
        return GoogleSettings(
            issuer=url, authorize_url=f"{url}/o/oauth2/v2/auth", token_url=f"{url}/oauth2/token",
            revoke_url=f"{url}/oauth2/revoke", keys_url=f"{url}/oauth2/v3/certs",
        )  # fmt: skip

    def consent(self, url: str) -> dict[str, str]:
        """What a browser brings to the redirect address once `ADDRESS` was clicked on the page at `url`."""
        context = ssl.create_default_context(cafile=self.ca_file)
        with httpx.Client(verify=context, trust_env=False) as browser:
            page = browser.get(url)
            action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            assert action is not None, page.text
            fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
            sent = {name: unescape(value) for name, value in fields}
            answer = browser.post(str(page.url.join(unescape(action[1]))), data=sent)
        assert answer.headers["location"].startswith(BACK), answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@contextmanager
def emulated(folder: Path) -> Iterator[Emulated]:
    """Starts the servers on free ports of 127.0.0.1 and stops them afterwards."""
    made = make_certificates(folder / "certificates")
    google, microsoft = _two_ports()
    with tls_before(microsoft, made) as front:
        here = Emulated(f"http://127.0.0.1:{google}", f"https://127.0.0.1:{front}", made.authority)
        (folder / "seed.yaml").write_text(json.dumps(_seed(here)), encoding="utf-8")  # YAML holds JSON
        command = [
            str(FOLDER / "node"), str(FOLDER / "node_modules/emulate/dist/index.js"), "start", "--service",
            "google,microsoft", "--host", "127.0.0.1", "-p", str(google), "--seed", "seed.yaml",
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name != "PORT"}
        with running(command, google, microsoft, environment=environment, folder=folder):
            yield here


def _seed(here: Emulated) -> dict[str, object]:
    client = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "name": "autocapture",
        "redirect_uris": [BACK],
    }
    users = [{"email": ADDRESS, "name": "Alice Rep"}]
    return {
        "google": {"baseUrl": here.google, "users": users, "oauth_clients": [client]},
        "microsoft": {"baseUrl": here.microsoft, "users": users, "oauth_clients": [client]},
    }


def _two_ports() -> tuple[int, int]:
    """Free ports in a row, as it takes them for one service after the other."""
    while True:
        with closing(socket.socket()) as first, closing(socket.socket()) as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port, port + 1
