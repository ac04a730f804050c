"""What the metrics of a company's year and a team's weekly summary cost, in CPU time: wall time would measure the neighbours.

Costs are told in yardsticks, a fixed piece of work measured between them, so that a slow machine, or one under load, passes. The
bounds of the small company lie at three to seven times what is usual: what becomes ten times as dear does not pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

import pytest
from sqlmodel import Session, SQLModel
from tests.integration.measure.large import AS_OF, WEEK, YEAR, rows_of_a_large_year

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import METRICS, metric_named
from autocapture.measure.query import Query
from autocapture.measure.rollup import mark_everything_dirty, refresh
from autocapture.model.organization import Team
from autocapture.report.assemble import build_summary
from autocapture.store.engine import open_engine, reading, writing
from autocapture.store.statistics import look_again

SUMMARY, YARDSTICK = "summary of a team's week", "yardstick"


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


def _costs(session: Session, rounds: int) -> dict[str, float]:
    """Yardsticks of each metric and of the summary: the least of `rounds`, after one in which everything is imported."""
    team = session.get_one(Team, 3)
    asked: dict[str, Callable[[], object]] = {
        metric.name: lambda metric=metric: aggregate(session, metric, Query(YEAR, AS_OF))
        for metric in METRICS
    }
    asked[SUMMARY] = lambda: build_summary(session, team, WEEK, AS_OF)
    least = dict.fromkeys([YARDSTICK, *asked], math.inf)
    for _ in range(rounds + 1):
        for name, ask in asked.items():
            least[YARDSTICK] = min(least[YARDSTICK], _cost(_yardstick))
            least[name] = min(least[name], _cost(ask))
    print(f"{YARDSTICK} {least[YARDSTICK] * 1000:.2f} ms")
    return {name: least[name] / least[YARDSTICK] for name in asked}


def _yardstick() -> int:
    """What answering does most: calls, small objects, dictionaries."""
    found: dict[int, str] = {}
    for number in range(5_000):
        found[number % 97] = f"{number}"
    return len(found)


def _cost(ask: Callable[[], object]) -> float:
    begun = process_time()
    ask()
    return process_time() - begun


def _bound_of_small(name: str) -> float:
    """In yardsticks. What is captured asks who has connected what; the response time walks through the working days."""
    if name == SUMMARY:
        return 2_000
    if name == "lead_response_time":
        return 80
    return 60 if metric_named(name).counted_from else 24


def _bound_of_large(name: str) -> float:
    return 10_000 if name == SUMMARY else 5_000


def _require(costs: dict[str, float], bound: Callable[[str], float]) -> None:
    for name, cost in costs.items():
        print(f"{name:26} {cost:7.1f} of {bound(name):7.0f}")
    assert [name for name, cost in costs.items() if cost > bound(name)] == []


def test_a_year_of_a_small_company_costs_next_to_nothing(tmp_path: Path) -> None:
    with _year(tmp_path / "small.db", 4_000) as session:
        _require(_costs(session, rounds=2), _bound_of_small)


@pytest.mark.soak
def test_a_year_of_200_000_participations_is_answered_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _year(tmp_path / "large.db", 200_000) as session, capsys.disabled():
        _require(_costs(session, rounds=1), _bound_of_large)
