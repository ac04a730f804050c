"""`import quotas`: targets from a file; in one transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from autocapture.clock import Clock
from autocapture.crm.rows import Change, Key, Place, Remark
from autocapture.measure.catalog import CATALOG
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.model.measures import Quota
from autocapture.model.organization import Team, User
from autocapture.quota.read import read_quotas
from autocapture.store.engine import writing
from autocapture.workflows.import_crm import read_text
from autocapture.workflows.import_report import ImportReport, report_of_changes


def import_quotas(
    engine: Engine, _clock: Clock, path: Path, calendar: FiscalCalendar = CALENDAR_YEAR
) -> ImportReport:
    """Creates and updates quotas; a quota is known by metric, scope and dates. Those that the file lacks are reported and stay.

    Raises InputError where the file as a whole cannot be read; single bad rows are refused in the report.
    """
    text = read_text(path)
    with writing(engine) as session:
        users, teams = frozenset(session.exec(select(User.email))), frozenset(session.exec(select(Team.name)))
        rows, problems = read_quotas(text, CATALOG, users, teams, file=str(path), calendar=calendar)
        known = {_key(quota): quota for quota in session.exec(select(Quota))}
        found = {_key(quota): quota for quota in rows}
        changes = tuple(
            change
            for key, quota in found.items()
            if (change := _change(key, known.get(key), quota)) is not None
        )
        _apply(session, changes, known, found)
    return report_of_changes(
        changes,
        {"quota": len(found) - len(changes)},
        refused=tuple(Remark(Place(path.name, problem.line), problem.reason) for problem in problems),
        missing=tuple(("quota", key) for key in known if key not in found),
    )


def _key(quota: Quota) -> Key:
    return (
        quota.metric,
        quota.scope_type,
        quota.scope,
        quota.period_start.isoformat(),
        quota.period_end.isoformat(),
    )


def _change(key: Key, known: Quota | None, quota: Quota) -> Change | None:
    if known is None:
        return Change("quota", key, None, {"value": str(quota.value), "currency": quota.currency})
    if (known.value, known.currency) == (quota.value, quota.currency):
        return None
    before = {"value": str(known.value), "currency": known.currency}
    return Change("quota", key, before, {"value": str(quota.value), "currency": quota.currency})


def _apply(
    session: Session, changes: tuple[Change, ...], known: dict[Key, Quota], found: dict[Key, Quota]
) -> None:
    for change in changes:
        quota = found[change.key]
        if change.before is None:
            session.add(quota)
        else:
            known[change.key].value, known[change.key].currency = quota.value, quota.currency
            session.add(known[change.key])
