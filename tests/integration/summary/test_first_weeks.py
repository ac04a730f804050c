"""A week is not told of before it was captured, and one that was told too early does not stay so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import select
from tests.integration.summary.beginning import deal
from tests.integration.summary.organization import MONDAY, WEEK
from tests.integration.summary.serving import shown

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import InputError, StoreBusy
from autocapture.model.accounts import Account, Channel
from autocapture.model.measures import Publication, PublishedValue
from autocapture.report.publication import summary_of
from autocapture.report.smtp import SENT, Handover
from autocapture.store.engine import reading, writing
from autocapture.workflows.summarize import deliver, deliveries, publish
from autocapture.workflows.weekly import due_summaries, publish_due_summaries


@pytest.fixture
def connected(people: Application) -> Application:
    """The same on the Monday on which the rep's mailbox was connected; nothing of it has been captured yet."""
    with writing(people.engine) as session:
        session.add(
            Account(
                id=1,
                user_id=2,
                connector="imap",
                subject="anna@ours.example",
                options={},
                created_at=MONDAY,
            )
        )
        session.flush()
        session.add(Channel(id=1, account_id=1, source_id="INBOX", kind="email", name="INBOX"))
    deal(people, 1)
    return people


def _captured(app: Application) -> None:
    with writing(app.engine) as session:
        session.execute(update(Channel).values(backfilled=True, last_ok_at=app.clock.now()))


def _later(app: Application, **by: int) -> None:
    assert isinstance(app.clock, FixedClock)
    app.clock.advance(timedelta(**by))


def _published(app: Application) -> int:
    with reading(app.engine) as session:
        return len(session.exec(select(Publication.id)).all())


def _wins(publication: Publication) -> int:
    return len(summary_of(publication).wins)


def _posts(*_letter: object) -> Handover:
    return Handover(SENT)


def test_before_anything_is_connected_nothing_is_told(people: Application) -> None:
    assert publish_due_summaries(people) == 0
    deal(people, 1)
    assert publish_due_summaries(people) == 0
    assert _published(people) == 0


def test_a_week_of_which_nothing_is_known_is_refused(app: Application) -> None:
    with pytest.raises(InputError, match="nothing was captured or imported for 2020-W01"):
        publish(app, team_id=1, week="2020-W01")


def test_the_service_waits_for_the_first_capture_and_until_no_account_follows(connected: Application) -> None:
    assert due_summaries(connected) == []
    _captured(connected)
    _later(connected, minutes=59)
    assert due_summaries(connected) == []
    _later(connected, minutes=1)
    assert due_summaries(connected) == [(1, WEEK)]


def test_an_account_that_does_not_come_through_holds_a_summary_up_for_a_day(connected: Application) -> None:
    with writing(connected.engine) as session:
        session.add(Account(id=2, user_id=2, connector="caldav", subject="a", options={}, created_at=MONDAY))
    _captured(connected)
    _later(connected, hours=23)
    assert due_summaries(connected) == []
    _later(connected, hours=1)
    assert due_summaries(connected) == [(1, WEEK)]


@pytest.mark.parametrize(("state", "due"), [("needs_reconnect", [(1, WEEK)]), ("paused", [])])
def test_an_account_that_was_captured_once_is_told_of_unless_it_is_paused(
    connected: Application, state: str, due: list[tuple[int, str]]
) -> None:
    _captured(connected)
    with writing(connected.engine) as session:
        session.execute(update(Account).values(state=state))
    _later(connected, hours=2)
    assert due_summaries(connected) == due


def test_a_week_told_before_it_was_captured_is_counted_anew_until_it_is(connected: Application) -> None:
    early = publish(connected, team_id=1, week=WEEK)
    assert not summary_of(early).sourced
    deal(connected, 2)
    _captured(connected)
    _later(connected, hours=2)
    assert publish_due_summaries(connected) == 1
    whole = publish(connected, team_id=1, week=WEEK)
    assert (whole.id, _wins(early), _wins(whole)) == (early.id, 1, 2)
    deal(connected, 3)
    _later(connected, hours=2)
    assert publish(connected, team_id=1, week=WEEK).as_of == whole.as_of
    with reading(connected.engine) as session:
        kept = session.exec(select(PublishedValue.value).where(PublishedValue.metric == "deals_won")).all()
    assert kept == ["2"]


def test_a_mailed_week_stays_as_it_was_told(connected: Application) -> None:
    mailed = publish(connected, team_id=1, week=WEEK)
    deliver(connected, mailed, through=_posts)
    _captured(connected)
    deal(connected, 2)
    _later(connected, hours=2)
    kept = publish(connected, team_id=1, week=WEEK)
    assert (kept.as_of, kept.data) == (mailed.as_of, mailed.data)


def test_numbers_that_were_replaced_are_not_mailed(connected: Application) -> None:
    early = publish(connected, team_id=1, week=WEEK)
    _later(connected, hours=2)
    renewed = publish(connected, team_id=1, week=WEEK)
    with pytest.raises(StoreBusy, match="counted anew"):
        deliver(connected, early, through=_posts)
    assert deliveries(connected, renewed) == ()


def test_what_was_told_too_early_says_so(connected: Application, render: Callable[..., str]) -> None:
    page = render(connected)
    assert "have not been captured yet" in page
    assert "counted anew" in page
    assert "do not change" not in page
    _captured(connected)
    _later(connected, hours=2)
    page = render(connected)
    assert "have not been captured yet" not in page
    assert "do not change" in page


def test_reps_of_whom_nothing_is_connected_are_named(people: Application) -> None:
    deal(people, 1)
    unknown = summary_of(publish(people, team_id=1, week=WEEK)).unknown
    assert unknown.unconnected == ("Anna Berg",)


@pytest.fixture
def render() -> Callable[[Application], str]:
    def made(app: Application) -> str:
        publish(app, team_id=1, week=WEEK)
        return shown(app, f"/summary/north/{WEEK}")

    return made
