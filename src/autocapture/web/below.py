"""What every page below a summary says of it."""

from __future__ import annotations

from typing import Any

from autocapture.model.measures import Publication
from autocapture.report.message import Links
from autocapture.report.reader import Reader
from autocapture.report.summary import Summary


def below(publication: Publication, summary: Summary, reader: Reader) -> dict[str, Any]:
    """The way back, whose week it tells of, and when it was told."""
    return {
        "back": Links("", publication.id or 0).page(summary),
        "team": summary.team,
        "week": summary.week,
        "as_of": reader.moment_full(publication.as_of),
    }
