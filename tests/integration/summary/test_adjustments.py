"""Numbers that were told stay as they were told; what was learned since is told beside them, and with the next week."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import col, select
from tests.integration.summary.organization import WEEK
from tests.integration.summary.serving import shown

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.activities import Activity, Participation
from autocapture.model.crm import Deal, DealState
from autocapture.model.measures import Adjustment, DirtyCell, DuePublication, Publication, Quota
from autocapture.report.adjust import adjusted
from autocapture.report.message import Links
from autocapture.report.publication import stored, summary_of
from autocapture.report.reader import Reader
from autocapture.report.render import mail_text
from autocapture.report.summary import Adjusted
from autocapture.report.wording import adjustment, difference
from autocapture.store import activities
from autocapture.store.engine import reading, writing
from autocapture.workflows.adjustments import mark_due, mark_due_of_deals, settle_adjustments
from autocapture.workflows.correct import Saying, correct
from autocapture.workflows.rollups import refresh_rollups
from autocapture.workflows.summarize import publish

REP, LATER = 2, "2026-W47"
THURSDAY = datetime.fromisoformat("2026-11-12T10:00:00+00:00")


@pytest.fixture
def app(copy: Callable[..., Application]) -> Application:
    app = copy()
    refresh_rollups(app)
    _advance(app, timedelta(days=1))
    return app


def _advance(app: Application, by: timedelta) -> None:
    assert isinstance(app.clock, FixedClock)
    app.clock.advance(by)


def _late_mail(app: Application, number: int = 1) -> None:
    """A mail that the rep wrote on Thursday and that is captured now."""
    with writing(app.engine) as session:
        session.add(
            Activity(
                id=number,
                dedupe_key=f"late{number}@ours.example",
                kind="email",
                occurred_at=THURSDAY,
                direction="outbound",
                known_at=app.clock.now(),
                changed_at=app.clock.now(),
            )
        )
        session.flush()
        session.add(Participation(user_id=REP, local_date=THURSDAY.date(), activity_id=number, role="sender"))
        session.add(DirtyCell(user_id=REP, local_date=THURSDAY.date()))


def _since(app: Application, week: str = WEEK) -> tuple[Adjusted, ...]:
    with reading(app.engine) as session:
        publication = stored(session, 1, week)
        assert publication is not None
        return adjusted(session, publication)


def _words(found: tuple[Adjusted, ...]) -> list[str]:
    return [f"{difference(each, Reader())} {adjustment(each)}" for each in found]


def test_a_late_mail_is_told_on_the_page_of_its_week_and_in_the_next_summary(
    app: Application, tmp_path: Path
) -> None:
    assert _since(app) == ()
    _late_mail(app)
    refresh_rollups(app)
    assert _words(_since(app)) == [
        "+1 emails sent for North, because 1 was captured later.",
        "+1 emails sent for Anna Berg, because 1 was captured later.",
    ]
    page = shown(app, f"/summary/north/{WEEK}")
    assert "Since it was told" in page
    assert "emails sent for Anna Berg, because 1 was captured later." in page
    _advance(app, timedelta(days=6))
    publication = publish(app, team_id=1, week=LATER)
    summary = summary_of(publication)
    assert [(each.week, each.whose) for each in summary.adjusted] == [(WEEK, "North"), (WEEK, "Anna Berg")]
    links = Links("http://127.0.0.1:8000", publication.id or 0)
    text = " ".join(mail_text(summary, Reader(), links.number, links.page(summary)).split())
    told, now = summary.adjusted[1].before.value, summary.adjusted[1].after.value
    assert (
        f"+1 emails sent for Anna Berg, because 1 was captured later. Week 46: told {told}, now {now}" in text
    )
    number = summary.adjusted[1].after
    opened = shown(app, f"/n/{publication.id}/{number.metric}/{number.cell}")
    assert f'id="number">{told}<' in opened


def test_what_is_taken_back_leaves_nothing_to_tell(app: Application) -> None:
    with reading(app.engine) as session:
        mail = session.exec(
            select(Participation.activity_id)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .where(
                Participation.user_id == REP,
                Activity.kind == "email",
                Activity.direction == "outbound",
                col(Participation.counts),
                col(Participation.local_date).between(date(2026, 11, 9), date(2026, 11, 15)),
            )
        ).first()
    assert mail is not None
    said = correct(app, REP, mail, Saying("not_business"))
    refresh_rollups(app)
    [team, rep] = [each for each in _words(_since(app)) if "emails sent" in each]
    assert (
        rep
        == f"−1 emails sent for Anna Berg, because Anna Berg corrected it (correction {said.correction_id})."
    )
    assert team.startswith("−1 emails sent for North")
    from autocapture.workflows.correct import undo

    undo(app, REP, said.correction_id)
    refresh_rollups(app)
    assert [each for each in _words(_since(app)) if "emails sent" in each] == []
    with reading(app.engine) as session:
        steps = session.exec(
            select(Adjustment.before, Adjustment.after).where(Adjustment.metric == "emails_sent")
        ).all()
    assert len(steps) == 4
    assert steps[0] == steps[2][::-1]


def test_what_the_crm_tells_later_of_a_deal_is_told(app: Application) -> None:
    now = app.clock.now()
    with writing(app.engine) as session:
        deal = session.exec(select(Deal).where(Deal.outcome == "won", Deal.source_id == "d41")).one()
        deal.amount_minor = (deal.amount_minor or 0) + 100_000
        state = session.exec(
            select(DealState).where(DealState.deal_id == deal.id).order_by(col(DealState.valid_from).desc())
        ).first()
        assert state is not None
        state.known_to = now
        session.add(DealState(**state.model_dump(exclude={"id", "known_from", "known_to"}), known_from=now))
        session.flush()
        mark_due_of_deals(session, now)
    assert settle_adjustments(app) > 0
    told = _words(_since(app))
    assert [each for each in told if each.startswith("+€1,000 revenue won for")]
    assert all(each.endswith("because the CRM told more of 1 deal.") for each in told)


@pytest.mark.soak
def test_a_mark_outlives_who_dies_before_looking(app: Application) -> None:
    _late_mail(app)
    with writing(app.engine) as session:
        session.add(DuePublication(publication_id=2, since=app.clock.now()))
    assert settle_adjustments(app) == 2
    assert settle_adjustments(app) == 0
    with reading(app.engine) as session:
        assert session.exec(select(DuePublication)).all() == []
        assert json.dumps(session.get_one(Publication, 2).data).count("late1") == 0


@pytest.mark.parametrize(("ends_on", "due"), [(date(2026, 11, 21), 2), (date(2026, 11, 30), 1)])
def test_a_week_in_which_a_quota_ended_is_looked_at_for_the_days_before_it(
    app: Application, ends_on: date, due: int
) -> None:
    """A fiscal month may end in the middle of one of the calendar's."""
    _advance(app, timedelta(days=6))
    with writing(app.engine) as session:
        session.add(
            Quota(
                metric="emails_sent",
                scope_type="team",
                scope="North",
                period_start=date(2026, 11, 1),
                period_end=ends_on,
                value=Decimal(40),
            )
        )
    publish(app, team_id=1, week=LATER)
    _late_mail(app)
    with writing(app.engine) as session:
        mark_due(session, app.clock.now())
        assert len(session.exec(select(DuePublication)).all()) == due


@pytest.mark.soak
def test_what_goes_by_the_clock_alone_is_no_news(app: Application) -> None:
    _advance(app, timedelta(days=30))
    with writing(app.engine) as session:
        activities.mark_dirty(session, [(REP, THURSDAY.date())])
    refresh_rollups(app)
    assert _since(app) == ()
