"""A call log as CSV: one channel, one item per row. A row that cannot be read is named by its line, never dropped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import ChannelGone, SetupError, Unreachable
from autocapture.formats.charsets import one_line, without_unwanted
from autocapture.formats.keys import ADDRESS_LENGTH, bounded
from autocapture.records import CallOutcome, CallRecord
from autocapture_files.call_mapping import CallMapping, Direction, Target
from autocapture_files.files import missing_file
from autocapture_files.snapshot import (
    Scope,
    Snapshot,
    UnusableWhole,
    fingerprint,
    settled,
    stamp_of,
    twin,
)

_CHANNEL = "calls"
_CLOCK_TIME = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})(?:[.,]\d+)?")
_UNITS = {"seconds": 1.0, "minutes": 60.0, "milliseconds": 0.001}
_LONGEST = timedelta(days=7)
_WHOLE_AFTER = timedelta(seconds=60)  # see mbox: a last line without its end may still be being written
_BEGINNING = 64 << 10
LOG_LIMIT = 128 << 20
"""Bytes of one call log: some 600,000 calls."""


class CallLog:
    """One CSV file and how it is read. Times that the mapping gives no zone are in the rep's own."""

    def __init__(self, path: Path, mapping: CallMapping, tools: Tools) -> None:
        self._path = path
        self._mapping = mapping
        self._clock = tools.clock
        self._scope = Scope.of(tools)
        self._reader = _RowReader(path, mapping, ZoneInfo(mapping.time_zone or tools.time_zone))
        self._parsed: tuple[str, dict[str, Record | Broken]] | None = None

    def channels(self) -> Sequence[Channel]:
        if not self._path.is_file():
            raise SetupError(f"{self._path} is not a call log: {missing_file(self._path)}")
        self._refuse_other_files()
        return [Channel(_CHANNEL, "call", self._path.name)]

    def stamp(self, channel: Channel) -> str | None:
        try:
            return stamp_of(self._path)
        except OSError:
            raise ChannelGone(f"{self._path} is no longer there") from None

    def snapshot(self, channel: Channel) -> Snapshot:
        stamp = self.stamp(channel)
        items, whole = self._items(stamp or "")
        trusted = whole and settled(self._clock, self._path)
        return Snapshot(
            {item_id: item.version for item_id, item in items.items()}, stamp if trusted else None
        )

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        items, _ = self._items(self.stamp(channel) or "")
        return items.get(item_id) or Gone(item_id)

    def text(self, channel: Channel, item_id: str) -> str | None:
        return None

    def _items(self, stamp: str) -> tuple[dict[str, Record | Broken], bool]:
        """The rows by id, parsed once while the file stays as it is, and whether its last line was whole."""
        if self._parsed is not None and self._parsed[0] == stamp:
            return self._parsed[1], True
        try:
            status = self._path.stat()
            if status.st_size > LOG_LIMIT:
                raise UnusableWhole(f"{self._path} is larger than {LOG_LIMIT >> 20} MiB", stamp)
            written_at = datetime.fromtimestamp(status.st_mtime, UTC)
            raw = self._path.read_bytes()
        except FileNotFoundError:
            raise ChannelGone(f"{self._path} is no longer there") from None
        except OSError as error:
            raise Unreachable(f"{self._path} cannot be read: {error.strerror}") from None
        whole = raw.endswith(b"\n") or not raw or self._clock.now() - written_at > _WHOLE_AFTER
        if not whole:
            raw = raw[: raw.rfind(b"\n") + 1]
        items = {item.id: item for item in self._reader.items(raw) if self._is_in_scope(item)}
        self._parsed = (stamp, items) if whole else None
        return items, whole

    def _refuse_other_files(self) -> None:
        """Raises SetupError where nothing at the beginning of the file is a call. An empty log is one."""
        try:
            with self._path.open("rb") as file:
                begins = file.read(_BEGINNING)
        except OSError as error:
            raise SetupError(f"{self._path} cannot be read: {error.strerror}") from None
        if "\x00" in begins.decode(self._mapping.encoding, "replace"):
            raise SetupError(f"{self._path} is not a call log: it is not text")
        items = list(self._reader.items(begins[: begins.rfind(b"\n") + 1]))
        if items and all(isinstance(item, Broken) for item in items):
            why = next(item.why for item in items if isinstance(item, Broken))
            raise SetupError(f"{self._path} is not a call log that the mapping fits: {why}")

    def _is_in_scope(self, item: Record | Broken) -> bool:
        call = item.data if isinstance(item, Record) else None
        return not isinstance(call, CallRecord) or self._scope.holds(call.started_at)


