"""Every metric there is, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from autocapture.errors import InputError
from autocapture.measure.call_metrics import CALL_METRICS
from autocapture.measure.deal_metrics import DEAL_METRICS
from autocapture.measure.declare import Metric
from autocapture.measure.email_metrics import EMAIL_METRICS
from autocapture.measure.meeting_metrics import MEETING_METRICS
from autocapture.measure.outreach_metrics import OUTREACH_METRICS

METRICS: tuple[Metric, ...] = (
    *EMAIL_METRICS,
    *MEETING_METRICS,
    *CALL_METRICS,
    *OUTREACH_METRICS,
    *DEAL_METRICS,
)
CATALOG: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """Raises InputError for an unknown name, with the one that may have been meant."""
    if name in CATALOG:
        return CATALOG[name]
    near = get_close_matches(name, CATALOG, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(CATALOG)}"
    raise InputError(f"there is no metric {name!r}{hint}")


def metrics_named(names: Iterable[str]) -> tuple[Metric, ...]:
    """The metrics of these names in their order; all of them where none is named."""
    return tuple(metric_named(name) for name in names) or METRICS
