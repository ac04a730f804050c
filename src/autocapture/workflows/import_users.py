"""`users import`: our people, their handles and teams from a file; in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from autocapture.clock import Clock
from autocapture.crm.rows import Change, Value, Values
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import Membership, Team, User, UserHandle
from autocapture.store.bulk import insert
from autocapture.store.engine import writing
from autocapture.workflows.audit import ROLE_CHANGED, note
from autocapture.workflows.import_crm import read_bytes
from autocapture.workflows.import_report import ImportReport, report_of_changes
from autocapture.workflows.user_file import UserRow, read_users

FIRST_DAY = date(1970, 1, 1)
"""A new user's first membership begins here, so that mail from before the import counts for the team too."""

_SCALARS = ("name", "role", "time_zone", "locale")
_JUDGED_BY = {"aliases", "phones", "time_zone"}


@dataclass(frozen=True, slots=True)
class _People:
    """What the database holds: users by address, each one's columns as a file would tell them, and open memberships."""

    users: Mapping[str, User]
    values: Mapping[str, Values]
    handles: Mapping[str, str]
    memberships: Mapping[int, Sequence[Membership]]


def import_users(engine: Engine, clock: Clock, path: Path) -> ImportReport:
    """Creates and updates users, teams, memberships and handles; a column that the file lacks is left as it is.

    Who changes team leaves the old one the day before the import, by the user's own clock. Users that the file no longer
    names are reported and stay. Raises InputError where the file as a whole cannot be read.
    """
    content = read_bytes(path)
    with writing(engine) as session:
        people = _load(session)
        found = read_users(content, path.name, people.handles)
        changes = _changes(found.rows, people.values)
        _apply(session, changes, people, clock.now())
        advice = _advice(session, changes)
    named = found.rows.keys() | found.refused_emails.keys()
    return report_of_changes(
        changes,
        {"user": len(found.rows) - len(changes)},
        refused=tuple(sorted(found.refused, key=lambda remark: remark.place.line)),
        missing=tuple(("user", (email,)) for email in people.users if email not in named),
        advice=advice,
    )


def _advice(session: Session, changes: Sequence[Change]) -> str | None:
    """What was captured stays judged by the handles and the local days of its time until it is read again."""
    changed = [change.key[0] for change in changes if change.before and _JUDGED_BY & change.after.keys()]
    if not changed or session.exec(select(LedgerEntry.channel_id).limit(1)).first() is None:
        return None
    return (
        f"{', '.join(changed)}: addresses, numbers or time zone changed; "
        "run `autocapture capture --resync` to judge by them what was captured before"
    )


def _load(session: Session) -> _People:
    users = {user.email: user for user in session.exec(select(User))}
    emails = {user.id: user.email for user in users.values()}
    teams = dict(session.exec(select(Team.id, Team.name)).all())
    handles: dict[str, dict[str, list[str]]] = {email: {"email": [], "phone": []} for email in users}
    for handle in session.exec(select(UserHandle)):
        handles[emails[handle.user_id]][handle.kind].append(handle.value)
    memberships: dict[int, list[Membership]] = {}
    for membership in session.exec(select(Membership).order_by(col(Membership.valid_from))):
        memberships.setdefault(membership.user_id, []).append(membership)
    values: dict[str, Values] = {}
    for email, user in users.items():
        current = [item for item in memberships.get(_id(user), ()) if item.valid_to is None]
        values[email] = {
            **{name: getattr(user, name) for name in _SCALARS},
            "manager": emails.get(user.manager_id),
            "team": teams[current[-1].team_id] if current else None,
            "aliases": tuple(sorted(value for value in handles[email]["email"] if value != email)),
            "phones": tuple(sorted(handles[email]["phone"])),
        }
    owners = {email: email for email in users}
    for email, kinds in handles.items():
        owners.update(dict.fromkeys([*kinds["email"], *kinds["phone"]], email))
    return _People(users, values, owners, memberships)


def _changes(rows: Mapping[str, UserRow], known: Mapping[str, Values]) -> tuple[Change, ...]:
    changes = []
    for email, row in rows.items():
        before = known.get(email)
        if before is None:
            changes.append(Change("user", (email,), None, row.values))
            continue
        after = {name: value for name, value in row.values.items() if before[name] != value}
        if after:
            changes.append(Change("user", (email,), {name: before[name] for name in after}, after))
    return tuple(changes)


def _apply(session: Session, changes: Sequence[Change], people: _People, now: datetime) -> None:
    users = dict(people.users)
    for change in changes:
        user = users.setdefault(change.key[0], User(email=change.key[0], name=""))
        for name in _SCALARS:
            if name in change.after:
                setattr(user, name, change.after[name])
        session.add(user)
    session.flush()
    for change in changes:
        user = users[change.key[0]]
        if "manager" in change.after:
            manager = change.after["manager"]
            user.manager_id = users[manager].id if isinstance(manager, str) else None
        if change.before and "role" in change.after:
            detail = f"{change.before['role']} to {change.after['role']}"
            note(session, now, ROLE_CHANGED, user_id=user.id, detail=detail)
    session.flush()
    _write_handles(session, changes, users)
    _write_teams(session, changes, users, people, now)


def _write_handles(session: Session, changes: Sequence[Change], users: Mapping[str, User]) -> None:
    """Removals first, so that a number may pass from one user to another in one file."""
    fresh = []
    for change in changes:
        user_id = users[change.key[0]].id
        for name, kind in (("aliases", "email"), ("phones", "phone")):
            if name not in change.after:
                continue
            before = _texts((change.before or {}).get(name))
            after = _texts(change.after[name])
            for value in before - after:
                session.delete(session.get_one(UserHandle, (kind, value)))
            fresh += [{"kind": kind, "value": value, "user_id": user_id} for value in sorted(after - before)]
    session.flush()
    insert(session, UserHandle, fresh)


def _write_teams(
    session: Session, changes: Sequence[Change], users: Mapping[str, User], people: _People, now: datetime
) -> None:
    teams = {team.name: team for team in session.exec(select(Team))}
    for change in changes:
        if "team" not in change.after:
            continue
        user, name = users[change.key[0]], change.after["team"]
        today = now.astimezone(ZoneInfo(user.time_zone)).date()
        _leave(session, people.memberships.get(_id(user), ()), today)
        if not isinstance(name, str):
            continue
        if name not in teams:
            teams[name] = Team(name=name)
            session.add(teams[name])
            session.flush()
        since = FIRST_DAY if change.before is None else today
        session.add(Membership(user_id=_id(user), team_id=_id(teams[name]), valid_from=since))
    session.flush()


def _leave(session: Session, memberships: Sequence[Membership], today: date) -> None:
    """Ends what lasts, yesterday; a membership that only began today never was."""
    for membership in memberships:
        if membership.valid_from >= today:
            session.delete(membership)
        elif membership.valid_to is None:
            membership.valid_to = today - timedelta(days=1)
            session.add(membership)
    session.flush()


def _id(row: User | Team) -> int:
    if row.id is None:
        raise TypeError("a row has its id once it is flushed")
    return row.id


def _texts(value: Value) -> set[str]:
    return set(value) if isinstance(value, tuple) else set()
