"""Charts can be read without colour, and their words are their numbers."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from autocapture.report import charts
from autocapture.report.charts import PAGE, PAPER, Chart, Step

STEPS = [
    Step("Start", 0, 100, "total", "100"),
    Step("New", 100, 140, "gain", "+40"),
    Step("Lost", 90, 140, "loss", "−50"),
    Step("End", 0, 90, "total", "90"),
]


def _all(palette: charts.Palette) -> list[Chart]:
    return [
        charts.sparkline([1, None, 3, 2], "1, none, 3, 2", palette),
        charts.sparkline([None, None], "none", palette),
        charts.bullet(0.6, 0.5, "60%", palette),
        charts.bullet(-0.1, None, "-10%", palette),
        charts.bullet(2.5, 1.0, "250%", palette),
        charts.waterfall(STEPS, "from 100 to 90", palette),
    ]


@pytest.mark.parametrize("palette", [PAPER, PAGE])
def test_every_chart_becomes_svg_without_script_or_address(palette: charts.Palette) -> None:
    for chart in _all(palette):
        svg = charts.svg(chart)
        assert svg.startswith("<svg ")
        assert "<script" not in svg
        assert not re.search(r"(href|src|style)=", svg)


def test_every_chart_becomes_png_for_mail() -> None:
    for chart in _all(PAPER):
        assert charts.png(chart).startswith(b"\x89PNG")


def test_a_waterfall_writes_every_value_with_its_sign() -> None:
    svg = charts.svg(charts.waterfall(STEPS, "", PAPER))
    for step in STEPS:
        assert f">{step.text}<" in svg
        assert f">{step.name}<" in svg


def test_totals_gains_and_losses_differ_in_grey() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    shades = [lightness(colour) for colour in (PAPER.ink, PAPER.gain, PAPER.loss)]
    assert min(later - earlier for earlier, later in pairwise(shades)) > 40


def test_a_gap_stays_a_gap() -> None:
    svg = charts.svg(charts.sparkline([1, 2, None, 3, 4], "", PAPER))
    assert any(path.count("M") == 2 for path in re.findall(r' d="([^"]*)"', svg))
