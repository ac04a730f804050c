"""The daily rollups, brought up to date."""

from __future__ import annotations

from autocapture.application import Application
from autocapture.measure.catalog import METRICS
from autocapture.measure.rollup import refresh, waiting
from autocapture.store.engine import reading, writing
from autocapture.store.statistics import look_again
from autocapture.workflows.adjustments import mark_due, settle_adjustments

MUCH = 200
"""So many changed days are an import's or a first capture's: the database had better look at its tables again."""


def refresh_rollups(app: Application) -> int:
    """Computes every dirty cell anew, and looks at what was published of their days; the number of cells."""
    with reading(app.engine) as session:
        much = waiting(session, MUCH) >= MUCH
    if much:
        with writing(app.engine) as session:
            look_again(session)  # first, because refreshing reads the tables that have grown
    with writing(app.engine) as session:
        mark_due(session, app.clock.now())
        count = refresh(session, METRICS)
    settle_adjustments(app)
    return count
