"""Answering and correcting on the pages: by whom it concerns, in one step, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.capture.deployment import message
from tests.integration.corrections.matter import (
    NEWSLETTER,
    RUTH,
    SAM,
    TINA,
    captured,
    deals_of,
    lead,
    number_of,
    reply,
)
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.tabs import Tab

from autocapture.application import Application

EMAILS = {RUTH: "ruth@ours.example", SAM: "sam@ours.example", TINA: "tina@ours.example"}


@pytest.fixture
def address(app: Application, tmp_path: Path) -> Iterator[str]:
    """Ruth's thread of two mails and a mail to her alone; Tina leads her, and Sam has nothing to do with it."""
    mails = (message(1, subject="Offer"), reply(2, to=1), message(3, subject="Thursday?"), NEWSLETTER)
    captured(app, tmp_path / "mail", *mails)
    lead(app, TINA, RUTH)
    people.let_in(app, RUTH, SAM, TINA)
    with serving(app) as address:
        yield address


def _signed_in(address: str, user: int) -> Tab:
    tab = Tab(address)
    assert tab.sign_in(EMAILS[user]).is_redirect
    return tab


def test_one_click_settles_a_thread_and_another_takes_it_back(app: Application, address: str) -> None:
    with _signed_in(address, RUTH) as tab:
        tab.get("/review")
        assert "2 questions" in tab.words
        assert "3 activities of yours" in tab.words
        assert "2 of its thread are undecided" in tab.words
        assert "its owner takes part" in tab.words
        answer = tab.send(
            f"/activities/{number_of(2)}/correct", answer="deal:d1", scope="thread", back="review"
        )
        assert answer.headers["location"] == "/review?said=1"
        tab.get("/review?said=1")
        assert "One question" in tab.words
        assert "Noted. The whole thread is about Pumps." in " ".join(tab.words.split())
        assert deals_of(app) == {"1": ["Pumps"], "2": ["Pumps"], "3": []}
        assert tab.send("/corrections/1/undo", back="review").headers["location"] == "/review"
    assert deals_of(app) == {"1": [], "2": [], "3": []}


def test_the_page_of_an_activity_corrects_it_and_tells_what_was_said(app: Application, address: str) -> None:
    page = f"/activities/{number_of(3)}"
    with _signed_in(address, RUTH) as tab:
        tab.get(page)
        wrong = tab.send(f"{page}/correct", answer="another", deal="Pump", scope="item")
        assert wrong.status_code == 422
        assert "Nothing was changed: there is no deal Pump in the CRM." in tab.words
        assert tab.send(f"{page}/correct", answer="another", deal="Pumps", scope="person").headers[
            "location"
        ] == (f"{page}?said=1")
        tab.get(f"{page}?said=1")
        assert "What is with kim@customer.example is about Pumps, until it closes." in tab.words
        assert "Ruth: What is with" in tab.words
        tab.send(f"{page}/correct", answer="person", contact="Olga", scope="item")
        tab.get(page)
        assert "kim@customer.example is Olga here." in tab.words
        tab.send("/corrections/1/undo")
        tab.get(page)
        assert "taken back by Ruth" in tab.words


def test_who_leads_answers_for_those_led_and_nobody_else_sees_the_questions(address: str) -> None:
    page = f"/activities/{number_of(3)}"
    with _signed_in(address, TINA) as lead_tab, _signed_in(address, SAM) as stranger:
        lead_tab.get("/review")
        assert "Nothing is undecided" in lead_tab.words
        lead_tab.get("/review?whose=team")
        assert "2 questions" in lead_tab.words
        assert "Ruth with Kim" in " ".join(lead_tab.words.split())
        for path in ("/review", "/review?whose=team"):
            stranger.get(path)
            assert "Nothing is undecided" in stranger.words
        assert stranger.send(f"{page}/correct", answer="no_deal").status_code == 404
        said = lead_tab.send(f"{page}/correct", answer="not_business", back="review", whose="team")
        assert said.headers["location"] == "/review?said=1&whose=team"
        assert lead_tab.get(page).status_code == 404
        lead_tab.get("/review?said=1&whose=team")
        assert "Noted. This is not business." in " ".join(lead_tab.words.split())
        assert stranger.get(f"/review?said={2**64}").status_code == 404
        stranger.get("/review?said=1")
        assert "not business" not in stranger.words
        assert stranger.send("/corrections/1/undo").status_code == 404
        lead_tab.get("/review?said=1&whose=team")
        assert lead_tab.send("/corrections/1/undo", back="review").is_redirect
        assert lead_tab.get(page).status_code == 200


def test_what_is_no_business_says_so_to_who_took_part(address: str) -> None:
    page = f"/activities/{number_of(3)}"
    with _signed_in(address, RUTH) as tab:
        tab.get(page)
        tab.send(f"{page}/correct", answer="not_business")
        tab.get(page)
        assert "it counts nothing, and nobody but who took part sees it" in tab.words
        assert "email, inbound, not business" in tab.get("/activities").text


def test_who_must_not_learn_of_a_blind_copy_is_offered_no_deals(app: Application, tmp_path: Path) -> None:
    """Ruth copied somebody blindly on what she wrote to Sam and Kim."""
    mail = message(
        5, author="ruth@ours.example", to="kim@customer.example, sam@ours.example", extra="Bcc: lee@customer.example\r\n",
    )  # fmt: skip
    captured(app, tmp_path / "ruth", mail)
    people.let_in(app, RUTH, SAM)
    with serving(app) as address, _signed_in(address, SAM) as sam, _signed_in(address, RUTH) as ruth:
        sam.get(f"/activities/{number_of(5)}")
        assert "Is this right?" in sam.words
        assert "Lease" not in sam.words
        assert "Pumps" not in sam.words
        refused = sam.send(
            f"/activities/{number_of(5)}/correct", answer="no_deal", scope="person", handle="x@y.example"
        )
        assert refused.status_code == 422
        assert "lee@" not in refused.text
        sam.get("/review")
        assert "Nothing is undecided" in sam.words
        ruth.get("/review")
        assert "One question" in ruth.words


def test_a_rep_asks_why_a_mail_is_not_here(address: str) -> None:
    with _signed_in(address, RUTH) as ruth, _signed_in(address, SAM) as sam:
        assert 'href="/why"' in ruth.get("/activities").text
        ruth.get("/why?item=%3C3@customer.example%3E")
        assert "It is here: Thursday?" in " ".join(ruth.words.split())
        ruth.get("/why?item=news@shop.example")
        assert "it was left out as newsletter: sent through a mailing list" in ruth.words
        ruth.get("/why?item=never@shop.example")
        assert "Nothing with this id was ever seen in your accounts." in ruth.words
        assert "captured from the beginning on" in ruth.words
        for asked in ("news@shop.example", "3@customer.example"):
            sam.get(f"/why?item={asked}")
            assert "Nothing with this id was ever seen in your accounts." in sam.words
