"""What a metric means: in words, as SQL, as a fingerprint, and as the reference page made from the declarations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from textwrap import fill
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import SQLCompiler

from autocapture.measure.compile import dimensions_of, summed
from autocapture.measure.declare import AsOf, Cohort, Duration, Metric, Ratio
from autocapture.measure.period import Period
from autocapture.measure.query import Query

ANYTHING = Query(Period(date(2026, 1, 1), date(2026, 1, 1)), datetime(2026, 1, 1, tzinfo=UTC))
"""A question without conditions: what its SQL says, the definition says."""
_LEVELS = {
    "input": "input (what reps do)",
    "between": "between (lead to deal)",
    "output": "output (result)",
}


def explain(metric: Metric) -> str:
    """The definition in words, then the SQL that computes it (PostgreSQL's spelling, parameters by name)."""
    lines = [f"{metric.name}: {metric.title}", "", fill(metric.doc, 100), ""]
    lines += [f"{name + ':':14}{said}" for name, said in _facts(metric)]
    lines.append(f"{'fingerprint:':14}{fingerprint(metric)}")
    compiled = _compiled(summed(metric, ANYTHING))
    constants = [f"  :{name} = {value!r}" for name, value in compiled.params.items() if value is not None]
    return "\n".join([*lines, "", str(compiled), "", *constants, ""])


def fingerprint(metric: Metric, statement: Select[*tuple[Any, ...]] | None = None) -> str:
    """Identifies the definition: a hash of its SQL with all constants, its kind and its version.

    `statement`: what else than its values is computed by the definition.
    """
    compiled = _compiled(summed(metric, ANYTHING) if statement is None else statement)
    clock = metric.clock if isinstance(metric, Duration) else ""
    parts = (
        type(metric).__name__,
        clock,
        str(metric.version),
        str(compiled),
        repr(sorted(compiled.params.items())),
    )
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def reference(metrics: Iterable[Metric]) -> str:
    """The page docs/reference/metrics.md."""
    parts = [
        "# Metrics",
        "This page is made from the declarations in `autocapture.measure` by `python -m autocapture.measure.explain`.",
        "Rules R1–R20 are the common rules of the metrics: which clock, whose it is, what is counted once. "
        "A value is null where there is none, never 0: before its period begins, for people who have connected nothing it is "
        "counted from, and where there is nothing to divide by. An amount to which nothing belongs is null as well; tables "
        "call it none, and attainment counts it as 0 of the quota.",
        "`complete` is false where the period begins before an account's `since` or has not begun, where a rep has connected "
        "nothing of what is counted, and until the first capture has ended. Tables say which.",
    ]
    for metric in metrics:
        parts += [f"## {metric.name}", f"**{metric.title}.** {metric.doc}"]
        parts.append(
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {said} |" for name, said in _facts(metric))])
        )
        parts.append("Examples:")
        parts.append("\n".join(_example(example.title, example.expected) for example in metric.examples))
    return "\n\n".join(parts) + "\n"


_CHANNELS = {"email": "mail folders", "event": "calendars", "call": "call logs"}


def _facts(metric: Metric) -> list[tuple[str, str]]:
    return [
        ("unit", metric.unit),
        ("level", _LEVELS[metric.level]),
        ("better", metric.direction),
        ("kind", _kind(metric)),
        ("counted from", ", ".join(_CHANNELS[kind] for kind in metric.counted_from) or "the CRM"),
        ("rules", ", ".join(metric.rules)),
        ("dimensions", ", ".join(dimensions_of(metric))),
        ("may be added", ", ".join(f"over {along}" for along in metric.additive) or "never"),
        ("version", str(metric.version)),
    ]


def _kind(metric: Metric) -> str:
    match metric:
        case AsOf():
            return "stock at the end of the period"
        case Ratio():
            return "ratio of sums"
        case Cohort():
            return f"cohort, followed for {metric.window.days} days"
        case Duration():
            return f"median duration, {metric.clock} time"
        case _:
            return "sum over the period"


def _example(title: str, expected: int | float | str | None) -> str:
    said = "null" if expected is None else f"{expected:.4g}" if isinstance(expected, float) else expected
    return f"- {title}: **{said}**"


def _compiled(statement: Select[*tuple[Any, ...]]) -> SQLCompiler:
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  a select compiles to SQL
    return compiled


if __name__ == "__main__":
    from pathlib import Path

    from autocapture.measure.catalog import METRICS

    Path("docs/reference/metrics.md").write_text(reference(METRICS), encoding="utf-8")
