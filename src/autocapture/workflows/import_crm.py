"""`import crm`: the exports of a CRM into its mirror, by a mapping; in one transaction, or as a plan only."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from autocapture.clock import Clock
from autocapture.crm.mapping import Mappings, parse_mapping
from autocapture.crm.merges import flat
from autocapture.crm.plan import Plan, plan_import
from autocapture.crm.read import read_section
from autocapture.errors import InputError
from autocapture.store.engine import reading, writing
from autocapture.store.statistics import look_again
from autocapture.workflows.adjustments import mark_due_of_deals
from autocapture.workflows.crm_mirror import apply_plan, load_mirror
from autocapture.workflows.import_report import ImportReport, report_of_changes
from autocapture.workflows.late_knowledge import mark_history

MUCH = 200
"""After so many changes the database looks at its tables again, so that what follows is planned for their new size."""


def import_crm(
    engine: Engine, clock: Clock, *, mapping: Path, source: Path | None = None, dry_run: bool = False
) -> ImportReport:
    """Reads the files that `mapping` names (relative to `source`, by default the mapping's folder) and updates the mirror.

    Running it again with the same files writes nothing. With `dry_run` nothing is written at all. Raises InputError where
    the mapping or a file as a whole cannot be read; single bad rows are refused in the report.
    """
    mappings = parse_mapping(read_text(mapping), mapping.name)
    readings = {
        name: read_section(content, mappings[name]) for name, content in _contents(mappings, mapping, source)
    }
    if dry_run:
        with reading(engine) as session:
            plan = plan_import(mappings, readings, load_mirror(session).mirror, clock.now())
        return _report(plan, dry_run=True)
    with writing(engine) as session:
        loaded, now = load_mirror(session), clock.now()
        plan = plan_import(mappings, readings, loaded.mirror, now)
        apply_plan(session, plan, loaded.ids, now)
        mark_due_of_deals(session, now)
        if plan.changes or plan.merges or plan.moved:
            mark_history(session, now)
        if len(plan.changes) >= MUCH:
            look_again(session)
    return _report(plan, dry_run=False)


def read_bytes(path: Path) -> bytes:
    """The content of a file that somebody named. Raises InputError where there is none to read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror or 'cannot be read'}") from None


def read_text(path: Path) -> str:
    """The same as UTF-8 text, with or without a byte order mark."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InputError(f"{path}: not UTF-8 text (byte {problem.start})") from None


def _contents(mappings: Mappings, mapping: Path, source: Path | None) -> list[tuple[str, bytes]]:
    folder = mapping.parent if source is None else source
    return [(name, read_bytes(folder / section.file)) for name, section in mappings.items()]


def _report(plan: Plan, *, dry_run: bool) -> ImportReport:
    return report_of_changes(
        plan.changes,
        plan.unchanged,
        refused=plan.refused,
        missing=plan.missing,
        notes=plan.notes,
        merged=tuple(flat(plan.merges)),
        moved=plan.moved,
        dry_run=dry_run,
    )
