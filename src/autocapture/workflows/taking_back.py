"""Taking back what autocapture created: for good, and in steps that each leave a whole database.

First nothing is found by its addresses and domains any more, and a tombstone stands for each. Then all that took part is matched
anew. What nothing names any more is deleted. Whoever is killed in between, the next run goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.formats.handles import canonical_email
from autocapture.model.created import COMPANY, CONTACT, LEFT, UNDONE, Created, CreationBatch, Tombstone
from autocapture.model.directory import Organization
from autocapture.store import created, details
from autocapture.store.bulk import upsert
from autocapture.store.engine import reading, take_turn, writing
from autocapture.workflows.matching import rematch_in_batches


@dataclass(frozen=True, slots=True)
class TakenBack:
    """`kept` are addresses and domains of what something else refers to by now: a correction, a deal."""

    contacts: int
    companies: int
    kept: tuple[str, ...]
    rematched: int


def take_back_batch(app: Application, batch_id: int) -> TakenBack:
    """Takes back what is still ours of a batch. Raises InputError for a batch that there is not."""
    with writing(app.engine) as session:
        take_turn(session)
        batch = session.get(CreationBatch, batch_id)
        if batch is None:
            raise InputError(f"there is no batch {batch_id}; `autocapture contacts created` lists them")
        rows = session.exec(_own().where(Created.batch_id == batch_id)).all()
        taken = _begin(session, app, rows)
        batch.undone_at = batch.undone_at or app.clock.now()
        session.add(batch)
    return _finish(app, taken)


def take_back(app: Application, values: Collection[str]) -> TakenBack:
    """Takes back the contacts and companies of these addresses and domains; a company's contacts stay, without it. Raises
    InputError for one that autocapture did not create, or that is its own no longer."""
    wanted = {canonical_email(each) if "@" in each else each.strip().lower() for each in values}
    with writing(app.engine) as session:
        take_turn(session)
        rows = session.exec(_own().where(col(Created.value).in_(wanted))).all()
        if missing := sorted(wanted - {row.value for row in rows}):
            raise InputError(f"{missing[0]} was not created by autocapture, or is its own no longer")
        taken = _begin(session, app, rows)
    return _finish(app, taken)


def let_go(app: Application, organization: Organization) -> int:
    """Ends what was created and has nothing left that it came of: the mail was purged, or the address is ours by now. It may come
    again. The number of contacts and companies."""
    gone = 0
    for target in (CONTACT, COMPANY):  # companies once their contacts are gone
        with writing(app.engine) as session:
            take_turn(session)
            bare = created.without_activities(session, target)
            rows = [
                row
                for row in session.exec(_own().where(Created.target == target)).all()
                if row.target_id in bare or (target == CONTACT and organization.is_inside(row.value))
            ]
            ended = _begin(session, app, rows, LEFT)
        finish_taking_back(app)
        gone += ended.contacts + ended.companies
    return gone


def finish_taking_back(app: Application) -> int:
    """Goes on with what was begun and not finished; the number of activities that changed."""
    with reading(app.engine) as session:
        begun = session.exec(
            select(Created.target, Created.target_id).where(
                col(Created.ended).in_((UNDONE, LEFT)), col(Created.target_id).is_not(None)
            )
        ).all()
    contacts = {number for target, number in begun if target == CONTACT and number is not None}
    companies = {number for target, number in begun if target == COMPANY and number is not None}
    if not begun:
        return 0
    with reading(app.engine) as session:
        concerned = created.activities_of(session, contacts, companies)
    changed = rematch_in_batches(app, concerned)
    with writing(app.engine) as session:
        take_turn(session)
        contacts -= created.taking_part(session, contacts)  # somebody said meanwhile that they are these
        created.release(session, CONTACT, contacts)
        created.release(session, COMPANY, companies)
        created.remove(session, contacts, companies)
    return changed


@dataclass(frozen=True, slots=True)
class _Begun:
    contacts: int
    companies: int
    kept: tuple[str, ...]


def _own() -> SelectOfScalar[Created]:
    return select(Created).where(col(Created.ended).is_(None), col(Created.target_id).is_not(None))


def _begin(session: Session, app: Application, rows: Sequence[Created], why: str = UNDONE) -> _Begun:
    """Nothing is found by what these are called any more, nor, where they are undone, created of it again."""
    now = app.clock.now()
    needed = {
        (target, number)
        for target in (CONTACT, COMPANY)
        for number in created.needed_elsewhere(
            session, target, {row.target_id for row in rows if row.target == target and row.target_id}
        )
    }
    people = {row.target_id for row in rows if row.target == CONTACT and row.target_id}
    needed |= {(CONTACT, number) for number in created.corrected_to(session, people)}
    taken = [row for row in rows if (row.target, row.target_id) not in needed]
    kept = tuple(sorted(row.value for row in rows if (row.target, row.target_id) in needed))
    contacts = {row.target_id: row.value for row in taken if row.target == CONTACT and row.target_id}
    companies = {row.target_id: row.value for row in taken if row.target == COMPANY and row.target_id}
    if why == UNDONE:
        stones = [{"target": row.target, "value": row.value, "at": now, "why": why} for row in taken]
        upsert(session, Tombstone, stones)
    details.forget(session, set(contacts.values()))
    created.unname(session, contacts.keys(), companies.keys())
    created.end(session, [row.id for row in taken if row.id is not None], why, now, released=False)
    return _Begun(len(contacts), len(companies), kept)


def _finish(app: Application, begun: _Begun) -> TakenBack:
    return TakenBack(begun.contacts, begun.companies, begun.kept, finish_taking_back(app))
