"""A CRM that is told of activities through the outbox, as a pusher would tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select, update
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.ledger import OutboxEntry
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.engine import reading, writing

_NOT_TOLD = {"known_at", "changed_at", "thread_id", "series_id", "fingerprint"}
"""Of an activity; what a CRM has no use for."""
_FORM = [
    (key, [column for column in table_of(model).c if column.name not in _NOT_TOLD])
    for model, key in (
        (Activity, table_of(Activity).c.id),
        (Participant, table_of(Participant).c.activity_id),
        (Participation, table_of(Participation).c.activity_id),
        (Match, table_of(Match).c.activity_id),
    )
]


class Crm:
    """What the CRM was told last of each activity. `again`: mails that it was told once more without any news."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._told: dict[int, list[str]] = {}
        self._threads: dict[int, int | None] = {}
        self.again: set[int] = set()

    def push(self) -> None:
        """Tells everything that waits, and notes it as pushed."""
        outbox = table_of(OutboxEntry).c
        with writing(self._app.engine) as session:
            waiting = select(outbox.activity_id, outbox.version).where(outbox.version > outbox.pushed_version)
            versions = dict(rows_of(session, waiting))
            if not versions:
                return
            threads = _threads(session, versions)  # of no use to a CRM, and yet news to the outbox
            for activity_id, form in _forms(session, versions).items():
                before = self._told.get(activity_id), self._threads.get(activity_id)
                is_mail = any("'email'" in row for row in form)
                if is_mail and versions[activity_id] > 1 and before == (form, threads[activity_id]):
                    self.again.add(activity_id)
                self._told[activity_id], self._threads[activity_id] = form, threads[activity_id]
            session.execute(
                update(OutboxEntry)
                .where(col(OutboxEntry.activity_id).in_(versions))
                .values(pushed_version=OutboxEntry.version)
            )

    def broken_promises(self, *, told_anew: bool) -> list[str]:
        """After the last push: the CRM knows every activity as it is, and was told of no mail twice. Where everything was told
        anew (`told_anew`), a mail of several copies is told by one of them first and by all in the end."""
        with reading(self._app.engine) as session:
            forms = _forms(session, None)
        told = {key: self._told.get(key, []) for key in forms}
        broken = [
            f"the CRM was told {told[key]} of {forms[key]}"
            for key in sorted(forms)
            if told[key] != forms[key]
        ]
        again = [] if told_anew else sorted(self.again)
        return broken + [f"the CRM was told again of {self._told[key]}, without news" for key in again]


def _threads(session: Session, ids: Collection[int]) -> dict[int, int | None]:
    activity = table_of(Activity).c
    found = select(activity.id, activity.thread_id).where(activity.id.in_(ids))
    return dict(rows_of(session, found))


def _forms(session: Session, ids: Collection[int] | None) -> dict[int, list[str]]:
    """Each activity with all that hangs on it."""
    found: dict[int, list[str]] = defaultdict(list)
    for key, columns in _FORM:
        statement = select(key, *columns)
        if ids is not None:
            statement = statement.where(key.in_(ids))
        for row in rows_of(session, statement):
            found[row[0]].append(repr(tuple(row)))
    return {key: sorted(rows) for key, rows in found.items()}
