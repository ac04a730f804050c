"""Every activity of a world with its truth and the product's answer, as rows: what a figure is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.evaluate.answers import stored_as
from autocapture.evaluate.figures import Judged
from autocapture.evaluate.world import World
from autocapture.store.engine import reading


@dataclass(frozen=True, slots=True)
class Item:
    """`known_as` is what `explain` finds it by."""

    known_as: str
    row: dict[str, Any]


def items_of(app: Application, world: World, level: CaptureLevel, judged: Sequence[Judged]) -> Iterator[Item]:
    """In the order in which they happened. To be asked while the deployment that captured the world is there."""
    with reading(app.engine) as session:
        stored = stored_as(session, world)
    for each in sorted(judged, key=lambda one: (one.activity.at, one.activity.id)):
        number = stored[each.activity.id]
        yield Item(each.activity.id if number is None else str(number), _row(level, each))


def verdict(judged: Judged) -> str:
    """What the answer is worth, in the words of the figures."""
    truth, answer = judged.truth, judged.answer
    if truth.admitted != answer.admitted:
        return "left out wrongly" if truth.admitted else "admitted wrongly"
    if not truth.admitted:
        return "left out rightly"
    if not answer.attached:
        return "missed" if truth.has_deal else "open rightly"
    if judged.right == 1.0:
        return "right"
    return "partly right" if judged.right else "wrong"


def _row(level: CaptureLevel, judged: Judged) -> dict[str, Any]:
    activity, truth, answer = judged.activity, judged.truth, judged.answer
    return {
        "level": level,
        "activity": activity.id,
        "kind": activity.kind,
        "at": activity.at.isoformat(),
        "subject": activity.subject,
        "verdict": verdict(judged),
        "truth": {
            "admitted": truth.admitted,
            "reason": truth.reason,
            "people": sorted(truth.people),
            "companies": sorted(truth.company),
            "deal": truth.deal if truth.admitted else None,
            "cases": list(truth.cases),
        },
        "answer": {
            "admitted": answer.admitted,
            "people": sorted(answer.people or ()),
            "companies": sorted(answer.companies or ()),
            "deals": dict(answer.deals or {}),
            "certainty": round(answer.certainty, 4) if answer.attached else None,
        },
    }
