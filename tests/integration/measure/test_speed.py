"""What the metrics of a company's year and a team's weekly summary cost, in CPU time: wall time would measure the neighbours.

The bounds lie an order of magnitude above what is expected, so that a machine under load passes and a scan for every
row does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

import pytest
from sqlmodel import Session, SQLModel
from tests.integration.measure.large import AS_OF, WEEK, YEAR, rows_of_a_large_year

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import METRICS
from autocapture.measure.query import Query
from autocapture.measure.rollup import mark_everything_dirty, refresh
from autocapture.model.organization import Team
from autocapture.report.assemble import build_summary
from autocapture.store.engine import open_engine, reading, writing
from autocapture.store.statistics import look_again

SUMMARY = "summary of a team's week"


@contextmanager
def _year(file: Path, participations: int) -> Iterator[Session]:
    engine = open_engine(f"sqlite:///{file}")
    SQLModel.metadata.create_all(engine)
    with writing(engine) as session:
        rows_of_a_large_year(session, seed=1, participations=participations)
        look_again(session)
        mark_everything_dirty(session)
        refresh(session, METRICS)
    with reading(engine) as session:
        yield session
    engine.dispose()


def _costs(session: Session) -> dict[str, float]:
    """CPU seconds of each metric and of the summary, the second time, when everything is imported."""
    team = session.get_one(Team, 3)
    asked: dict[str, Callable[[], object]] = {
        metric.name: lambda metric=metric: aggregate(session, metric, Query(YEAR, AS_OF))
        for metric in METRICS
    }
    asked[SUMMARY] = lambda: build_summary(session, team, WEEK, AS_OF)
    return {name: min(_cost(ask) for _ in range(2)) for name, ask in asked.items()}


def _cost(ask: Callable[[], object]) -> float:
    begun = process_time()
    ask()
    return process_time() - begun


def _require(costs: dict[str, float], *, metric: float, summary: float) -> None:
    for name, cost in costs.items():
        print(f"{name:26} {cost * 1000:7.0f} ms")
    assert max(cost for name, cost in costs.items() if name != SUMMARY) < metric
    assert costs[SUMMARY] < summary


def test_a_year_of_a_small_company_costs_next_to_nothing(tmp_path: Path) -> None:
    with _year(tmp_path / "small.db", 4_000) as session:
        _require(_costs(session), metric=0.3, summary=3)


@pytest.mark.soak
def test_a_year_of_200_000_participations_is_answered_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _year(tmp_path / "large.db", 200_000) as session, capsys.disabled():
        _require(_costs(session), metric=3, summary=6)