class _RowReader:
    """Rows of one layout to items."""

    def __init__(self, path: Path, mapping: CallMapping, zone: tzinfo) -> None:
        self._path = path
        self._mapping = mapping
        self._zone = zone
        self._outcomes = mapping.words("outcome")
        self._overrides = mapping.words("outcome_override")
        self._directions = mapping.words("direction")

    def items(self, raw: bytes) -> Iterator[Record | Broken]:
        """One item per row that is not empty. Raises SetupError when the header lacks a column of the mapping."""
        text = without_unwanted(raw.decode(self._mapping.encoding, "replace"))
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=self._mapping.delimiter, strict=True)
        positions = self._positions(rows)
        seen: dict[str, int] = {}
        for line, row in _numbered(rows):
            if row is None:
                yield Broken(twin(f"line-{line}", seen), f"line {line}: the row is not CSV")
            elif any(cell.strip() for cell in row):
                yield self._item(row, line, positions, seen)

    def _positions(self, rows: Iterator[list[str]]) -> Mapping[Target, int]:
        columns = self._mapping.columns
        if not self._mapping.header:
            return {target: int(column) - 1 for target, column in columns.items()}
        try:
            header = [cell.strip() for cell in next(rows, [])]
        except csv.Error:
            raise SetupError(f"{self._path}: the call log's header is not CSV") from None
        missing = [str(column) for column in columns.values() if column not in header]
        if missing and header:
            raise SetupError(f"{self._path}: the call log's header has no column {', '.join(missing)}")
        return {target: header.index(str(column)) for target, column in columns.items()} if header else {}

    def _item(
        self, row: Sequence[str], line: int, positions: Mapping[Target, int], seen: dict[str, int]
    ) -> Record | Broken:
        version = fingerprint("\x1f".join(row).encode())
        cells = dict(self._mapping.constants)
        cells.update({target: row[at].strip() for target, at in positions.items() if at < len(row)})
        item_id = twin(_key(cells.get("call_id", "")) or f"row-{version}", seen)
        try:
            if any(
                at >= len(row)
                for target, at in positions.items()
                if target in ("caller", "callee", "started_at")
            ):
                raise ValueError("the row is too short")
            return Record(item_id, self._call(item_id, cells), version)
        except (ValueError, OverflowError) as error:
            return Broken(item_id, f"line {line}: {error}", version)

    def _call(self, call_id: str, cells: Mapping[Target, str]) -> CallRecord:
        outcome = self._outcomes.get(cells.get("outcome", "").casefold(), "unknown")
        outcome = self._overrides.get(cells.get("outcome_override", "").casefold(), outcome)
        direction = self._directions.get(cells.get("direction", "").casefold(), "unknown")
        return CallRecord(
            call_id=call_id,
            caller=cells.get("caller", ""),
            callee=cells.get("callee", ""),
            started_at=self._instant(cells.get("started_at", "")),
            talked_for=self._length(cells.get("talked_for", "")),
            outcome=cast(CallOutcome, outcome),
            direction=cast(Direction, direction),
            group=_key(cells.get("group", "")) or None,
            owner=cells.get("owner", "")[:ADDRESS_LENGTH] or None,
        )

    def _instant(self, text: str) -> datetime:
        for date_format in self._mapping.date_formats:
            try:
                found = datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone is added below
            except ValueError:
                continue
            if not 1970 <= found.year <= 2100:
                break
            return (found if found.tzinfo else found.replace(tzinfo=self._zone)).astimezone(UTC)
        raise ValueError("the start is not a date in the mapping's format")

    def _length(self, text: str) -> timedelta:
        """A number in the mapping's unit, or hours, minutes and seconds with colons; nothing is zero."""
        if not text:
            return timedelta(0)
        clock_time = _CLOCK_TIME.fullmatch(text)
        if clock_time:
            hours, minutes, seconds = (int(part or 0) for part in clock_time.groups())
            length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        else:
            try:
                length = timedelta(
                    seconds=float(text.replace(",", ".")) * _UNITS[self._mapping.duration_unit]
                )
            except (ValueError, OverflowError):
                raise ValueError("the duration is not a number") from None
        if not timedelta(0) <= length <= _LONGEST:
            raise ValueError("the duration is absurd")
        return length


def _key(written: str) -> str:
    return bounded(one_line(written))


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | None]]:
    """Rows with the number of their last line; None for one that the CSV reader refuses (an overlong field)."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield rows.line_num, None  # type: ignore[attr-defined]
        else:
            yield rows.line_num, row  # type: ignore[attr-defined]
