"""A folder to a world: every file read and checked, what is wrong told in one line with file, line and column."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from autocapture.crm.read import csv_records, trouble_of
from autocapture.errors import InputError
from autocapture.evaluate import log
from autocapture.evaluate.sheets import CRM, TRUTH, USERS, Column, Sheet, WrongCell, readable_phones
from autocapture.evaluate.world import ACCOUNT_ONLY, AMBIGUOUS, Activity, Deal, Truth, User, World

Known = Mapping[str, Collection[str]]
"""The keys that may be referred to, by file."""


def read_world(folder: Path) -> World:
    """The world that the files of `folder` describe.

    Raises InputError for the first thing that is wrong: a file that is missing, a cell that cannot be read, a reference to
    nothing, a key told twice, an activity without truth or the other way round.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder; `autocapture eval world --seed 1 --out {folder}` writes one"
        )
    known: dict[str, Collection[str]] = {}
    found: dict[str, tuple[Any, ...]] = {}
    for sheet in (USERS, *CRM):
        rows = list(_rows(folder, sheet, known))
        known[sheet.file] = {getattr(row, sheet.columns[0].name) for _, row in rows}
        found[sheet.file] = tuple(row for _, row in rows)
    activities = tuple(_activities(folder, known))
    if not activities:
        raise InputError(f"{log.FILE} holds no activity")
    known[log.FILE] = {activity.id for activity in activities}
    truth = tuple(_truth(folder, known))
    told = {row.activity for row in truth}
    for activity in activities:
        if activity.id not in told:
            raise InputError(f"{TRUTH.file}: nothing is told of the activity {activity.id!r}")
    companies, contacts, deals, deal_contacts, stage_changes = (found[sheet.file] for sheet in CRM)
    return World(
        found[USERS.file], companies, contacts, deals, deal_contacts, stage_changes, activities, truth
    )


def _rows(folder: Path, sheet: Sheet, known: Known) -> Iterator[tuple[int, Any]]:
    records = csv_records(_text(folder, sheet.file), ",", sheet.file)
    _, header = next(records, (1, []))
    names = [cell.strip() for cell in header]
    _check_header(names, sheet)
    seen: set[str] = set()
    for line, cells in records:
        place = f"{sheet.file} line {line}"
        if trouble := trouble_of(cells, len(names)):
            raise InputError(f"{place}: {trouble}")
        row = _row(dict(zip(names, (cell.strip() for cell in cells), strict=True)), sheet, known, place)
        key = getattr(row, sheet.columns[0].name)
        if sheet.unique and key in seen:
            raise InputError(f"{place}: {sheet.columns[0].name} {key!r} stands there twice")
        seen.add(key)
        yield line, row


def _check_header(names: list[str], sheet: Sheet) -> None:
    columns = [column.name for column in sheet.columns]
    for name in names:
        if name not in columns or names.count(name) > 1:
            trouble = "twice the column" if name in columns else "the unknown column"
            raise InputError(
                f"{sheet.file} line 1 has {trouble} {name!r}; the columns are: {','.join(columns)}"
            )
    for column in sheet.columns:
        if column.needed and column.name not in names:
            raise InputError(
                f"{sheet.file} line 1 has no column {column.name!r}; the columns are: {','.join(columns)}"
            )


def _row(cells: Mapping[str, str], sheet: Sheet, known: Known, place: str) -> Any:
    defaults = {each.name: each.default for each in fields(sheet.value) if each.default is not MISSING}
    values = {}
    for column in sheet.columns:
        text = cells.get(column.name, "")
        if not text and column.name in defaults:
            values[column.name] = defaults[column.name]
            continue
        try:
            values[column.name] = _cell(text, column, known)
        except WrongCell as wrong:
            raise InputError(f"{place} column {column.name}: {wrong}") from None
    try:
        return _checked(sheet.value(**values))
    except WrongCell as wrong:
        raise InputError(f"{place}: {wrong}") from None


def _cell(text: str, column: Column, known: Known) -> Any:
    if not text and column.needed:
        raise WrongCell("is empty")
    value = column.read(text)
    if column.refers:
        for entry in value if isinstance(value, tuple) else (value,):
            if entry and entry not in known[column.refers]:
                raise WrongCell(f"{entry!r} is not in {column.refers}")
    return value


def _checked(row: Any) -> Any:
    """What a row says as a whole. Raises WrongCell."""
    if isinstance(row, User):
        return readable_phones(row)
    if isinstance(row, Deal):
        if (row.closed_at is None) != (row.outcome == ""):
            raise WrongCell("closed_at and outcome must both be there or both be empty")
        if row.closed_at is not None and row.closed_at < row.created_at:
            raise WrongCell("closed_at lies before created_at")
    if isinstance(row, Truth) and not row.admitted and row.deal != ACCOUNT_ONLY:
        raise WrongCell("deal: what is not admitted is about no deal")
    return row


def _truth(folder: Path, known: Known) -> Iterator[Truth]:
    verdicts = {ACCOUNT_ONLY, AMBIGUOUS}
    for line, row in _rows(folder, TRUTH, known):
        if row.deal not in verdicts and row.deal not in known["deals.csv"]:
            raise InputError(
                f"{TRUTH.file} line {line} column deal: {row.deal!r} is not in deals.csv, and neither "
                f"{ACCOUNT_ONLY} nor {AMBIGUOUS}"
            )
        yield row


def _activities(folder: Path, known: Known) -> Iterator[Activity]:
    seen: set[str] = set()
    for line, activity in log.read_activities(_text(folder, log.FILE)):
        place = f"{log.FILE} line {line}"
        if activity.id in seen:
            raise InputError(f"{place}: id {activity.id!r} stands there twice")
        if activity.mailbox not in known[USERS.file]:
            raise InputError(f"{place}: mailbox: {activity.mailbox!r} is not in {USERS.file}")
        if activity.kind == "call" and not (activity.caller and activity.callee):
            raise InputError(f"{place}: a call needs caller and callee")
        seen.add(activity.id)
        yield activity


def _text(folder: Path, file: str) -> str:
    try:
        return (folder / file).read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise InputError(f"{folder / file}: {problem.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"{file}: not UTF-8 text (byte {problem.start})") from None
