"""The rollup gives what the rows give, whatever happened to them and in whichever order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import and_, delete, select
from sqlmodel import Session, SQLModel, col
from tests.integration.measure.year import AS_OF, YEAR, random_activity, rows_of_a_year

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import METRICS, metric_named
from autocapture.measure.declare import Metric
from autocapture.measure.examples import ANN, BOB, at, cast, insert_rows
from autocapture.measure.examples import activity as given_activity
from autocapture.measure.query import Query, Scope
from autocapture.measure.rollup import mark_everything_dirty, refresh
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.measures import DirtyCell, MetricDay
from autocapture.store.activities import mark_dirty
from autocapture.store.engine import open_engine, writing

ROLLED_UP = [metric for metric in METRICS if metric.rolled_up]


@pytest.fixture
def session() -> Iterator[Session]:
    with _database() as session:
        yield session


IN_NOVEMBER = at("11-14 12:00")
"""In the middle of the crowded days: older ones are settled, later ones are still to come."""
FEW = (Query(YEAR, AS_OF, grain="week"), Query(YEAR, IN_NOVEMBER, by=("user",)))


def _database():  # type: ignore[no-untyped-def]
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    return writing(engine)


def _put(session: Session, rows: tuple[SQLModel, ...]) -> None:
    """Replaces an activity by `rows` and marks the days it left and the days it came to."""
    number = rows[0].id
    _remove(session, number)
    insert_rows(session, rows)
    mark_dirty(session, _cells(session, number))


def _remove(session: Session, number: int) -> None:
    mark_dirty(session, _cells(session, number))
    for model in (Participation, Participant, Match):
        session.execute(delete(model).where(col(model.activity_id) == number))
    session.execute(delete(Activity).where(col(Activity.id) == number))


def _cells(session: Session, number: int) -> list[tuple[int, date]]:
    parts = session.scalars(select(Participation).where(col(Participation.activity_id) == number))
    return [(part.user_id, day) for part in parts for day in (part.local_date, part.booked_date) if day]


def _rollup(session: Session) -> list[tuple[object, ...]]:
    rows = session.scalars(select(MetricDay).execution_options(populate_existing=True))
    return sorted((row.metric, row.user_id, row.local_date, row.total, row.n) for row in rows)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(
        st.tuples(
            st.sampled_from(["put", "put", "remove", "refresh"]), st.integers(1, 12), st.integers(0, 2**20)
        ),
        max_size=25,
    )
)
def test_a_rollup_kept_up_with_late_edits_equals_one_built_anew(edits: list[tuple[str, int, int]]) -> None:
    with _database() as session:
        insert_rows(session, cast())
        for action, number, seed in edits:
            if action == "put":
                _put(session, random_activity(random.Random(seed), number))
            elif action == "remove":
                _remove(session, number)
            else:
                refresh(session, METRICS)
        refresh(session, METRICS)
        kept = _rollup(session)
        mark_everything_dirty(session)
        refresh(session, METRICS)
        assert kept == _rollup(session)
        assert refresh(session, METRICS) == 0
        _agrees_with_rows(session)


def _agrees_with_rows(session: Session, queries: Sequence[Query] = FEW) -> None:
    for metric in ROLLED_UP:
        for query in queries:
            told = aggregate(session, metric, query)
            counted = aggregate(session, metric, replace(query, visible=lambda facts: facts.id == facts.id))
            assert [replace(value, source="rows") for value in told] == counted, (metric.name, query)


def test_every_cut_is_the_same_from_the_rollup_and_from_the_rows(session: Session) -> None:
    rows_of_a_year(session, seed=5, activities=400)
    mark_everything_dirty(session)
    refresh(session, METRICS)
    queries = [
        Query(YEAR, as_of, by=by)
        for as_of in (AS_OF, IN_NOVEMBER)
        for by in ((), ("team",), ("team", "user"))
    ]
    queries += [Query(YEAR, as_of, grain="day") for as_of in (AS_OF, IN_NOVEMBER)]
    queries += [
        Query(YEAR, AS_OF, scope=Scope("team", "North"), grain="month"),
        Query(YEAR, IN_NOVEMBER, by=("user",)),
    ]
    _agrees_with_rows(session, queries)
    told = [aggregate(session, metric, query)[0].source for metric in ROLLED_UP for query in queries]
    assert set(told) == {"rollup"}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**20), order=st.randoms(use_true_random=False))
def test_the_order_in_which_activities_arrive_does_not_matter(seed: int, order: random.Random) -> None:
    chance = random.Random(seed)
    arrivals = [random_activity(chance, number) for number in range(1, 16)]
    answers = []
    for _ in range(2):
        with _database() as session:
            insert_rows(session, cast())
            for rows in arrivals:
                _put(session, rows)
            refresh(session, METRICS)
            queries = [Query(YEAR, AS_OF, by=by) for by in ((), ("user",), ("team",))]
            answers.append([aggregate(session, metric, query) for metric in METRICS for query in queries])
        order.shuffle(arrivals)
    assert answers[0] == answers[1]


def test_while_a_day_is_dirty_answers_for_its_period_come_from_rows(session: Session) -> None:
    insert_rows(session, cast())
    _put(session, given_activity(1, "email", "11-09 10:00", [ANN]))
    refresh(session, METRICS)
    year = Query(YEAR, AS_OF)
    assert [
        (value.value, value.source) for value in aggregate(session, metric_named("emails_sent"), year)
    ] == [(1, "rollup")]
    _put(session, given_activity(2, "email", "11-10 10:00", [BOB]))
    assert [
        (value.value, value.source) for value in aggregate(session, metric_named("emails_sent"), year)
    ] == [(2, "rows")]
    assert refresh(session, METRICS) == 1
    assert session.scalars(select(DirtyCell)).all() == []


def test_a_meeting_of_two_reps_is_one_for_the_company_and_never_a_sum_from_the_rollup(
    session: Session,
) -> None:
    insert_rows(session, cast())
    _put(session, given_activity(1, "meeting", "11-10 15:00", [ANN, BOB], status="held"))
    refresh(session, METRICS)
    held = metric_named("meetings_held")
    [company] = aggregate(session, held, Query(YEAR, AS_OF))
    assert (company.value, company.source) == (1, "rollup")
    [team] = aggregate(session, held, Query(YEAR, AS_OF, scope=Scope("team", "North")))
    assert team.value == 1
    reps = aggregate(session, held, Query(YEAR, AS_OF, by=("user",)))
    assert [(value.by["user"], value.value, value.source) for value in reps] == [
        ("ann@us.example", 1, "rollup"),
        ("bob@us.example", 1, "rollup"),
        ("cho@us.example", 0, "rollup"),
    ]
    shares = session.scalars(select(Participation.share)).all()
    assert sum(shares) == 1


def test_an_empty_rollup_answers_nothing(session: Session) -> None:
    insert_rows(session, (*cast(), *given_activity(1, "email", "11-09 10:00", [ANN])))
    [value] = aggregate(session, metric_named("emails_sent"), Query(YEAR, AS_OF))
    assert (value.value, value.source) == (1, "rows")


def _only_of_ann(metric: Metric) -> Metric:
    """The same name by another definition, as an earlier or later release may have it."""
    return replace(metric, where=and_(metric.where, metric.facts.user == ANN))


def test_a_rollup_made_by_another_definition_is_not_believed_and_made_anew(session: Session) -> None:
    insert_rows(session, cast())
    _put(session, given_activity(1, "call", "11-09 10:00", [ANN]))
    _put(session, given_activity(2, "call", "11-10 10:00", [BOB]))
    earlier = [_only_of_ann(metric) if metric.name == "calls_made" else metric for metric in METRICS]
    refresh(session, earlier)
    year, made = Query(YEAR, AS_OF), metric_named("calls_made")

    def told(metric: Metric) -> tuple[object, str]:
        [value] = aggregate(session, metric, year)
        return value.value, value.source

    assert told(next(metric for metric in earlier if metric.name == "calls_made")) == (1, "rollup")
    assert told(made) == (2, "rows")
    assert told(metric_named("emails_sent")) == (0, "rollup")
    assert refresh(session, METRICS) == 2
    assert told(made) == (2, "rollup")
    assert refresh(session, METRICS) == 0


def test_what_stands_apart_as_shared_belongs_to_the_definition(session: Session) -> None:
    insert_rows(session, cast())
    _put(session, given_activity(1, "meeting", "11-10 15:00", [ANN, BOB], status="held"))
    held = metric_named("meetings_held")
    alone = replace(held, facts=replace(held.facts, several=held.facts.user == BOB))
    refresh(session, [alone if metric is held else metric for metric in METRICS])
    [value] = aggregate(session, held, Query(YEAR, AS_OF))
    assert (value.value, value.source) == (1, "rows")


def test_a_new_definition_of_one_metric_is_another_release(session: Session) -> None:
    insert_rows(session, cast())
    _put(session, given_activity(1, "email", "11-09 10:00", [ANN]))
    refresh(session, METRICS)
    newer = [replace(metric, version=metric.version + 1) for metric in METRICS]
    assert refresh(session, newer) == 1
    assert refresh(session, newer) == 0
