"""The mapping file: which file and which column every field comes from, and how its cells are written."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies

from autocapture.crm.fields import ALIAS_OF_TARGET, SECTIONS, SectionSpec
from autocapture.errors import InputError
from autocapture.formats.phone import region_of

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the cells of a file are written. `region` (ISO 3166, default: the zone's) reads numbers without a country code."""

    encoding: str = "utf-8"
    delimiter: str = ","
    date_format: str = "%Y-%m-%d"
    datetime_format: str | None = None
    time_zone: str = "UTC"
    currency: str | None = None
    decimal: str = "."
    region: str | None = None
    list_separator: str = ";"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def phone_region(self) -> str | None:
        return self.region or region_of(self.time_zone)


@dataclass(frozen=True, slots=True)
class SectionMapping:
    """One section. `values` and `aliases` are by field: their word = ours."""

    name: str
    file: str
    layout: Layout
    columns: Words
    constants: Words = field(default_factory=dict)
    values: Mapping[str, Words] = field(default_factory=dict)
    aliases: Mapping[str, Words] = field(default_factory=dict)

    @property
    def spec(self) -> SectionSpec:
        return SECTIONS[self.name]

    @property
    def mapped(self) -> frozenset[str]:
        """The fields that this mapping fills; the others are left as they are."""
        return frozenset(self.columns) | frozenset(self.constants)


Mappings = Mapping[str, SectionMapping]
"""By section, in the order of `SECTIONS`."""

_LAYOUT_KEYS = frozenset(item.name for item in fields(Layout))
_SECTION_KEYS = frozenset({"file", "columns", "constants", "values", "aliases"})


def parse_mapping(text: str, place: str) -> Mappings:
    """The mapping that `text` (TOML) holds; `place` names it in errors. Raises InputError, one line, naming the key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{place}: not a TOML file: {problem}") from None
    unknown = sorted(set(data) - set(SECTIONS) - {"source"})
    if unknown:
        raise InputError(f"{place}: unknown section [{unknown[0]}]; there are: source, {', '.join(SECTIONS)}")
    source = _table(data.get("source", {}), f"{place}: [source]")
    _refuse_others(source, _LAYOUT_KEYS, f"{place}: [source]")
    layout = _layout(Layout(), source, f"{place}: [source]")
    found = {
        name: _section(name, _table(data[name], f"{place}: [{name}]"), layout, place)
        for name in SECTIONS
        if name in data
    }
    if not found:
        raise InputError(f"{place}: maps nothing; it needs one of the sections {', '.join(SECTIONS)}")
    return _with_shared_words(found)


_HISTORY_OF = {"stage_changes": ("deals", "stage"), "lead_changes": ("leads", "status")}


def _with_shared_words(found: dict[str, SectionMapping]) -> Mappings:
    """A history reads its words as the section it belongs to does, where it has no table of its own."""
    for history, (section, name) in _HISTORY_OF.items():
        if history in found and section in found and name not in found[history].values:
            values = {**found[history].values, name: found[section].values.get(name, {})}
            found[history] = replace(found[history], values=values)
    return found


def _section(name: str, data: Mapping[str, Any], layout: Layout, place: str) -> SectionMapping:
    where = f"{place}: [{name}]"
    _refuse_others(data, _SECTION_KEYS | _LAYOUT_KEYS, where)
    file = data.get("file")
    if not isinstance(file, str) or not file:
        raise InputError(f'{where} needs file = "…"')
    mapping = SectionMapping(
        name=name,
        file=file,
        layout=_layout(layout, {key: data[key] for key in data if key in _LAYOUT_KEYS}, where),
        columns=_words(data.get("columns", {}), f"{where[:-1]}.columns]"),
        constants=_words(data.get("constants", {}), f"{where[:-1]}.constants]"),
        values=_word_tables(data.get("values", {}), f"{where[:-1]}.values]"),
        aliases=_word_tables(data.get("aliases", {}), f"{where[:-1]}.aliases]"),
    )
    _check_fields(mapping, where)
    return mapping


def _check_fields(mapping: SectionMapping, where: str) -> None:
    known = set(mapping.spec.fields)
    known_aliases = known | set(ALIAS_OF_TARGET.values())
    for part, names, allowed in (
        ("columns", mapping.columns, known),
        ("constants", mapping.constants, known),
        ("values", mapping.values, known),
        ("aliases", mapping.aliases, known_aliases),
    ):
        for name in names:
            if name not in allowed:
                raise InputError(
                    f"{where[:-1]}.{part}] names the unknown field {name!r}; there are: {', '.join(mapping.spec.fields)}"
                )
    for name, spec in mapping.spec.fields.items():
        if spec.required and name not in mapping.mapped:
            raise InputError(f"{where} must say where {name!r} comes from, in columns or constants")
    identified = {"key", "name"} if mapping.spec.named else {"key"}
    if "key" in known and not identified & mapping.mapped:
        raise InputError(f"{where} must say where {' or '.join(map(repr, sorted(identified)))} comes from")


def _layout(base: Layout, data: Mapping[str, Any], where: str) -> Layout:
    for key, value in data.items():
        if not isinstance(value, str) or not value:
            raise InputError(f"{where} {key} must be a text that is not empty")
    layout = replace(base, **data)
    try:
        codecs.lookup(layout.encoding)
    except LookupError:
        raise InputError(f"{where} encoding {layout.encoding!r} is unknown") from None
    try:
        ZoneInfo(layout.time_zone)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"{where} time_zone {layout.time_zone!r} is not a time zone of the IANA database"
        ) from None
    if len(layout.delimiter) != 1 or layout.delimiter in '"\r\n':
        raise InputError(f"{where} delimiter must be one character")
    if layout.decimal not in (".", ","):
        raise InputError(f'{where} decimal must be "." or ","')
    if layout.currency is not None and layout.currency not in list_currencies():
        raise InputError(f"{where} currency {layout.currency!r} is not an ISO 4217 code")
    if layout.region is not None and (len(layout.region) != 2 or not layout.region.isupper()):
        raise InputError(f"{where} region {layout.region!r} is not a country code such as NL")
    return layout


def _refuse_others(data: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise InputError(f"{where} has the unknown key {unknown[0]!r}; there are: {', '.join(sorted(known))}")


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a table")
    return value


def _words(value: object, where: str) -> Words:
    table = _table(value, where)
    for key, word in table.items():
        if not isinstance(word, str):
            raise InputError(f"{where} {key} must be a text in quotes")
    return table


def _word_tables(value: object, where: str) -> Mapping[str, Words]:
    return {name: _words(table, f"{where} {name}") for name, table in _table(value, where).items()}
