"""Rows of activities under a number: who of ours, with whom, about what; those that the visitor may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.organization import User
from autocapture.report.reader import Reader
from autocapture.store.bulk import in_chunks
from autocapture.web.blind_copies import named_openly
from autocapture.web.ownership import Sight, seen_of

PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of the activities: `hidden` of them all are not the visitor's to see; `newer` and `older` number the pages
    beside it."""

    rows: list[dict[str, Any]]
    hidden: int
    newer: int | None
    older: int | None

    @property
    def told(self) -> dict[str, Any]:
        """As the pages take it."""
        are = "is" if self.hidden == 1 else "are"
        note = f"{self.hidden} of them {are} not yours to see." if self.hidden else ""
        return {"rows": self.rows, "hidden": note, "newer": self.newer, "older": self.older}


def shown(session: Session, sight: Sight, ids: Collection[int], reader: Reader, page: int) -> Shown:
    """The page of that number, counted from 1, of these activities, the newest first."""
    visible = seen_of(session, sight, ids)
    order = [
        (at, number)
        for chunk in in_chunks(sorted(visible))
        for number, at in session.exec(
            select(Activity.id, Activity.occurred_at).where(col(Activity.id).in_(chunk))
        )
    ]
    order.sort(reverse=True)
    first = (page - 1) * PER_PAGE
    chosen = [number for _at, number in order[first : first + PER_PAGE] if number is not None]
    return Shown(
        _rows(session, sight, chosen, reader),
        len(ids) - len(visible),
        page - 1 or None,
        page + 1 if len(order) > first + PER_PAGE else None,
    )


def _rows(session: Session, sight: Sight, ids: Sequence[int], reader: Reader) -> list[dict[str, Any]]:
    outside: dict[int, dict[str, None]] = defaultdict(dict)
    for activity_id, name, address in session.exec(
        select(Participant.activity_id, Participant.name, Participant.address)
        .where(
            col(Participant.activity_id).in_(ids),
            col(Participant.user_id).is_(None),
            col(Participant.resource).is_(False),
            named_openly(sight),
        )
        .order_by(col(Participant.address))
    ):
        outside[activity_id][name or address or ""] = None
    ours: dict[int, dict[str, None]] = defaultdict(dict)
    for activity_id, name in session.exec(
        select(Participation.activity_id, User.name)
        .join(User, col(User.id) == col(Participation.user_id))
        .where(col(Participation.activity_id).in_(ids), col(Participation.counts).is_(True))
        .order_by(User.name)
    ):
        ours[activity_id][name] = None
    found = session.exec(select(Activity).where(col(Activity.id).in_(ids))).all()
    by_id = {activity.id: activity for activity in found}
    return [_row(by_id[number], list(ours[number]), list(outside[number]), reader) for number in ids]


def _row(activity: Activity, ours: list[str], outside: list[str], reader: Reader) -> dict[str, Any]:
    return {
        "when": reader.moment_full(activity.occurred_at),
        "who": ours,
        "with": outside,
        "what": activity.subject,
        "kind": activity.kind,
        "changed": False,
        "href": f"/activities/{activity.id}",
        "amount": reader.count(1),
    }
