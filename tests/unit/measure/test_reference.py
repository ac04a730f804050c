"""The reference page says what the declarations say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autocapture.measure.catalog import CATALOG, METRICS, metric_named
from autocapture.measure.explain import explain, fingerprint, reference
from autocapture.measure.facts import activity

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(METRICS), "run python -m autocapture.measure.explain"


def test_every_metric_names_its_rules_and_has_examples() -> None:
    rules = {f"R{number}" for number in range(1, 21)}
    for metric in METRICS:
        assert metric.rules, metric.name
        assert set(metric.rules) <= rules, metric.name
        assert metric.examples, metric.name
        assert metric.doc.endswith("."), metric.name
    assert len(CATALOG) == len(METRICS) == 20


def test_an_explanation_has_the_words_and_the_sql() -> None:
    said = explain(metric_named("win_rate"))
    assert said.startswith("win_rate: Win rate\n")
    assert "SELECT" in said
    assert "closed_on BETWEEN" in said
    assert ":period_start" in said


def test_a_fingerprint_changes_with_the_definition_only() -> None:
    sent = metric_named("emails_sent")
    assert fingerprint(sent) == fingerprint(replace(sent, doc="other words"))
    assert fingerprint(sent) != fingerprint(replace(sent, version=2))
    assert fingerprint(sent) != fingerprint(replace(sent, where=sent.where & (activity.c.moved_count == 7)))
    assert len({fingerprint(metric) for metric in METRICS}) == len(METRICS)
