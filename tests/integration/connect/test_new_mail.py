"""What a first import and a mail that has just come in set off: the whole schedule of the service, in simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import func, select
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.web.granting import GoogleWorld, at, google_world, with_google

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.jobs.tasks import tasks
from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import metric_named
from autocapture.measure.period import parse_period
from autocapture.measure.query import Query
from autocapture.model.activities import Activity
from autocapture.model.watching import Stall
from autocapture.service.schedule import schedule
from autocapture.settings import SmtpSettings
from autocapture.store.engine import reading
from autocapture.workflows.freshness import delays
from autocapture.workflows.granting import Wanted, answered, question

START = at("2026-11-17T09:00")  # a Tuesday: the week's summaries went out the day before
REP = PEOPLE[0]
BACK = "http://127.0.0.1:8619"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def google(tmp_path: Path, clock: FixedClock) -> Iterator[GoogleWorld]:
    with google_world(deploy(tmp_path / "other", clock=clock)) as world:
        world.server.person.address, world.server.redirect_uris = REP, {BACK}
        world.services.add_user(REP)
        yield world


@pytest.fixture
def sink() -> Iterator[Mailbox]:
    with mailbox() as sink:
        yield sink


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, google: GoogleWorld, sink: Mailbox) -> Iterator[Application]:
    made = with_google(deploy(tmp_path / "home", clock=clock), google, tmp_path)
    mail = SmtpSettings(host="127.0.0.1", port=sink.port, security="none", sender="autocapture@ours.example")
    made = replace(made, settings=made.settings.model_copy(update={"smtp": mail}))
    asked = question(made, Wanted(REP, "google"), BACK)
    answered(made, Wanted(REP, "google"), google.server.consent(asked.url), asked)
    yield made
    made.engine.dispose()


def service(app: Application, clock: FixedClock, minutes: int) -> None:
    """Every minute, everything that the service would do."""
    work = tasks(app, lambda: False)
    for _ in range(minutes):
        for tick in schedule(app):
            for job in tick.due():
                work[job.name](job)
        clock.advance(timedelta(minutes=1))


def received(app: Application) -> object:
    week = parse_period("2026-W47")
    with reading(app.engine) as session:
        [found] = aggregate(session, metric_named("emails_received"), Query(week, app.clock.now()))
    return found.value


def test_a_mail_that_came_in_is_in_the_metrics_after_the_next_cycle(
    app: Application, clock: FixedClock, google: GoogleWorld
) -> None:
    google.receive(1, newest=START - timedelta(hours=1), of=REP)
    service(app, clock, 2)
    assert received(app) == 1
    google.receive(1, newest=clock.now(), of=REP)
    assert received(app) == 1
    interval = timedelta(seconds=app.settings.capture.interval_seconds)
    service(app, clock, 1 + interval // timedelta(minutes=1))
    assert received(app) == 2


def test_a_first_import_sets_off_nothing_that_is_meant_for_new_mail(
    app: Application, clock: FixedClock, google: GoogleWorld, sink: Mailbox
) -> None:
    google.receive(20, newest=START - timedelta(hours=1), of=REP)
    service(app, clock, 11)
    with reading(app.engine) as session:
        assert session.exec(select(func.count()).select_from(Activity)).one() == 20
        assert session.exec(select(Stall.since).where(Stall.since.is_not(None))).all() == []  # type: ignore[union-attr]
        assert delays(session, [1], clock.now().date()) == {}
    assert sink.messages == [], "nobody is told of what was there all along"
