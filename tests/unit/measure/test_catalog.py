"""Every metric's own examples, and what the catalog promises about names."""

from __future__ import annotations

import pytest
from sqlmodel import SQLModel

from autocapture.measure.catalog import METRICS
from autocapture.measure.declare import Example, Metric
from autocapture.measure.examples import check
from autocapture.store.engine import open_engine

EXAMPLES = [(metric, example) for metric in METRICS for example in metric.examples]


@pytest.mark.parametrize(("metric", "example"), EXAMPLES, ids=[f"{m.name}: {e.title}" for m, e in EXAMPLES])
def test_the_example_of_a_metric_gives_the_value_it_says(metric: Metric, example: Example) -> None:
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    check(engine, metric, example)
    engine.dispose()
