"""`import working-hours` and `import absences`: when our people work, from files; each in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from autocapture.clock import Clock
from autocapture.crm.rows import Change, Key, Remark, Values
from autocapture.model.organization import User
from autocapture.model.working_time import Absence, WorkingHours
from autocapture.store.engine import writing
from autocapture.workflows.import_crm import read_bytes
from autocapture.workflows.import_report import ImportReport, report_of_changes
from autocapture.workflows.working_time_files import EVERYBODY, NOT_AWAY, read_absences, read_hours

HOURS, ABSENCE = "working hours", "absence"


def import_working_hours(engine: Engine, _clock: Clock, path: Path) -> ImportReport:
    """Creates and updates the hours that people work from a day on, known by user and that day. Those that the file lacks are
    reported and stay. Raises InputError where the file as a whole cannot be read; single bad rows are refused in the report."""
    content = read_bytes(path)
    with writing(engine) as session:
        ids = _ids(session)
        whose = {user_id: email for email, user_id in ids.items()}
        found = read_hours(content, path.name, ids)
        stored: dict[Key, WorkingHours] = {}
        for row in session.exec(select(WorkingHours)):
            email = EVERYBODY if row.user_id is None else whose[row.user_id]
            stored[email, row.valid_from.isoformat()] = row
        known: dict[Key, Values] = {
            key: {"week": row.week, "holidays": row.holidays} for key, row in stored.items()
        }
        changes = _changes(HOURS, known, found.rows)
        for change in changes:
            email, since = change.key
            held = stored.get(change.key)
            if held is None:
                held = WorkingHours(user_id=ids.get(email), valid_from=date.fromisoformat(since), week="")
            session.add(held.sqlmodel_update(dict(change.after)))
    return _report(HOURS, changes, known, found.rows, found.refused)


def import_absences(engine: Engine, _clock: Clock, path: Path) -> ImportReport:
    """Creates and updates absences, known by user and first day; one with the share 0 is taken back. Those that the file lacks
    are reported and stay. Raises InputError as above."""
    content = read_bytes(path)
    with writing(engine) as session:
        ids = _ids(session)
        whose = {user_id: email for email, user_id in ids.items()}
        found = read_absences(content, path.name, ids)
        stored: dict[Key, Absence] = {
            (whose[row.user_id], row.starts_on.isoformat()): row for row in session.exec(select(Absence))
        }
        known: dict[Key, Values] = {
            key: {"ends_on": row.ends_on, "share": format(row.share.normalize(), "f")}
            for key, row in stored.items()
        }
        meant = {key: row for key, row in found.rows.items() if key in known or row["share"] != NOT_AWAY}
        changes = _changes(ABSENCE, known, meant)
        for change in changes:
            _write_absence(session, ids, change, stored.get(change.key), meant[change.key])
    return _report(ABSENCE, changes, known, meant, found.refused)


def _write_absence(
    session: Session, ids: Mapping[str, int], change: Change, held: Absence | None, values: Values
) -> None:
    email, first = change.key
    if held is not None and values["share"] == NOT_AWAY:
        session.delete(held)
        return
    if held is None:
        starts_on = date.fromisoformat(first)
        held = Absence(user_id=ids[email], starts_on=starts_on, ends_on=starts_on)
    session.add(held.sqlmodel_update({**values, "share": Decimal(str(values["share"]))}))


def _ids(session: Session) -> dict[str, int]:
    return {
        email: user_id for email, user_id in session.exec(select(User.email, User.id)) if user_id is not None
    }


def _changes(table: str, known: Mapping[Key, Values], found: Mapping[Key, Values]) -> tuple[Change, ...]:
    changes = []
    for key, values in found.items():
        before = known.get(key)
        if before is None:
            changes.append(Change(table, key, None, values))
            continue
        after = {name: value for name, value in values.items() if before[name] != value}
        if after:
            changes.append(Change(table, key, {name: before[name] for name in after}, after))
    return tuple(changes)


def _report(
    table: str,
    changes: tuple[Change, ...],
    known: Mapping[Key, Values],
    found: Mapping[Key, Values],
    refused: list[Remark],
) -> ImportReport:
    return report_of_changes(
        changes,
        {table: len(found) - len(changes)},
        refused=tuple(refused),
        missing=tuple((table, key) for key in known if key not in found),
    )
