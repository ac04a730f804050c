"""The same rows on PostgreSQL make the same summary, to the cent, and are sent once there too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import SQLModel
from tests.integration.summary.organization import WEEK
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import StoreBusy
from autocapture.model.accounts import Channel
from autocapture.report.smtp import SENT, Handover
from autocapture.store.engine import open_engine, reading, writing
from autocapture.workflows.summarize import deliver, publish

TOLD = {"publication", "published_value", "delivery"}


@pytest.fixture
def moved(app: Application, postgres_url: str) -> Iterator[Application]:  # noqa: F811
    """The application over PostgreSQL, with the rows of the SQLite database that nothing was published from."""
    engine = open_engine(postgres_url)
    make_tables(engine)
    with reading(app.engine) as source, writing(engine) as target:
        for table in SQLModel.metadata.sorted_tables:
            rows = [dict(row._mapping) for row in source.execute(table.select())]
            if rows and table.name not in TOLD:
                target.execute(table.insert(), rows)
    yield replace(app, engine=engine)
    engine.dispose()


@pytest.mark.postgres
def test_postgresql_tells_what_sqlite_tells(app: Application, moved: Application) -> None:
    assert publish(moved, team_id=1, week=WEEK).data == publish(app, team_id=1, week=WEEK).data


@pytest.mark.postgres
def test_one_mail_is_sent_on_postgresql(moved: Application) -> None:
    publication = publish(moved, team_id=1, week=WEEK)
    sent: list[str] = []

    def through(_server: object, _mail: object, recipient: str) -> Handover:
        sent.append(recipient)
        return Handover(SENT)

    for _ in range(2):
        (delivery,) = deliver(moved, publication, through=through)
        assert delivery.state == SENT
    assert sent == ["eva@ours.example"]


@pytest.mark.postgres
def test_a_week_told_too_early_is_counted_anew_on_postgresql(moved: Application) -> None:
    with writing(moved.engine) as session:
        session.execute(update(Channel).values(backfilled=False))
    early = publish(moved, team_id=1, week=WEEK)
    assert isinstance(moved.clock, FixedClock)
    moved.clock.advance(timedelta(hours=1))
    anew = publish(moved, team_id=1, week=WEEK)
    assert (anew.id, anew.as_of - early.as_of) == (early.id, timedelta(hours=1))
    with pytest.raises(StoreBusy, match="counted anew"):
        deliver(moved, early, through=lambda *_letter: Handover(SENT))
    (delivery,) = deliver(moved, anew, through=lambda *_letter: Handover(SENT))
    moved.clock.advance(timedelta(hours=1))
    assert delivery.state == SENT
    assert publish(moved, team_id=1, week=WEEK).as_of == anew.as_of
