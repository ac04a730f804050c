"""How much there is, before anything is read."""

from __future__ import annotations

from datetime import UTC, datetime

from autocapture_microsoft.batch import Ask, ask_all
from autocapture_microsoft.graph import Graph
from autocapture_microsoft.graph import instant as written

_YEARS = 20
"""What is older counts for the first of them."""


def by_year(graph: Graph, path: str, moment: str, *, quoted: bool) -> dict[int, int]:
    """How many items below `path` have `moment` in each year, without the years that have none; empty where Graph does not
    count that way. `quoted`: the moment is text to Graph, not an instant."""
    this_year = graph.tools.clock.now().year
    asks = []
    for year in range(this_year - _YEARS, this_year + 2):
        first = datetime(1970 if year == this_year - _YEARS else year, 1, 1, tzinfo=UTC)
        begins, ends = (_literal(each, quoted) for each in (first, datetime(year + 1, 1, 1, tzinfo=UTC)))
        query = f"$filter={moment} ge {begins} and {moment} lt {ends}&$count=true&$top=1&$select=id"
        asks.append(Ask(str(year), f"{path}?{query.replace(' ', '%20')}"))
    counts = {
        int(year): answer.body.get("@odata.count") if answer.ok else None
        for year, answer in ask_all(graph, asks).items()
    }
    if not all(isinstance(count, int) for count in counts.values()):
        return {}
    return {year: count for year, count in counts.items() if isinstance(count, int) and count}


def _literal(moment: datetime, quoted: bool) -> str:
    return f"'{moment:%Y-%m-%dT%H:%M:%S}'" if quoted else written(moment)
