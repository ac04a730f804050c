"""What strangers and colleagues write into names and subjects stays text, in page, mail and header."""

from __future__ import annotations

from pathlib import Path

import pytest
from httpx import Client
from tests.integration.summary.mailbox import mailbox
from tests.integration.summary.organization import WEEK, application, reopened
from tests.integration.summary.serving import serving

from autocapture.application import Application
from autocapture.model.organization import Team, User
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.report.render import page_file
from autocapture.store.engine import writing
from autocapture.workflows.summarize import deliver, links, publish

SCRIPT = "<script>alert(1)</script>"
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
CRLF = "Re: offer\r\nBcc: attacker@evil.example\r\n\r\n<img src=//evil.example/x onerror=alert(1)>"
NAME = f"Mallory {SCRIPT}{OVERRIDE}gnp.exe"
TEAM = f"North\r\nBcc: attacker@evil.example {SCRIPT}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hostile")
    app = application(home, subject=CRLF, rep=NAME, team=TEAM)
    with writing(app.engine) as session:
        boss = session.get(User, 1)
        assert boss is not None
        boss.name = 'Eva\r\nBcc: attacker@evil.example\N{LINE SEPARATOR}"<x@evil.example>'
    publish(app, team_id=1, week=WEEK)
    app.engine.dispose()
    return home


def _harmless(page: str) -> None:
    assert "<script" not in page
    assert "<img" not in page
    assert OVERRIDE not in page
    assert "\r" not in page


def test_pages_show_hostile_text_as_text(home: Path) -> None:
    app = reopened(home)
    publication = publish(app, team_id=1, week=WEEK)
    numbers = [n for n in summary_of(publication).numbers() if n.metric in ("emails_sent", "meetings_held")]
    with serving(app) as address, Client(base_url=address) as client:
        front = client.get("/").text
        _harmless(front)
        path = front.partition('href="/summary/')[2].partition('"')[0]
        page = client.get(f"/summary/{path}")
        assert page.status_code == 200
        assert "&lt;script&gt;" in page.text
        _harmless(page.text)
        for number in numbers[:6]:
            _harmless(client.get(f"/n/{publication.id}/{number.metric}/{number.cell}").text)


def test_the_saved_file_is_harmless_too(home: Path) -> None:
    app = reopened(home)
    publication = publish(app, team_id=1, week=WEEK)
    html = page_file(summary_of(publication), Reader(), links(app, publication).number)
    _harmless(html)


def test_names_cannot_reach_into_the_headers_of_the_mail(home: Path) -> None:
    with mailbox() as kept:
        app = reopened(home, smtp_port=kept.port)
        (delivery,) = deliver(app, publish(app, team_id=1, week=WEEK))
    assert delivery.state == "sent"
    assert kept.recipients == ["eva@ours.example"]
    (mail,) = kept.messages
    assert mail["Bcc"] is None
    assert [address.addr_spec for address in mail["To"].addresses] == ["eva@ours.example"]
    allowed = {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "list-id",
        "auto-submitted",
        "mime-version",
        "content-type",
    }
    sink = {"x-peer", "x-mailfrom", "x-rcptto"}
    assert {name.lower() for name, _value in mail.items()} <= allowed | {"x-auto-response-suppress"} | sink
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()
    assert OVERRIDE not in html.get_content()


def test_a_team_of_signs_alone_still_has_an_address(app: Application) -> None:
    with writing(app.engine) as session:
        session.add(Team(id=2, name="??/../"))
    publish(app, team_id=2, week=WEEK)
    with serving(app) as address, Client(base_url=address) as client:
        assert client.get(f"/summary/team/{WEEK}").status_code == 200
