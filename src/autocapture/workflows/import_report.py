"""What an import did or, on a dry run, would do: counts, refusals, and each change for print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autocapture.crm.rows import Change, Key, Remark

SHOWN = 20
"""Changes of a table that the printable form shows."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts by table; `refused` rows were not imported, `notes` tell of cells that were left out of rows that were.
    `missing` are rows of earlier imports that the file no longer holds; they stay. `merged` (table, key, key of the other)
    became part of another row, `moved` are stage changes that the file dates otherwise: neither is there any more."""

    created: Mapping[str, int]
    updated: Mapping[str, int]
    unchanged: Mapping[str, int]
    refused: tuple[Remark, ...] = ()
    missing: tuple[tuple[str, Key], ...] = ()
    notes: tuple[Remark, ...] = ()
    merged: tuple[tuple[str, str, str], ...] = ()
    moved: tuple[Key, ...] = ()
    changes: tuple[Change, ...] = field(default=(), repr=False)
    advice: str | None = None  # what is to be done for the import to tell on what was captured before
    dry_run: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What `details` fills."""
        return _COLUMNS

    @property
    def imported(self) -> int:
        """Rows that the database holds now as the file says."""
        return sum(sum(counts.values()) for counts in (self.created, self.updated, self.unchanged))

    def counts(self) -> list[dict[str, Any]]:
        """One row a table: created, updated, unchanged, missing."""
        missing = Counter(table for table, _ in self.missing)
        tables = dict.fromkeys([*self.created, *self.updated, *self.unchanged, *missing])
        return [
            {
                "table": table,
                "created": self.created.get(table, 0),
                "updated": self.updated.get(table, 0),
                "unchanged": self.unchanged.get(table, 0),
                "missing": missing[table],
            }
            for table in tables
        ]

    def details(self) -> Iterator[dict[str, Any]]:
        """One row for the counts of each table, then one for each change, refusal, note and missing row; same columns."""
        for row in self.counts():
            yield _detail("count", table=row.pop("table"), after=row)
        for change in self.changes:
            action = "create" if change.before is None else "update"
            yield _detail(
                action, table=change.table, key=_key(change.key), before=change.before, after=change.after
            )
        for remark in self.refused:
            yield _detail("refuse", file=remark.place.file, line=remark.place.line, reason=remark.reason)
        for remark in self.notes:
            yield _detail("note", file=remark.place.file, line=remark.place.line, reason=remark.reason)
        for table, gone, into in self.merged:
            yield _detail("merge", table=table, key=gone, reason=f"became part of {into}")
        for key in self.moved:
            yield _detail("remove", table="stage_change", key=_key(key), reason=_MOVED)
        for table, key in self.missing:
            yield _detail("missing", table=table, key=_key(key), reason="no longer in the file")

    def lines(self) -> Iterator[str]:
        """For people: what changes, then what was refused, left out and no longer in the file."""
        one = self.imported == 1
        verb = "would be" if self.dry_run else "was" if one else "were"
        for row in self.counts():
            yield (
                f"{row['table']}: {row['created']} created, {row['updated']} updated, {row['unchanged']} unchanged"
                + (f", {row['missing']} no longer in the file" if row["missing"] else "")
            )
        if self.dry_run:
            yield from self._change_lines()
        for table, gone, other in self.merged:
            yield f"merged: {table} {gone} became part of {other}"
        if self.moved:
            one_change = len(self.moved) == 1
            yield f"{len(self.moved)} {'stage change' if one_change else 'stage changes'} dated otherwise"
        for remark in self.refused:
            yield f"refused: {remark.place}: {remark.reason}"
        for remark in self.notes:
            yield f"note: {remark.place}: {remark.reason}"
        yield f"{self.imported} {'row' if one else 'rows'} {verb} imported, {len(self.refused)} refused"
        if self.advice:
            yield self.advice

    def _change_lines(self) -> Iterator[str]:
        shown: Counter[str] = Counter()
        for change in self.changes:
            shown[change.table] += 1
            if shown[change.table] > SHOWN:
                continue
            if change.before is None:
                yield f"+ {change.table} {_key(change.key)}: {_values(change.after)}".removesuffix(": ")
                continue
            for name, after in change.after.items():
                yield f"~ {change.table} {_key(change.key)} {name}: {_word(change.before[name])} -> {_word(after)}"
        for table, count in shown.items():
            if count > SHOWN:
                yield f"… {count - SHOWN} more of {table}"


def report_of_changes(
    changes: tuple[Change, ...], unchanged: Mapping[str, int], **others: Any
) -> ImportReport:
    """An ImportReport that counts `changes` by table; `others` are its further fields."""
    created = Counter(change.table for change in changes if change.before is None)
    updated = Counter(change.table for change in changes if change.before is not None)
    return ImportReport(
        created=created, updated=updated, unchanged=dict(unchanged), changes=changes, **others
    )


_MOVED = "the file dates it otherwise"
_COLUMNS = ("action", "table", "key", "before", "after", "file", "line", "reason")


def _detail(action: str, **cells: Any) -> dict[str, Any]:
    return {name: {"action": action, **cells}.get(name) for name in _COLUMNS}


def _key(key: Key) -> str:
    return " / ".join(key)


def _values(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_word(value)}" for name, value in values.items() if value not in (None, ()))


def _word(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return ";".join(map(str, value)) or "nothing"
    return str(value)
