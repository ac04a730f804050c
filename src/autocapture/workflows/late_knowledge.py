"""What the CRM tells later holds for what was captured before: history is matched as of then, and what changed is counted anew.

That it waits is a row, written with the import: whoever dies in between leaves it to the next capture, or to the service.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete

from autocapture.application import Application
from autocapture.model.crm import HistoryMark
from autocapture.store.bulk import upsert
from autocapture.store.engine import reading, writing
from autocapture.workflows.matching import rematch_everything
from autocapture.workflows.meetings import settle_meetings

LEFT = timedelta(minutes=10)
"""After so long whoever imported does not match history any more: it is left to the service."""


def mark_history(session: Session, now: datetime) -> None:
    """History is to be matched anew, from the end of this transaction on."""
    upsert(session, HistoryMark, [{"id": 1, "since": now}])


def history_is_left(app: Application) -> bool:
    """Whether an import told something, and nobody has matched history since."""
    with reading(app.engine) as session:
        mark = session.get(HistoryMark, 1)
        return mark is not None and not mark.since <= app.clock.now() < mark.since + LEFT


def settle_late_knowledge(app: Application) -> int:
    """Matches everything that is stored anew where an import told something since it was; the number of activities that changed.
    An import that comes meanwhile has it done once more."""
    with reading(app.engine) as session:
        mark = session.get(HistoryMark, 1)
        since = None if mark is None else mark.since
    if since is None:
        return 0
    changed = rematch_everything(app)
    settle_meetings(app, whole_calendar=True)
    with writing(app.engine) as session:
        session.exec(delete(HistoryMark).where(col(HistoryMark.since) == since))
    return changed
