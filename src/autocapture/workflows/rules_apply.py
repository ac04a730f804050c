"""Rules applied to the whole history, as one batch that can be taken back.

First the rules are in force: whatever comes is judged by them. Then history is, in transactions of a few hundred activities.
What is stored follows from the rules, the CRM and what people said, never from what was stored before: whoever is killed in
between goes on with the same command, and it ends the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.directory import Organization
from autocapture.model.rules import APPLIED, APPLYING, UNDOING, UNDONE, RulesBatch, RulesChange
from autocapture.store import activities
from autocapture.store.bulk import insert_missing
from autocapture.store.engine import reading, take_turn, writing
from autocapture.workflows.people import judged_by, our_people
from autocapture.workflows.rules_cases import require_cases
from autocapture.workflows.rules_changes import GROUNDS, Progress, batches, compared, heads
from autocapture.workflows.rules_diff import RulesDiff, as_data, rules_diff
from autocapture.workflows.rules_in_force import (
    Rules,
    put_in_force,
    rules_from,
    rules_in_force,
    rules_of_files,
    stored_rules,
)


@dataclass(frozen=True, slots=True)
class Applied:
    """A batch that is applied or taken back now. `changed`: activities that this did, `resumed`: it was begun before."""

    batch_id: int
    changed: int
    resumed: bool


def apply_rules(app: Application, by: int | None, progress: Progress) -> Applied:
    """Puts the rules of the files in force and judges the whole history by them; or goes on with a batch that was not ended.

    Raises InputError where the files say what is applied, where other rules have the version of those applied, where they fail
    one of their cases, or where a batch is being taken back; SetupError for a wrong file.
    """
    proposed = rules_of_files(app)
    our_people(app)  # what is in force is kept from here on
    begun = unfinished(app)
    if begun is not None and begun.state == UNDOING:
        raise InputError(f"batch {begun.id} is being taken back; `autocapture rules undo` goes on with it")
    if begun is not None:
        if rules_from(begun.after) != proposed:
            raise InputError(
                f"batch {begun.id} was begun with other rules than the files have now; put those back, or take it back with "
                "`autocapture rules undo`"
            )
        return _go_on(app, begun, rules_from(begun.before), proposed, progress, resumed=True)
    in_force = rules_in_force(app, keep=False)
    _require_new(in_force, proposed, is_own=app.settings.capture.matching_file is not None)
    require_cases(app, proposed)
    diff = rules_diff(app, proposed, progress)
    return _go_on(app, _begin(app, diff, by), in_force, proposed, progress, resumed=False)


def undo_rules(app: Application, by: int | None, progress: Progress) -> Applied:
    """Takes back the newest batch that is applied, whole: its rules of before are in force again, and history is judged by them.
    Raises InputError where there is none."""
    our_people(app)
    with writing(app.engine) as session:
        take_turn(session)
        batch = session.exec(
            select(RulesBatch).where(RulesBatch.state != UNDONE).order_by(col(RulesBatch.id).desc())
        ).first()
        if batch is None:
            raise InputError("no rules were applied: there is nothing to take back")
        resumed = batch.state == UNDOING
        if not resumed:
            batch.state, batch.undone_at, batch.undone_by = UNDOING, app.clock.now(), by
            session.add(batch)
            put_in_force(session, batch.before, _batch_before(session, batch))
        session.flush()
        session.expunge(batch)
    return _go_on(app, batch, rules_from(batch.after), rules_from(batch.before), progress, resumed=resumed)


def unfinished(app: Application) -> RulesBatch | None:
    """The batch that was begun, or begun to be taken back, and not ended."""
    with reading(app.engine) as session:
        found = session.exec(select(RulesBatch).where(col(RulesBatch.state).in_((APPLYING, UNDOING)))).first()
        if found is not None:
            session.expunge(found)
        return found


def listed(app: Application) -> list[RulesBatch]:
    """Every batch, oldest first."""
    with reading(app.engine) as session:
        found = list(session.exec(select(RulesBatch).order_by(col(RulesBatch.id))))
        session.expunge_all()
        return found


def waiting(app: Application) -> str | None:
    """Why `rules apply` or `rules undo` is to be run, in a sentence; None where the files say what is applied."""
    begun = unfinished(app)
    if begun is not None:
        verb = "apply" if begun.state == APPLYING else "undo"
        return f"batch {begun.id} of rules was not ended; `autocapture rules {verb}` goes on with it"
    with reading(app.engine) as session:
        in_force = stored_rules(session)
    proposed = rules_of_files(app)
    if in_force is None or in_force.matching == proposed.matching:
        return None
    return (
        f"the matching file (version {proposed.matching.version}) is not what is applied (version "
        f"{in_force.matching.version}); `autocapture rules diff` tells what it would change, `autocapture rules apply` applies it"
    )


def _require_new(in_force: Rules, proposed: Rules, *, is_own: bool) -> None:
    """Matching rules that are not the organisation's own came with a release."""
    if in_force == proposed:
        raise InputError("the rules of the files are applied already")
    for name, before, after in (
        ("matching", in_force.matching, proposed.matching),
        ("never-log", in_force.exclusions, proposed.exclusions),
    ):
        has_version = is_own if name == "matching" else not in_force.exclusions.is_empty
        if before != after and before.version == after.version and has_version:
            raise InputError(
                f"the {name} rules of version {after.version} are applied, and are not those of the file: raise its `version`"
            )


