"""The product and the baselines judged on worlds: rows for a table or JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.evaluate.answers import read_answers
from autocapture.evaluate.baselines import BASELINES, answers_of
from autocapture.evaluate.figures import Judged, Rate, figures_of, judge, precision_at
from autocapture.evaluate.harness import lived
from autocapture.evaluate.world import KINDS, World

PRODUCT = "autocapture"
LEVELS: tuple[CaptureLevel, ...] = ("full", "subject")
"""With the text of mails, and with their subjects alone, which is the default."""
ALL = "all"
AT_COVERAGE = 0.80
"""The coverage at which a baseline says how hard a world is."""

_NOT_ITS_OWN = {"admission": None, "calibration_error": None}
"""What a baseline is told, or has from us."""

Row = Mapping[str, Any]

Look = Callable[[Application, World, CaptureLevel, Sequence[Judged]], None]
"""Called for each world and level, while the deployment that captured it is still there."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What everybody said of the worlds. `product` is by capture level, `baselines` by name."""

    product: Mapping[CaptureLevel, Sequence[Judged]]
    baselines: Mapping[str, Sequence[Judged]]

    def figures(self) -> Iterator[Row]:
        """One row for everybody, overall and for each kind."""
        for name, level, judged in self._judges():
            for kind in (ALL, *KINDS):
                of_kind = [each for each in judged if kind in (ALL, each.activity.kind)]
                if of_kind:
                    yield {
                        "who": name,
                        "level": level,
                        "kind": kind,
                        **figures_row(of_kind),
                        **({} if level else _NOT_ITS_OWN),
                    }

    def cases(self) -> Iterator[Row]:
        """One row for the product at each level and hard case."""
        for level, judged in self.product.items():
            by_case: dict[str, list[Judged]] = defaultdict(list)
            for each in judged:
                for case in each.truth.cases:
                    by_case[case].append(each)
            for case in sorted(by_case):
                yield {"who": PRODUCT, "level": level, "case": case, **figures_row(by_case[case])}

    def comparisons(self) -> Iterator[Row]:
        """The product beside each baseline, both as far as both reach; and the baseline at `AT_COVERAGE`."""
        for level, ours in self.product.items():
            for name, theirs in self.baselines.items():
                coverage = min(_coverage(ours), _coverage(theirs))
                yield {
                    "level": level,
                    "baseline": name,
                    "coverage": _rounded(coverage),
                    "precision": _rounded(precision_at(ours, coverage)),
                    "baseline_precision": _rounded(precision_at(theirs, coverage)),
                    "baseline_precision_at_80": _rounded(precision_at(theirs, AT_COVERAGE)),
                }

    def best_baseline(self) -> float | None:
        """The best precision that a baseline has where it covers `AT_COVERAGE`; None where none of them does."""
        found = [precision_at(judged, AT_COVERAGE) for judged in self.baselines.values()]
        return max((each for each in found if each is not None), default=None)

    def as_json(self) -> dict[str, Any]:
        """Everything that there is to report."""
        return {
            "figures": list(self.figures()),
            "comparisons": list(self.comparisons()),
            "best_baseline_at_80": _rounded(self.best_baseline()),
            "cases": list(self.cases()),
        }

    def _judges(self) -> Iterator[tuple[str, str, Sequence[Judged]]]:
        for level, judged in self.product.items():
            yield PRODUCT, level, judged
        for name, judged in self.baselines.items():
            yield name, "", judged


def evaluate(
    worlds: Iterable[World], levels: Sequence[CaptureLevel] = LEVELS, look: Look | None = None
) -> Evaluation:
    """Puts each world to the product, at each of the levels, and to every baseline; judged is all that they said together."""
    product: dict[CaptureLevel, list[Judged]] = {level: [] for level in levels}
    baselines: dict[str, list[Judged]] = {name: [] for name in BASELINES}
    for world in worlds:
        for level, held in product.items():
            with lived(world, level) as app:
                judged = judge(world, read_answers(app.engine, world))
                if look is not None:
                    look(app, world, level, judged)
            held += judged
        for name, held in baselines.items():
            held += judge(world, answers_of(BASELINES[name], world))
    return Evaluation(product, baselines)


def figures_row(judged: Collection[Judged]) -> dict[str, Any]:
    """Each rate as a number of three decimals; precision and coverage with their intervals and how many they are of."""
    found = figures_of(judged)
    row: dict[str, Any] = {"activities": found.activities}
    for each in fields(found):
        value = getattr(found, each.name)
        if not isinstance(value, Rate):
            continue
        row[each.name] = _rounded(value.value)
        if each.name in ("precision", "coverage"):
            low, high = value.interval or (None, None)
            row |= {
                f"{each.name}_low": _rounded(low),
                f"{each.name}_high": _rounded(high),
                f"{each.name}_n": value.of,
            }
    return {**row, "calibration_error": _rounded(found.calibration_error)}


def _coverage(judged: Sequence[Judged]) -> float:
    return figures_of(judged).coverage.value or 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
