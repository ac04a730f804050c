"""The connector at a Gmail that nobody here wrote: listing, headers, the change feed, the trash and back."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from tests.connectors.google.account import MAIL, MAILBOX, NOW, items, pages
from tests.peers.emulate import ADDRESS, BACK, CLIENT_ID, SECRET, emulated, missing

from autocapture.clock import FixedClock, SystemClock
from autocapture.connect.http import open_session
from autocapture.connect.oauth import OAuth
from autocapture.connect.providers import google
from autocapture.connect.token_endpoint import Client
from autocapture.connector import Gone, Grant, Record, Tools
from autocapture.records import EmailRecord
from autocapture.testing.fakes.google import batch
from autocapture.testing.fakes.google.answers import Answer, Request, answered
from autocapture_google import GoogleOptions, connector

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

USER = "/gmail/v1/users/me"


class Gmail:
    """The emulated service, and what is put before it since it lacks them: `getProfile`, and batches taken apart."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self._client = httpx.Client(base_url=url, trust_env=False)
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Front", (_Front,), {"answer": staticmethod(self.answer)})
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()

    def answer(self, request: Request) -> Answer:
        if batch.is_batch(request):
            return batch.answer(request, self._each)
        if request.path[-1] == "profile":
            told = self.ask("GET", f"{USER}/history?startHistoryId=1")
            return answered({"emailAddress": ADDRESS, "historyId": told["historyId"]})
        told = self._client.request(
            request.method, request.target, headers={"authorization": request.headers["authorization"]}
        )
        return Answer(told.status_code, told.content, {"Content-Type": "application/json"})

    def _each(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [self.answer(request) for request in requests]

    def ask(self, verb: str, path: str, **body: Any) -> Any:
        """As the owner's own mail program."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self._client.request(verb, path, headers=headers, json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def receive(self, number: int) -> str:
        at = NOW - timedelta(hours=number)
        mail = (
            f"From: Buyer <buyer@customer.example>\r\nTo: {ADDRESS}\r\nSubject: mail {number}\r\n"
            f"Message-ID: <{number}@customer.example>\r\nDate: {at:%a, %d %b %Y %H:%M:%S +0000}\r\n\r\nhello"
        )
        raw = urlsafe_b64encode(mail.encode()).decode()
        told = self.ask("POST", f"{USER}/messages/import", raw=raw, labelIds=["INBOX"])
        return str(told["id"])


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.answer(Request(self.command, self.path, headers, body))  # type: ignore[attr-defined]
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gmail]:
    folder: Path = tmp_path_factory.mktemp("emulate")
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    with emulated(folder) as here:
        open_http = partial(open_session, lambda _: True, total=timedelta(seconds=20), ca_file=here.ca_file)
        client = Client(CLIENT_ID, folder / "secret")
        oauth = OAuth(google(here.google_settings), client, open_http, SystemClock())
        asked = oauth.ask(BACK, tuple(MAIL), login_hint=ADDRESS)
        tokens = oauth.exchange(oauth.code_of(here.consent(asked.url), asked), asked)
        gmail = Gmail(here.google, tokens.access_token)
        yield gmail
        gmail.close()


def subjects(found: Sequence[object]) -> list[str]:
    return sorted(
        item.data.subject for item in found if isinstance(item, Record) and isinstance(item.data, EmailRecord)
    )


def test_a_mailbox_is_listed_read_and_followed(gmail: Gmail) -> None:
    ids = [gmail.receive(number) for number in range(7)]
    tools = Tools(FixedClock(NOW), http=lambda: open_session(lambda _: True))
    options = GoogleOptions(gmail_url=gmail.url, calendar_url=f"{gmail.url}/calendar/v3")
    grant = Grant("alice", ADDRESS, MAIL, lambda _fresh: gmail.token)
    with connector.open(options, grant, tools) as connection:
        listed = pages(connection, MAILBOX, limit=3)
        refs = [item.id for item in items(listed)]
        assert sorted(refs) == sorted(ids)
        assert listed[-1].complete
        assert subjects(connection.get(MAILBOX, refs)) == [f"mail {number}" for number in range(7)]
        cursor = listed[-1].cursor
        assert items(pages(connection, MAILBOX, cursor)) == []

        new = gmail.receive(7)
        gmail.ask("POST", f"{USER}/messages/{ids[0]}/trash")
        gmail.ask("POST", f"{USER}/messages/{ids[1]}/trash")
        gmail.ask("POST", f"{USER}/messages/{ids[1]}/untrash")
        gmail.ask("DELETE", f"{USER}/messages/{ids[2]}")
        news = pages(connection, MAILBOX, cursor)
        told = {item.id: item for page in news for item in page.items}
        assert subjects([told[new], told[ids[1]]]) == ["mail 1", "mail 7"]
        assert [told[ids[0]], told[ids[2]]] == [Gone(ids[0]), Gone(ids[2])]

        gmail.ask("POST", f"{USER}/messages/{ids[0]}/untrash")
        back = items(pages(connection, MAILBOX, news[-1].cursor))
        assert subjects(back) == ["mail 0"]
    assert json.loads(news[-1].cursor)["list"] is None