def _begin(app: Application, diff: RulesDiff, by: int | None) -> RulesBatch:
    with writing(app.engine) as session:
        take_turn(session)
        batch = RulesBatch(
            state=APPLYING,
            matching_version=diff.after.matching.version,
            exclusions_version=diff.after.exclusions.version,
            before=diff.before.as_data(),
            after=diff.after.as_data(),
            told=_counted(as_data(diff)),
            begun_at=app.clock.now(),
            begun_by=by,
        )
        session.add(batch)
        session.flush()
        put_in_force(session, batch.after, batch.id)
        session.expunge(batch)
        return batch


def _counted(told: dict[str, Any]) -> dict[str, Any]:
    """What a batch keeps: numbers, and no examples, which would outlive a purge."""
    changes = [{"change": each["change"], "count": each["count"]} for each in told["changes"]]
    return {**told, "changes": changes}


def _go_on(
    app: Application, batch: RulesBatch, before: Rules, after: Rules, progress: Progress, *, resumed: bool
) -> Applied:
    """Judges all history by the rules `after`; ends the batch."""
    people = our_people(app)
    was, now = judged_by(people, before), judged_by(people, after)
    batch_id = batch.id or 0
    with reading(app.engine) as session:
        pending = heads(session)
    changed = 0
    for chunk in batches(pending, progress):
        with writing(app.engine) as session:
            take_turn(session)
            changed += _judged(app, session, was, now, batch, chunk)
    with writing(app.engine) as session:
        take_turn(session)
        row = session.get_one(RulesBatch, batch_id)
        if batch.state == APPLYING:
            row.state, row.ended_at = APPLIED, app.clock.now()
            row.changed = session.exec(
                select(func.count()).select_from(RulesChange).where(RulesChange.batch_id == batch_id)
            ).one()
        else:
            row.state = UNDONE
        session.add(row)
    return Applied(batch_id, changed, resumed)


def _judged(
    app: Application,
    session: Session,
    before: Organization,
    after: Organization,
    batch: RulesBatch,
    ids: Any,
) -> int:
    found = compared(session, before, after, list(ids))
    activities.rematch(session, [(item, matched) for item, matched, _ in found.changed], app.clock.now())
    told = [(item.activity_id, change) for item, _, change in found.changed if change != GROUNDS]
    if batch.state == APPLYING:
        rows: list[Mapping[str, Any]] = [
            {"batch_id": batch.id, "activity_id": activity_id, "change": change}
            for activity_id, change in told
        ]
        insert_missing(session, RulesChange, rows)
    return len(told)


def _batch_before(session: Session, batch: RulesBatch) -> int | None:
    return session.exec(
        select(RulesBatch.id)
        .where(RulesBatch.state == APPLIED, col(RulesBatch.id) < (batch.id or 0))
        .order_by(col(RulesBatch.id).desc())
    ).first()
