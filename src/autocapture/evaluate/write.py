"""A world to a folder of plain files, which `read` reads again."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autocapture.evaluate import log
from autocapture.evaluate.sheets import CRM, TRUTH, USERS, Sheet
from autocapture.evaluate.world import World


def write_world(world: World, folder: Path) -> None:
    """Writes every file of the world into `folder`, which is made where it is missing. The same world gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    write_sheet(folder, USERS, world.users)
    write_crm(world, folder)
    lines = (log.write_activity(activity) + "\n" for activity in world.activities)
    (folder / log.FILE).write_text("".join(lines), encoding="utf-8")
    write_sheet(folder, TRUTH, world.truth)


def write_crm(world: World, folder: Path) -> None:
    """The files of the CRM alone."""
    tables = (world.companies, world.contacts, world.deals, world.deal_contacts, world.stage_changes)
    for sheet, rows in zip(CRM, tables, strict=True):
        write_sheet(folder, sheet, rows)


def write_sheet(folder: Path, sheet: Sheet, rows: Iterable[Any]) -> None:
    with (folder / sheet.file).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in sheet.columns])
        for row in rows:
            writer.writerow([column.write(getattr(row, column.name)) for column in sheet.columns])
