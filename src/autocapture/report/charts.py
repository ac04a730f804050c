"""Charts as Vega-Lite declarations, rendered to SVG and PNG by vl-convert.

The declarations are written by hand: they are a handful, and importing Altair to build the same dictionaries takes a second.
Three kinds only, readable in grey: a bullet bar, a sparkline, a waterfall. The alternative text of each is its numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
SMALL_WIDTH, FULL_WIDTH = 132, 620
_PNG_SCALE = 2  # sharp on the displays that most mail is read on


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a rendering: literal for mail and files, CSS variables where a page follows light and dark."""

    ink: str
    muted: str
    line: str
    accent: str
    gain: str
    loss: str


PAPER = Palette(
    ink="#1c2430", muted="#5d6878", line="#d9dee6", accent="#2456c6", gain="#3f73db", loss="#a9b4c4"
)
PAGE = Palette(
    ink="var(--ink)",
    muted="var(--muted)",
    line="var(--line)",
    accent="var(--accent)",
    gain="var(--gain)",
    loss="var(--loss)",
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A Vega-Lite declaration with the words that stand for it."""

    spec: dict[str, Any]
    alt: str


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall, from `low` to `high`; `kind` is total, gain or loss. `text` is its value in the reader's format."""

    name: str
    low: float
    high: float
    kind: str
    text: str


def svg(chart: Chart) -> str:
    """The chart as an SVG element, to be placed inside a page."""
    return _svg(json.dumps(chart.spec))


@lru_cache(maxsize=512)
def _svg(spec: str) -> str:
    """A publication never changes, so a chart is drawn once: 7 ms each, and half a second for the first of a process."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def warm_up() -> None:
    """Draws a chart that nobody sees. The first of a process takes a second or two, which the first reader should not wait."""
    _svg(json.dumps({"data": {"values": [{"x": 0}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}))


def png(chart: Chart) -> bytes:
    """The chart as a PNG at twice its nominal size, for mail."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(chart.spec, scale=_PNG_SCALE, allowed_base_urls=[]))


def sparkline(values: Sequence[float | None], alt: str, palette: Palette) -> Chart:
    """The course of a number, oldest first; a gap where there was no value, a dot on the last week, the median dashed."""
    rows = [{"week": place, "value": value} for place, value in enumerate(values)]
    known = sorted(value for value in values[:-1] if value is not None)
    x = {"field": "week", "type": "quantitative", "axis": None, "scale": {"domain": [0, len(rows) - 1]}}
    y = {"field": "value", "type": "quantitative", "axis": None, "scale": {"zero": True}}
    layers: list[dict[str, Any]] = [
        {
            "mark": {
                "type": "line",
                "color": palette.accent,
                "strokeWidth": 1.6,
                "invalid": "break-paths-show-domains",
            },
            "encoding": {"x": x, "y": y},
        },
        {
            "transform": [{"filter": f"datum.week == {len(rows) - 1} && datum.value !== null"}],
            "mark": {"type": "circle", "color": palette.accent, "size": 26, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
    ]
    if known:
        median = {
            "data": {"values": [{"median": known[len(known) // 2]}]},
            "mark": {"type": "rule", "color": palette.muted, "strokeWidth": 0.8, "strokeDash": [2, 3]},
            "encoding": {"y": {**y, "field": "median"}},
        }
        layers.insert(0, median)
    return Chart(_spec({"width": SMALL_WIDTH, "height": 30, "data": {"values": rows}, "layer": layers}), alt)


def bullet(rate: float, pace: float | None, alt: str, palette: Palette, width: int = SMALL_WIDTH) -> Chart:
    """Attainment as a bar against the full quota, with a tick where the pace would be today."""
    end = max(1.0, rate, pace or 0.0)
    x = {"type": "quantitative", "axis": None, "scale": {"domain": [0, end], "nice": False}}

    def bar(value: float, colour: str, height: int) -> dict[str, Any]:
        return {
            "data": {"values": [{"from": 0, "to": value}]},
            "mark": {"type": "bar", "color": colour, "height": height},
            "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}},
        }

    layers = [bar(1.0, palette.line, 12), bar(max(rate, 0.0), palette.accent, 6)]
    if pace is not None:
        tick = {
            "data": {"values": [{"to": pace}]},
            "mark": {"type": "tick", "color": palette.ink, "thickness": 2, "height": 16},
            "encoding": {"x": {"field": "to", **x}},
        }
        layers.append(tick)
    return Chart(_spec({"width": width, "height": 16, "layer": layers}), alt)


def waterfall(steps: Sequence[Step], alt: str, palette: Palette) -> Chart:
    """How a stock came from its start to its end. Totals are darkest, gains solid, losses pale: told apart without colour."""
    rows = [
        {"name": step.name, "low": step.low, "high": step.high, "kind": step.kind, "text": step.text}
        for step in steps
    ]
    names = [step.name for step in steps]
    x = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "axis": {
            "title": None,
            "labelAngle": 0,
            "labelColor": palette.muted,
            "labelFontSize": 12,
            "labelPadding": 6,
            "ticks": False,
            "domainColor": palette.line,
        },
        "scale": {"paddingInner": 0.28, "paddingOuter": 0.14},
    }
    y = {"type": "quantitative", "axis": None, "scale": {"zero": True}}
    fill = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["total", "gain", "loss"], "range": [palette.ink, palette.gain, palette.loss]},
    }
    layers = [
        {
            "mark": {"type": "bar", "cornerRadius": 2},
            "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}, "fill": fill},
        },
        {
            "mark": {"type": "text", "baseline": "bottom", "dy": -5, "fontSize": 12, "color": palette.ink},
            "encoding": {"x": x, "y": {"field": "high", **y}, "text": {"field": "text", "type": "nominal"}},
        },
    ]
    return Chart(_spec({"width": FULL_WIDTH, "height": 190, "data": {"values": rows}, "layer": layers}), alt)


def _spec(body: dict[str, Any]) -> dict[str, Any]:
    config = {"view": {"stroke": None}, "font": _FONT, "aria": False}
    return {"$schema": _SCHEMA, "background": None, "padding": 2, "config": config, **body}
