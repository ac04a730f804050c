"""Rows as read to rows as the mirror should hold them: references resolved, deals finished, the rest refused. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from autocapture.crm.cells import Unreadable, at_start
from autocapture.crm.deals import DealContext, finish_deal
from autocapture.crm.fields import SECTIONS
from autocapture.crm.mapping import Mappings, SectionMapping
from autocapture.crm.read import Reading
from autocapture.crm.references import References
from autocapture.crm.rows import Entry, Key, Mirror, ReadRow, Remark, Value
from autocapture.model.crm import BY_CAPTURE, BY_PEOPLE

Readings = Mapping[str, Reading]
"""What the file of each section gave."""


class Assembly:
    """The entries of one import, in the order of the sections. `refused_keys` are in the files, though not imported."""

    def __init__(self, mappings: Mappings, readings: Readings, mirror: Mirror, now: datetime) -> None:
        self.entries: dict[str, dict[Key, Entry]] = defaultdict(dict)
        self.refused: list[Remark] = []
        self.refused_keys: dict[str, set[str]] = defaultdict(set)
        self.notes: list[Remark] = []
        self.listed_changes: set[Key] = set()
        """The stage changes that the files tell themselves."""
        self._mappings, self._mirror, self._now = mappings, mirror, now
        self._references = References(mirror)
        self._seen: dict[str, dict[str, ReadRow]] = defaultdict(dict)
        self._entered = _last_entered(readings.get("stage_changes"), mappings)
        for section, mapping in mappings.items():
            reading, first = readings[section], len(self.refused)
            self.notes.extend(reading.notes)
            for key, remark in reading.refused:
                self._refuse(section, key, remark)
            for row in reading.rows:
                try:
                    self._accept(row, mapping)
                except Unreadable as problem:
                    self._refuse(section, row.key, Remark(row.place, str(problem)))
            self.refused[first:] = sorted(self.refused[first:], key=lambda remark: remark.place.line)

    def add_change(self, table: str, key: str, at: datetime, word: str) -> None:
        """A step of a history that no file tells: `word` is the stage or status entered at `at`."""
        self._put(table, (key, _stamp(at), word), {})

    def _refuse(self, section: str, key: str, remark: Remark) -> None:
        self.refused.append(remark)
        if key not in self._seen[section]:
            self.refused_keys[section].add(key)
            self._references.refuse(section, key, remark.place)

    def _accept(self, row: ReadRow, mapping: SectionMapping) -> None:
        first = self._seen[row.section].get(row.key) if row.key else None
        if first is not None:
            if "key" not in mapping.mapped and first.values == row.values:
                return  # the same name again, as in a list taken from another export
            raise Unreadable(f"duplicate key {row.key!r}: first on line {first.place.line}")
        found = self._resolve(row, mapping)
        match row.section:
            case "owners":
                self._references.add_owner(row.key, str(row.values["email"]))
            case "deals":
                self._deal(row, found, mapping)
            case "leads":
                self._lead(row, found, mapping)
            case "lead_changes" | "stage_changes" | "deal_contacts":
                self._detail(row, found, mapping)
            case _:
                self._named(row, found, mapping)
        if row.key:
            self._seen[row.section][row.key] = row

    def _resolve(self, row: ReadRow, mapping: SectionMapping) -> dict[str, Value]:
        """The row's references by field: keys of other rows, or users' addresses."""
        found: dict[str, Value] = {}
        for name, spec in mapping.spec.fields.items():
            if spec.target is None or name not in row.values:
                continue
            word = row.values[name]
            if isinstance(word, str):
                found[name] = self._references.find(spec.target, word)
            elif isinstance(word, tuple):
                found[name] = tuple(sorted({self._references.find(spec.target, item) for item in word}))
            else:
                found[name] = None
        return found

    def _put(self, table: str, key: Key, values: Mapping[str, Value]) -> None:
        self.entries[table][key] = Entry(table, key, values)

    def _named(self, row: ReadRow, found: Mapping[str, Value], mapping: SectionMapping) -> None:
        values = {**{name: value for name, value in row.values.items() if name != "key"}, **found}
        emails = values.get("emails")
        addresses = emails if isinstance(emails, tuple) else ()
        if row.section == "contacts":
            values["name"] = values.get("name") or next(iter(addresses), None)
            if values["name"] is None:
                raise Unreadable("name is missing, and there is no address to take its place")
            if "created_at" in values:
                values["created_at"] = _instant(values["created_at"], mapping.layout.zone)
        self._references.add(row.section, row.key, str(values["name"]), addresses)
        self._put(mapping.spec.table, (row.key,), values)

    def _lead(self, row: ReadRow, found: Mapping[str, Value], mapping: SectionMapping) -> None:
        values = {**{name: value for name, value in row.values.items() if name != "key"}, **found}
        zone = self._zone(found.get("owner"), mapping)
        for name in ("created_at", "assigned_at"):
            if name in values:
                values[name] = _instant(values[name], zone)
        created_at, assigned_at = values["created_at"], values.get("assigned_at")
        if (
            isinstance(assigned_at, datetime)
            and isinstance(created_at, datetime)
            and assigned_at < created_at
        ):
            if isinstance(row.values["assigned_at"], datetime) or assigned_at.date() < created_at.date():
                raise Unreadable("assigned before created")
            values["assigned_at"] = created_at  # a day without a time: the same day is not before
        self._references.add("leads", row.key)
        self._put("lead", (row.key,), values)

    def _deal(self, row: ReadRow, found: Mapping[str, Value], mapping: SectionMapping) -> None:
        known = self._mirror.rows("deal").get((row.key,))
        owner = found["owner"] if "owner" in found else (known or {}).get("owner")
        context = DealContext(
            known=known,
            zone=self._zone(owner, mapping),
            now=self._now,
            entered=self._entered.get((row.key, str(row.values.get("stage")))),
        )
        values = finish_deal(row, found, mapping, context)
        self._references.add("deals", row.key, str(values["name"]))
        self._put("deal", (row.key,), values)
        contacts = found.get("contacts")
        for contact in contacts if isinstance(contacts, tuple) else ():
            self._put("deal_contact", (row.key, contact), {})

    def _detail(self, row: ReadRow, found: Mapping[str, Value], mapping: SectionMapping) -> None:
        if row.section == "lead_changes":
            lead = self._row("lead", str(found["lead"]))
            at = _instant(row.values["at"], self._zone(lead.get("owner"), mapping))
            self._put("lead_change", (str(found["lead"]), _stamp(at), str(row.values["status"])), {})
            return
        deal = str(found["deal"])
        zone = self._zone(self._row("deal", deal).get("owner"), mapping)
        if row.section == "stage_changes":
            at = _instant(row.values["at"], zone)
            change = (deal, _stamp(at), str(row.values["stage"]))
            self.listed_changes.add(change)
            self._put("stage_change", change, {})
            return
        key = (deal, str(found["contact"]))
        values: dict[str, Value] = {}
        if "role" in row.values:
            values["role"] = row.values["role"] or ""
        if "since" in row.values:
            values["since"] = _instant(row.values["since"], zone)
        if "source" in row.values:
            values["source"] = _source(row.values["source"])
        if self.entries["deal_contact"].get(key, Entry("", (), {})).values:
            raise Unreadable(f"duplicate: contact {key[1]!r} is on deal {key[0]!r} already")
        self._put("deal_contact", key, values)

    def _row(self, table: str, key: str) -> Mapping[str, Value]:
        entry = self.entries[table].get((key,))
        known = self._mirror.rows(table).get((key,), {})
        return known if entry is None else {**known, **entry.values}

    def _zone(self, owner: Value, mapping: SectionMapping) -> ZoneInfo:
        user = self._mirror.users.get(owner) if isinstance(owner, str) else None
        return mapping.layout.zone if user is None else user.zone


def _source(value: Value) -> str:
    source = str(value or BY_PEOPLE).lower()
    if source not in (BY_PEOPLE, BY_CAPTURE):
        raise Unreadable(f"unknown source {value!r}; map it to {BY_PEOPLE} or {BY_CAPTURE}")
    return source


def stamp_of(key: Key) -> datetime:
    """The instant in the key of a stage change or lead change."""
    return datetime.fromisoformat(key[1])


def _stamp(at: datetime | None) -> str:
    if at is None:
        raise Unreadable("at is missing")
    return at.astimezone(UTC).isoformat()


def _instant(value: Value, zone: ZoneInfo) -> datetime | None:
    return at_start(value, zone) if isinstance(value, date) else None


def _last_entered(reading: Reading | None, mappings: Mappings) -> dict[tuple[str, str], date]:
    """By deal and stage: the last time that the file of stage changes has the deal enter it."""
    last: dict[tuple[str, str], date] = {}
    for row in reading.rows if reading else ():
        at, where = row.values["at"], (str(row.values["deal"]), str(row.values["stage"]))
        zone = mappings["stage_changes"].layout.zone
        if isinstance(at, date) and (where not in last or at_start(last[where], zone) <= at_start(at, zone)):
            last[where] = at
    return last


SECTION_OF_TABLE = {spec.table: name for name, spec in SECTIONS.items()}
