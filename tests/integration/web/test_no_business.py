"""What is no business counts nothing, also in what was published, and is shown to nobody who did not take part."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select
from tests.integration.summary.organization import WEEK, reopened
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.people import EMAILS, MANAGER, REP
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.measure.examples import at
from autocapture.model.activities import Activity, Participation
from autocapture.report.publication import summary_of
from autocapture.store.engine import reading
from autocapture.workflows.correct import Saying, correct, undo
from autocapture.workflows.listings import Selection, list_activities
from autocapture.workflows.rollups import refresh_rollups
from autocapture.workflows.summarize import publish

CELL = "2026-11-09..2026-11-15;team=1"


@pytest.fixture
def app(published: Path, tmp_path: Path) -> Iterator[Application]:
    shutil.copytree(published, tmp_path / "home")
    app = reopened(tmp_path / "home")
    people.let_in(app, REP, MANAGER)
    yield app
    app.engine.dispose()


def _mail_of_the_week(app: Application) -> int:
    with reading(app.engine) as session:
        return (
            session.exec(
                select(Activity.id)
                .join(Participation, col(Participation.activity_id) == col(Activity.id))
                .where(Activity.kind == "email", Participation.user_id == REP)
                .where(
                    col(Activity.occurred_at) > at("11-09 06:00"),
                    col(Activity.occurred_at) < at("11-13 20:00"),
                )
            ).first()
            or 0
        )


def test_a_mail_that_is_no_business_is_gone_from_what_counts_and_from_others_sight(app: Application) -> None:
    mail = _mail_of_the_week(app)
    publication = publish(app, team_id=1, week=WEEK)
    sent = next(
        n.value for n in summary_of(publication).numbers() if (n.metric, n.cell) == ("emails_sent", CELL)
    )
    number = f"/n/{publication.id}/emails_sent/{CELL}"
    with serving(app) as address, Tab(address) as rep, Tab(address) as manager:
        rep.sign_in(EMAILS[REP])
        manager.sign_in(EMAILS[MANAGER])
        assert f"/activities/{mail}" in manager.get(number).text
        made = correct(app, REP, mail, Saying("not_business"))
        refresh_rollups(app)
        assert f"Published: {sent}. The rows below are now {int(sent or 0) - 1}" in manager.get(number).text
        assert f"/activities/{mail}" not in manager.shown.text
        assert manager.get(f"/activities/{mail}").status_code == 404
        assert rep.get(f"/activities/{mail}").status_code == 200
        assert str(mail) not in {row["id"] for row in list_activities(app, Selection("email"))}
        undo(app, MANAGER, made.correction_id)
        refresh_rollups(app)
        assert "The sum of the rows below." in manager.get(number).text
        assert manager.get(f"/activities/{mail}").status_code == 200
