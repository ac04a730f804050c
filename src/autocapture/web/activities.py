"""My activities: what was captured of mine, newest first."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.model.activities import Activity, Participant, Participation
from autocapture.report.reader import Reader
from autocapture.store.engine import reading
from autocapture.web.blind_copies import named_openly
from autocapture.web.ownership import Sight, sight_of, within
from autocapture.web.templating import render
from autocapture.web.visit import Visit

PER_PAGE = 50
_NAMED = 3


def page(application: Application, visit: Visit, number: int) -> str:
    """The page of that number, counted from 1."""
    with reading(application.engine) as session:
        sight = sight_of(session, visit)
        found = session.exec(
            select(Activity)
            .join(Participation, col(Participation.activity_id) == col(Activity.id))
            .where(within(Participation.user_id, sight))
            .order_by(col(Activity.occurred_at).desc(), col(Activity.id))
            .offset((number - 1) * PER_PAGE)
            .limit(PER_PAGE + 1)
        ).all()
        rows = [_row(session, activity, visit.reader, sight) for activity in found[:PER_PAGE]]
    return render(
        "activities.html",
        title="My activities",
        visit=visit,
        rows=rows,
        newer=number - 1 or None,
        older=number + 1 if len(found) > PER_PAGE else None,
    )


def _row(session: Session, activity: Activity, reader: Reader, sight: Sight) -> dict[str, Any]:
    others = session.exec(
        select(Participant.name, Participant.address)
        .where(
            Participant.activity_id == activity.id, col(Participant.user_id).is_(None), named_openly(sight)
        )
        .order_by(col(Participant.address))
        .limit(_NAMED + 1)
    ).all()
    return {
        "href": f"/activities/{activity.id}",
        "when": reader.moment_full(activity.occurred_at),
        "kind": activity.kind,
        "direction": activity.direction,
        "business": activity.business,
        "what": activity.subject,
        "with": [name or address for name, address in others[:_NAMED]],
        "more": len(others) > _NAMED,
    }
