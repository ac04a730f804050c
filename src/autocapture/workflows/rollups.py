"""The daily rollups, brought up to date."""

from __future__ import annotations

from autocapture.application import Application
from autocapture.measure.catalog import METRICS
from autocapture.measure.rollup import refresh
from autocapture.store.engine import writing


def refresh_rollups(app: Application) -> int:
    """Computes every dirty cell anew; the number of cells."""
    with writing(app.engine) as session:
        return refresh(session, METRICS)
