"""The pages show what was published, to this machine alone, and nothing in them can act."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import pytest
from httpx import Client
from sqlalchemy import text
from sqlmodel import select
from tests.integration.summary.organization import WEEK
from tests.integration.summary.serving import serving

from autocapture.application import Application
from autocapture.errors import SetupError
from autocapture.measure.query import Query
from autocapture.model.activities import Activity
from autocapture.model.measures import Publication
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.store.engine import reading, writing
from autocapture.web.security import assert_reachable
from autocapture.workflows.summarize import publish

PAGES = (
    "/",
    f"/summary/north/{WEEK}",
    "/accounts",
    "/livez",
    "/readyz",
    "/static/page.css",
    "/nothing/here",
    "/n/1/x/y",
)


@pytest.fixture
def client(app: Application) -> Iterator[Client]:
    with serving(app) as address, Client(base_url=address) as client:
        yield client


@pytest.fixture
def publication(app: Application) -> Publication:
    return publish(app, team_id=1, week=WEEK)


def _total(page: str) -> str:
    found = re.search(r'id="total">([^<]*)<', page)
    return unescape(found[1]) if found else ""


def test_every_number_of_the_page_opens_to_rows_that_add_up_to_it(
    client: Client, publication: Publication
) -> None:
    page = client.get(f"/summary/north/{WEEK}").text
    links = set(re.findall(r'class="n" href="([^"]+)"', page))
    assert len(links) > 40
    reader = Reader("en")
    numbers = {(number.metric, number.cell): number for number in summary_of(publication).numbers()}
    for link in sorted(links):
        number = numbers[tuple(unescape(link).split("/")[3:5])]  # type: ignore[index]
        shown = client.get(link)
        assert shown.status_code == 200
        assert f'id="number">{reader.number(number)}<' in unescape(shown.text)
        if number.n and number.unit in ("count", "money"):
            assert _total(shown.text) == reader.number(number)
        assert shown.text.count("<tr>") == (number.n + 2 if number.n else 0)


def test_a_row_leads_to_its_activity_with_match_and_sighting(
    client: Client, publication: Publication
) -> None:
    number = next(n for n in summary_of(publication).numbers() if n.metric == "emails_sent")
    rows = client.get(f"/n/{publication.id}/{number.metric}/{number.cell}").text
    link = re.search(r'href="(/activities/\d+)"', rows)
    assert link is not None
    activity = client.get(link[1]).text
    for part in ("Who took part", "rep", "Matched to", "contact", "imap", "1:"):
        assert part in activity


def test_a_meeting_tells_what_its_state_stands_on_and_a_call_whose_part_it_is(
    app: Application, client: Client
) -> None:
    with writing(app.engine) as session:
        kinds = {activity.kind: activity for activity in session.exec(select(Activity))}
        meeting, call = kinds["meeting"], kinds["call"]
        meeting.moved_count = 2
        talked = {
            "sign": "talked",
            "says": "held",
            "grade": "firm",
            "who": ["+31301234567"],
            "activity": call.id,
        }
        meeting.evidence = [talked, {"sign": "silence", "says": "held", "grade": "weak"}]
        call.meeting_id = meeting.id
        pages = [f"/activities/{each.id}" for each in (meeting, call)]
    shown = client.get(pages[0]).text
    assert "moved 2 times" in shown
    for part in (
        "A call in its slot",
        "+31301234567",
        "(held, firm)",
        f'href="{pages[1]}"',
        "No guest answered",
    ):
        assert part in shown
    assert f'A part of <a href="{pages[0]}">the meeting</a>' in client.get(pages[1]).text


def test_a_changed_row_is_told_beside_the_published_number(
    app: Application, client: Client, publication: Publication
) -> None:
    number = next(n for n in summary_of(publication).numbers() if n.metric == "meetings_held")
    path = f"/n/{publication.id}/{number.metric}/{number.cell}"
    assert "have changed since" not in client.get(path).text
    with writing(app.engine) as session:
        session.execute(text("UPDATE activity SET status = 'cancelled_by_them' WHERE kind = 'meeting'"))
    page = client.get(path).text
    assert "have changed since" in page
    assert f'id="number">{number.value}<' in page


def test_the_weeks_are_linked(client: Client) -> None:
    assert f"/summary/north/{WEEK}" in client.get("/").text
    assert 'href="/summary/north/2026-W45"' in client.get(f"/summary/north/{WEEK}").text
    assert f'href="/summary/north/{WEEK}"' in client.get("/summary/north/2026-W45").text


def test_numbers_are_in_the_formats_of_the_browser(client: Client) -> None:
    swedish = client.get(
        f"/summary/north/{WEEK}", headers={"accept-language": "sv-SE,sv;q=0.9,en;q=0.5"}
    ).text
    assert "641\N{NO-BREAK SPACE}500" in unescape(swedish)


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_headers(client: Client, path: str) -> None:
    answer = client.get(path)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "cache-control" in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    assert client.request(method, "/accounts").status_code == 405


def test_head_answers_as_get_without_a_body(client: Client) -> None:
    answer = client.head("/livez")
    assert (answer.status_code, answer.content) == (200, b"")


def test_pages_leave_the_database_as_it_was(app: Application, client: Client) -> None:
    def rows() -> list[object]:
        with reading(app.engine) as session:
            return [
                session.execute(text(f"SELECT count(*) FROM {table}")).scalar()
                for table in (
                    "publication",
                    "published_value",
                    "delivery",
                    "ledger",
                    "activity",
                    "metric_day",
                )
            ]

    before = rows()
    for path in PAGES:
        client.get(path)
    assert rows() == before


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "10.0.0.1:8000"]
)
def test_a_request_for_another_name_is_refused(client: Client, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_a_request_for_this_machine_is_answered(client: Client, host: str) -> None:
    assert client.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "autocapture.example", ""])
def test_the_web_is_bound_to_loopback_until_an_admin_can_sign_in(app: Application, host: str) -> None:
    web = app.settings.web.model_copy(update={"host": host})
    beyond = replace(app, settings=app.settings.model_copy(update={"web": web}))
    with pytest.raises(SetupError, match="this machine only"):
        assert_reachable(beyond)


@pytest.mark.parametrize(
    "path",
    [
        f"/summary/nowhere/{WEEK}",
        "/summary/north/2026-W99",
        "/summary/north/%00",
        "/n/999999/emails_sent/2026-11-09..2026-11-15",
        "/n/1/emails_sent/2026-11-09..2026-99-15;team=1",
        "/n/99999999999999999999999/emails_sent/x",
        "/activities/12",
        "/activities/99999999999999999999999999",
        "/activities/abc",
        "/static/../app.py",
        "/static/..%2f..%2fsettings.py",
    ],
)
def test_what_is_not_there_is_a_plain_page(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_fault_shows_a_number_and_nothing_else(
    app: Application, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_args: object) -> Query:
        raise RuntimeError("secret content of a mail")

    monkeypatch.setattr("autocapture.web.overview.page", breaks)
    with serving(app) as address, Client(base_url=address) as client:
        answer = client.get("/")
    number = re.search(r"[0-9a-f]{12}", answer.text)
    assert answer.status_code == 500
    assert number is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    logged = capsys.readouterr()
    assert number[0] in logged.out + logged.err
    assert "secret" not in answer.text + logged.out + logged.err


def test_a_complete_installation_is_ready(client: Client) -> None:
    assert client.get("/readyz").json() == {"ready": True, "reasons": []}


def test_readiness_names_what_is_missing(app: Application, client: Client) -> None:
    app.settings.key_file.unlink()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [reason["check"] for reason in answer.json()["reasons"]] == ["key file"]


def test_accounts_tell_their_state_and_why_items_were_not_captured(client: Client) -> None:
    page = client.get("/accounts").text
    for part in (
        "needs to be reconnected",
        "the server refused the password",
        "41 × newsletter",
        "more than 1000 parts",
    ):
        assert part in page
