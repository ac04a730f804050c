"""The bytes of an export to rows: CSV by the mapping, cells by their field, bad rows refused with their line. Pure."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from autocapture.crm.cells import (
    Unreadable,
    each,
    is_empty,
    parse_day,
    parse_domain,
    parse_email,
    parse_flag,
    parse_instant,
    split_list,
)
from autocapture.crm.fields import ALIAS_OF_TARGET, FieldSpec
from autocapture.crm.mapping import SectionMapping
from autocapture.crm.rows import Place, ReadRow, Remark, Value
from autocapture.errors import InputError
from autocapture.formats.domains import organization_domains
from autocapture.formats.phone import to_e164

CELL_LIMIT = 1_000_000  # characters
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(slots=True)
class Reading:
    """What one file gave. `refused` rows hold their key where it could be read, so that others may name it."""

    rows: list[ReadRow] = field(default_factory=list)
    refused: list[tuple[str, Remark]] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


def decode(content: bytes, encoding: str, file: str, remedy: str) -> str:
    """The text of a file; a byte order mark wins over `encoding`. Raises InputError, which ends with `remedy`."""
    for mark, marked in _MARKS:
        if content.startswith(mark):
            encoding = marked
            break
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise InputError(f"{file} line {line}: not {encoding} text; {remedy}") from None


def csv_records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV text with the line on which each begins; blank lines left out. Raises InputError."""
    csv.field_size_limit(CELL_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise InputError(f"{file} line {line}: not readable as CSV from here on: {problem}") from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def trouble_of(cells: list[str], width: int) -> str | None:
    """Why a record cannot be read at all: not the header's width, or a NUL, which no database text holds."""
    if len(cells) != width:
        return f"{len(cells)} cells where the header has {width}"
    return "holds a NUL character" if any("\x00" in cell for cell in cells) else None


def read_section(content: bytes, mapping: SectionMapping) -> Reading:
    """Every row of one section's file, accepted or refused. Raises InputError where the file itself does not fit."""
    text = decode(content, mapping.layout.encoding, mapping.file, 'say encoding = "…" in the mapping')
    records = csv_records(text, mapping.layout.delimiter, mapping.file)
    _, header = next(records, (1, []))
    positions = _positions([cell.strip() for cell in header], mapping)
    reading = Reading()
    for line, cells in records:
        place = Place(mapping.file, line)
        if trouble := trouble_of(cells, len(header)):
            reading.refused.append(("", Remark(place, trouble)))
            continue
        raw = {name: cells[position].strip() for name, position in positions.items()}
        _read_row(raw, place, mapping, reading)
    return reading


def _positions(header: list[str], mapping: SectionMapping) -> dict[str, int]:
    positions = {}
    for name, column in mapping.columns.items():
        count = header.count(column.strip())
        if count != 1:
            trouble = "has no column" if count == 0 else "has more than one column"
            raise InputError(f"{mapping.file} {trouble} {column!r}; it has: {', '.join(header) or 'nothing'}")
        positions[name] = header.index(column.strip())
    return positions


def _read_row(raw: dict[str, str], place: Place, mapping: SectionMapping, reading: Reading) -> None:
    values: dict[str, Value] = {}
    key = ""
    try:
        words = {
            name: _our_word(raw, name, mapping) for name in mapping.spec.fields if name in mapping.mapped
        }
        key = _key(words, mapping)
        for name, word in words.items():
            values[name] = _parse(word, mapping.spec.fields[name], mapping, place, reading)
            if mapping.spec.fields[name].required and values[name] is None:
                raise Unreadable(f"{name} is missing")
    except Unreadable as problem:
        reading.refused.append((key, Remark(place, str(problem))))
        return
    reading.rows.append(ReadRow(mapping.name, key, values, place, raw.get("stage", "")))


def _our_word(raw: dict[str, str], name: str, mapping: SectionMapping) -> str:
    word = raw.get(name, "")
    word = mapping.values.get(name, {}).get(word, word)
    if not word:
        return mapping.constants.get(name, "")
    spec = mapping.spec.fields[name]
    if spec.kind == "references":
        entries = split_list(word, mapping.layout.list_separator)
        return mapping.layout.list_separator[0].join(_alias(entry, name, spec, mapping) for entry in entries)
    return _alias(word, name, spec, mapping)


def _alias(word: str, name: str, spec: FieldSpec, mapping: SectionMapping) -> str:
    target = ALIAS_OF_TARGET.get(spec.target or "", name)
    for table in dict.fromkeys((name, target)):
        word = mapping.aliases.get(table, {}).get(word, word)
    if mapping.spec.named and name in ("key", "name"):
        word = mapping.aliases.get(ALIAS_OF_TARGET[mapping.name], {}).get(word, word)
    return word


def _key(words: dict[str, str], mapping: SectionMapping) -> str:
    if "key" not in mapping.spec.fields:
        return ""
    key = words.get("key" if "key" in mapping.mapped else "name", "")
    if not key:
        raise Unreadable("the key is missing")
    return key


def _parse(word: str, spec: FieldSpec, mapping: SectionMapping, place: Place, reading: Reading) -> Value:
    layout = mapping.layout
    match spec.kind:
        case "text":
            return word or None
        case "emails":
            return each(parse_email, word, layout.list_separator + ", ")
        case "domains":
            return _domains(word, mapping, place, reading)
        case "phones":
            return _phones(word, mapping, place, reading)
        case "references":
            return split_list(word, layout.list_separator)
        case "numbers":
            return tuple(sorted(split_list(word, layout.list_separator)))
        case "flag":
            return parse_flag(word)
    if is_empty(word):
        return None
    match spec.kind:
        case "email":
            return parse_email(word)
        case "day":
            return parse_day(word, layout)
        case "instant":
            return parse_instant(word, layout)
    return word  # a reference or an amount: read later, with what it depends on


def _domains(word: str, mapping: SectionMapping, place: Place, reading: Reading) -> tuple[str, ...]:
    domains = each(parse_domain, word, mapping.layout.list_separator + ", ")
    for domain in domains:
        if not organization_domains(domain):
            reading.notes.append(
                Remark(place, f"left out: {domain!r} is free mail or a public suffix, it names no company")
            )
    return tuple(domain for domain in domains if organization_domains(domain))


def _phones(word: str, mapping: SectionMapping, place: Place, reading: Reading) -> tuple[str, ...]:
    numbers = set()
    for entry in split_list(word, mapping.layout.list_separator + ","):
        number = to_e164(entry, mapping.layout.phone_region)
        if number is None:
            reading.notes.append(Remark(place, f"left out: {entry!r} is not a phone number"))
        else:
            numbers.add(number)
    return tuple(sorted(numbers))
