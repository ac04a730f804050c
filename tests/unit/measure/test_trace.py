"""Every value opens to its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlmodel import Session, SQLModel

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import METRICS, metric_named
from autocapture.measure.declare import Duration, Example, Metric, Simple
from autocapture.measure.examples import ANN, AS_OF, BOB, WEEK, activity, cast, deal, insert_rows
from autocapture.measure.period import parse_period
from autocapture.measure.query import Query
from autocapture.measure.trace import trace
from autocapture.store.engine import open_engine, writing

EXAMPLES = [(metric, example) for metric in METRICS for example in metric.examples]
NAMES = [f"{metric.name}: {example.title}" for metric, example in EXAMPLES]


@pytest.fixture
def session() -> Iterator[Session]:
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with writing(engine) as session:
        yield session
    engine.dispose()


@pytest.mark.parametrize("by", [(), ("user",), ("team",), ("company",)], ids=str)
@pytest.mark.parametrize(("metric", "example"), EXAMPLES, ids=NAMES)
def test_the_rows_of_a_trace_add_up_to_the_value(
    session: Session, metric: Metric, example: Example, by: tuple[str, ...]
) -> None:
    insert_rows(session, (*cast(), *example.rows))
    query = Query(WEEK, AS_OF, by=by, where=example.where)
    rows = trace(session, metric, query)
    for value in aggregate(session, metric, query):
        own = [row for row in rows if row.by == value.by and row.currency == value.currency]
        assert value.n == len(own)
        if isinstance(metric, Simple):
            assert sum(row.contribution for row in own) == (value.value or 0)
        elif not isinstance(metric, Duration):
            assert sum(row.numerator for row in own) == (value.numerator or 0)
            assert sum(row.denominator for row in own) == value.denominator
    assert len(rows) == sum(value.n for value in aggregate(session, metric, query))


def test_a_traced_row_says_when_who_with_whom_and_what(session: Session) -> None:
    meeting = activity(7, "meeting", "11-10 15:00", [ANN, BOB], status="held", subject="Kick-off")
    insert_rows(session, (*cast(), *meeting))
    [row] = trace(session, metric_named("meetings_held"), Query(WEEK, AS_OF))
    assert (row.kind, row.id, row.title, row.contribution) == ("meeting", 7, "Kick-off", 1)
    assert row.users == ("ann@us.example", "bob@us.example")
    assert row.with_whom == ("kim@acme.example",)
    assert row.at.isoformat() == "2026-11-10T15:00:00+00:00"


def test_a_permission_hides_rows_from_the_value_and_from_its_trace_alike(session: Session) -> None:
    insert_rows(
        session,
        (*cast(), *activity(1, "email", "11-09 10:00", [ANN]), *activity(2, "email", "11-09 10:00", [BOB])),
    )
    query = Query(WEEK, AS_OF, visible=lambda facts: facts.user == ANN)
    [value] = aggregate(session, metric_named("emails_sent"), query)
    assert value.value == 1
    assert [row.id for row in trace(session, metric_named("emails_sent"), query)] == [1]
    assert len(trace(session, metric_named("emails_sent"), replace(query, visible=None))) == 2


def test_a_period_that_has_not_begun_has_no_rows(session: Session) -> None:
    insert_rows(session, (*cast(), *deal(1, "11-01 10:00")))
    metric = metric_named("open_pipeline_count")
    assert len(trace(session, metric, Query(WEEK, AS_OF))) == 1
    assert trace(session, metric, Query(parse_period("2027-Q1"), AS_OF)) == []
