"""What is published is what the metrics say, adds up, and never changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import col, select
from tests.integration.summary.beginning import deal
from tests.integration.summary.organization import MONDAY, WEEK

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import CATALOG
from autocapture.measure.period import parse_period
from autocapture.measure.query import Query, Scope
from autocapture.model.activities import Activity, Participation
from autocapture.model.measures import PublishedValue
from autocapture.report.measured import Measured, exact
from autocapture.report.numbers import Cell, row_hash
from autocapture.report.publication import summary_of
from autocapture.report.summary import from_data, to_data
from autocapture.store.engine import reading, writing
from autocapture.workflows.summarize import publish


def test_every_published_number_is_the_sum_of_its_rows_and_keeps_their_hash(app: Application) -> None:
    publication = publish(app, team_id=1, week=WEEK)
    numbers = summary_of(publication).numbers()
    with reading(app.engine) as session:
        kept = {
            (value.metric, value.cell): value
            for value in session.exec(
                select(PublishedValue).where(PublishedValue.publication_id == publication.id)
            )
        }
        measured = Measured(session, publication.as_of)
        for number in numbers:
            value = kept[number.metric, number.cell]
            rows = measured.rows(number.metric, Cell.parse(number.cell))
            assert value.n == len(rows) == number.n
            assert value.row_hash == row_hash(rows)
            assert value.value == (None if number.value is None else format(number.value, "f"))
            if number.unit in ("count", "money") and number.denominator is None:
                total = sum((exact(row.contribution) for row in rows), Decimal(0))
                assert number.value == total or (number.value is None and not rows)
    assert len(kept) == len(numbers) > 100


@pytest.mark.parametrize("metric", ["meetings_held", "emails_sent", "calls_connected", "lead_response_time"])
def test_a_tile_tells_what_the_metric_says(app: Application, metric: str) -> None:
    summary = summary_of(publish(app, team_id=1, week=WEEK))
    (tile,) = [tile for tile in summary.tiles if tile.number.metric == metric]
    with reading(app.engine) as session:
        query = Query(parse_period(WEEK), MONDAY, scope=Scope("team", "North"))
        (value,) = aggregate(session, CATALOG[metric], query)
    assert value.value is not None
    assert tile.number.value == exact(value.value)
    assert len(tile.history) == 13


def test_the_pipeline_of_the_week_adds_up_and_its_end_is_the_open_pipeline(app: Application) -> None:
    summary = summary_of(publish(app, team_id=1, week=WEEK))
    (pipeline,) = summary.pipelines
    level = pipeline.start.value or Decimal(0)
    for move in pipeline.movements:
        level += move.sign * (move.number.value or Decimal(0))
    (tile,) = [tile for tile in summary.tiles if tile.number.metric == "open_pipeline_value"]
    assert level == pipeline.end.value == tile.number.value
    parts = {move.part: move.number.value for move in pipeline.movements}
    assert parts["grown"] == 12_000
    assert parts["shrunk"] == 5_000
    assert parts["new"] == 27_500


def test_a_second_publication_is_the_stored_one_whatever_happened_since(app: Application) -> None:
    first = publish(app, team_id=1, week=WEEK)
    with writing(app.engine) as session:
        for row in session.exec(select(Participation).where(Participation.user_id == 2)).all():
            session.delete(row)
    assert isinstance(app.clock, FixedClock)
    app.clock.advance(timedelta(days=1))
    second = publish(app, team_id=1, week=WEEK)
    assert (second.id, second.as_of, second.data) == (first.id, first.as_of, first.data)


def test_what_is_learned_later_does_not_enter_the_rows_of_a_published_number(app: Application) -> None:
    publication = publish(app, team_id=1, week=WEEK)
    number = next(n for n in summary_of(publication).numbers() if n.metric == "emails_sent")
    with writing(app.engine) as session:
        mail = session.exec(
            select(Activity, Participation)
            .join(Participation, col(Participation.activity_id) == col(Activity.id))
            .where(Activity.kind == "email")
        ).first()
        assert mail is not None
        late = Activity(
            **{**mail[0].model_dump(), "id": 7, "dedupe_key": "late", "known_at": MONDAY + timedelta(hours=1)}
        )
        session.add(late)
        session.flush()
        session.add(Participation(**{**mail[1].model_dump(), "activity_id": 7}))
    with reading(app.engine) as session:
        rows = Measured(session, publication.as_of).rows(number.metric, Cell.parse(number.cell))
    assert len(rows) == number.n


def test_a_summary_survives_json(app: Application) -> None:
    summary = summary_of(publish(app, team_id=1, week=WEEK))
    assert from_data(json.loads(json.dumps(to_data(summary)))) == summary


def test_what_is_not_known_is_said(app: Application) -> None:
    unknown = summary_of(publish(app, team_id=1, week=WEEK)).unknown
    assert [(trouble.user, trouble.state) for trouble in unknown.troubles] == [
        ("Carla de Vries", "needs_reconnect")
    ]
    assert unknown.quarantined == 1
    assert 0 < unknown.unmatched < unknown.matchable
    assert unknown.without_quota == ("Dmitri Olsson",)
    assert unknown.unpriced == 1


def test_a_week_that_is_not_over_is_not_published(app: Application) -> None:
    with pytest.raises(InputError, match="not over yet"):
        publish(app, team_id=1, week="2026-W47")
    with pytest.raises(InputError, match="ISO week"):
        publish(app, team_id=1, week="2026-10")


def test_a_team_that_won_everything_it_had_open_is_told_in_the_currency_of_its_deals(
    people: Application,
) -> None:
    deal(people, 1, minor=100_000)
    (person,) = summary_of(publish(people, team_id=1, week=WEEK)).people
    (revenue,) = [number for number in person.numbers if number.metric == "revenue_won"]
    assert (revenue.value, revenue.currency) == (1000, "EUR")


def test_two_publishers_at_once_store_one_publication(
    copy: Callable[..., Application], written: Path
) -> None:
    app = copy(written)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _n: publish(app, team_id=1, week=WEEK), range(2)))
    assert found[0].id == found[1].id
    assert found[0].data == found[1].data
