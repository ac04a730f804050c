"""SQLite and PostgreSQL give the same values, traces and rollups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from sqlmodel import Session, SQLModel
from tests.integration.measure.year import AS_OF, YEAR, rows_of_a_year
from tests.peers.postgres import postgres_server, postgres_url

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import METRICS
from autocapture.measure.declare import Metric
from autocapture.measure.examples import ANN, BOB
from autocapture.measure.query import COMPANY, Query, Scope
from autocapture.measure.rollup import mark_everything_dirty, refresh
from autocapture.measure.schedules import load_schedules, share_gone
from autocapture.measure.trace import trace
from autocapture.model.working_time import Absence, WorkingHours
from autocapture.store.engine import open_engine, writing

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.postgres


@pytest.fixture
def both(postgres_url: str) -> Iterator[tuple[Session, Session]]:
    engines = [open_engine("sqlite://"), open_engine(postgres_url)]
    for engine in engines:
        SQLModel.metadata.create_all(engine)
    with writing(engines[0]) as small, writing(engines[1]) as large:
        yield small, large
    for engine in engines:
        engine.dispose()


def test_sqlite_and_postgresql_agree_on_every_metric_cut_and_trace(both: tuple[Session, Session]) -> None:
    for session in both:
        rows_of_a_year(session, seed=7, activities=300)
        session.add(
            WorkingHours(user_id=None, valid_from=date(2026, 1, 1), week="08:00-16:00;" * 6, holidays="NL")
        )
        session.add(
            WorkingHours(user_id=ANN, valid_from=date(2026, 6, 1), week="09:00-12:00 13:00-17:00;;;;;;")
        )
        session.add(
            Absence(user_id=BOB, starts_on=date(2026, 7, 1), ends_on=date(2026, 7, 20), share=Decimal("0.5"))
        )
        session.flush()
    for scope in (COMPANY, Scope("team", "North"), Scope("user", "bob@us.example")):
        gone = [
            share_gone(session, load_schedules(session), scope, YEAR, date(2026, 7, 9)) for session in both
        ]
        assert gone[0] == gone[1], scope
    for metric in METRICS:
        for query in _queries(metric):
            small, large = (aggregate(session, metric, query) for session in both)
            assert small == large, (metric.name, query)
        query = Query(YEAR, AS_OF)
        small_rows, large_rows = (trace(session, metric, query) for session in both)
        assert small_rows == large_rows, metric.name


def test_the_rollup_is_the_same_on_both(both: tuple[Session, Session]) -> None:
    answers = []
    for session in both:
        rows_of_a_year(session, seed=8, activities=200)
        mark_everything_dirty(session)
        assert refresh(session, METRICS) > 0
        values = [
            value
            for metric in METRICS
            for value in aggregate(session, metric, Query(YEAR, AS_OF, by=("user",)))
        ]
        assert {value.source for value in values} == {"rows", "rollup"}
        answers.append(values)
    assert answers[0] == answers[1]


def _queries(metric: Metric) -> Iterator[Query]:
    for by in ((), ("user",), ("team",), ("company",), ("team", "user")):
        yield Query(YEAR, AS_OF, by=by)
    yield Query(YEAR, AS_OF, grain="month")
    yield Query(YEAR, AS_OF, by=("team",), grain="week")
    yield Query(YEAR, AS_OF, known_at=AS_OF.replace(month=6))
