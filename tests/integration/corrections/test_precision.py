"""How often matching is right is told from spot checks that people answered, and opens to them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import application, deploy, message
from tests.integration.corrections.matter import RUTH, SAM, captured, furnish, lead, number_of
from tests.integration.service.conftest import Run
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.model.organization import Membership, Team
from autocapture.report.precision import live_precision, verdicts
from autocapture.report.reader import Reader
from autocapture.report.summary import Precision
from autocapture.report.wording import precision
from autocapture.store.engine import reading, writing
from autocapture.workflows.correct import Saying, correct, undo
from autocapture.workflows.spot_checks import spot_checks

MAILS = 40


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty threads that name a deal."""
    folder = tmp_path_factory.mktemp("precision")
    app = deploy(folder / "home")
    furnish(app)
    captured(app, folder / "mail", *(message(number, subject="Pumps") for number in range(1, MAILS + 1)))
    app.engine.dispose()
    return folder / "home"


@pytest.fixture
def app(home: Path, written: Path) -> Application:
    """A copy of them in the test's home."""
    shutil.copytree(written, home)
    return application(home)


def _told(app: Application, **of: Any) -> Precision:
    with reading(app.engine) as session:
        return live_precision(session, app.clock.now(), **of)


def _unasked(app: Application) -> list[int]:
    asked = {each.activity_id for each in spot_checks(app, RUTH, most=MAILS)}
    return [key for number in range(1, MAILS + 1) if (key := number_of(number)) not in asked]


def test_answers_to_spot_checks_are_counted_and_what_was_noticed_beside(app: Application, run: Run) -> None:
    asked = spot_checks(app, RUTH, most=MAILS)
    assert 2 <= len(asked) < MAILS / 2
    assert {each.deal for each in asked} == {"Pumps"}
    assert spot_checks(app, SAM) == []
    first, second = asked[0].activity_id, asked[1].activity_id
    said = run("review", "answer", str(first), "yes", "--as", "ruth@ours.example").stdout
    assert said.startswith("This is about Pumps.")
    correct(app, RUTH, second, Saying("deal", deal="Retrofit"))
    correct(app, RUTH, _unasked(app)[0], Saying("no_deal"))
    told = _told(app)
    assert (told.right, told.n, told.corrected) == (1, 2, 1)
    assert told.links == MAILS - 3  # what somebody said is no longer matched by itself
    assert {each.activity_id for each in spot_checks(app, RUTH, most=MAILS)}.isdisjoint({first, second})
    assert run("eval", "live").stdout.startswith("Precision of the last 90 days: too few to tell, n = 2\n")
    data = json.loads(run("eval", "live", "--format", "json").stdout)
    assert (data["n"], data["precision"], data["corrected_unasked"]) == (2, 0.5, 1)
    assert len(data["verdicts"]) == 3
    assert "there is no team" in run("eval", "live", "--team", "West").stderr


def test_the_last_word_counts_and_what_is_taken_back_does_not(app: Application) -> None:
    one, other, *_ = (each.activity_id for each in spot_checks(app, RUTH, most=MAILS))
    correct(app, RUTH, one, Saying("deal", deal="Retrofit"))
    correct(app, RUTH, one, Saying("deal", deal="Pumps"))
    made = correct(app, RUTH, other, Saying("no_deal"))
    assert (_told(app).right, _told(app).n) == (1, 2)
    undo(app, RUTH, made.correction_id)
    assert (_told(app).right, _told(app).n) == (1, 1)
    assert _told(app, users=[SAM]).n == 0
    with reading(app.engine) as session:
        assert [each.asked for each in verdicts(session, app.clock.now())] == [True]


@pytest.mark.parametrize(
    ("right", "n", "locale", "said"),
    [
        (404, 412, "en", "Precision of the last 90 days: 0.98 (0.96–0.99), n = 412"),
        (404, 412, "nl", "Precision of the last 90 days: 0,98 (0,96–0,99), n = 412"),
        (30, 30, "en", "Precision of the last 90 days: 1.00 (0.89–1.00), n = 30"),
        (29, 29, "en", "Precision of the last 90 days: too few to tell, n = 29"),
        (0, 0, "sv", "Precision of the last 90 days: too few to tell, n = 0"),
    ],
)
def test_a_share_is_told_with_its_interval_or_not_at_all(right: int, n: int, locale: str, said: str) -> None:
    from decimal import Decimal

    assert precision(Precision(90, Decimal(right), n, n, 0), Reader(locale)) == said


def test_the_number_of_a_summary_opens_to_what_who_asks_may_see(app: Application) -> None:
    from datetime import date

    from autocapture.workflows.summarize import publish

    lead(app, 3, RUTH)
    with writing(app.engine) as session:
        session.add(Team(id=1, name="West"))
        session.flush()
        session.add(Membership(user_id=RUTH, team_id=1, valid_from=date(2026, 1, 1)))
    one, other, *_ = (each.activity_id for each in spot_checks(app, RUTH, most=MAILS))
    people.let_in(app, RUTH, SAM, 3)
    with serving(app) as address:
        with Tab(address) as tab:
            assert tab.sign_in("ruth@ours.example").is_redirect
            tab.get("/review")
            assert "Is this right?" in tab.words
            tab.send(f"/activities/{one}/correct", answer="deal:d1", back="review")
            tab.send(f"/activities/{other}/correct", answer="not_business", back="review")
        publication = publish(app, team_id=1, week="2026-W45")
        with Tab(address) as tab:
            assert tab.sign_in("tina@ours.example").is_redirect
            tab.get("/summary/west/2026-W45")
            assert "Precision of the last 90 days: too few to tell, n = 2" in tab.words
            path = f"/n/{publication.id}/matching_precision/2026-11-02..2026-11-08;team=1"
            assert tab.get(path).status_code == 200
            assert "This is about Pumps." in tab.words
            assert "1 more is on activities that are not yours to see." in tab.words
        with Tab(address) as tab:
            assert tab.sign_in("sam@ours.example").is_redirect
            assert tab.get(path).status_code == 404


@pytest.mark.soak
def test_both_databases_ask_and_count_the_same(either_app: Application, tmp_path: Path) -> None:
    mails = (message(number, subject="Pumps") for number in range(1, MAILS + 1))
    captured(either_app, tmp_path / "mail", *mails)
    first, second, *rest = spot_checks(either_app, RUTH, most=MAILS)
    correct(either_app, RUTH, first.activity_id, Saying("deal", deal="Pumps"))
    correct(either_app, RUTH, second.activity_id, Saying("no_deal", "thread"))
    assert (_told(either_app).right, _told(either_app, users=[RUTH]).n) == (1, 2)
    assert _told(either_app, users=[RUTH]).links == MAILS - 2
    assert spot_checks(either_app, RUTH, most=MAILS) == rest
