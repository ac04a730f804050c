"""Rows that became part of another one in the CRM. Pure.

A CRM that merged two rows exports one of them: the other is missing, and what it was known by stands in the one that is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from autocapture.crm.rows import Entry, Key, Mirror, Value, Values

Merges = Mapping[str, Mapping[str, str]]
"""By table, company or contact: the key of a row that is gone, and of the one that it became part of."""

Entries = Mapping[str, Mapping[Key, Entry]]
"""The rows of the files, by table."""

_REFERRING = {
    "company": (("contact", "company"), ("deal", "company")),
    "contact": (("lead", "contact"),),
}
"""By table: the tables and columns that name its rows."""


def merges_of(missing: Collection[tuple[str, Key]], entries: Entries, mirror: Mirror) -> Merges:
    """Those of the missing companies and contacts that exactly one row of the files took over, and that no row of the files
    names. A company is taken over with all its domains, where these are new to the other, or all that moved away from it moved
    there; a contact with all its addresses, where one is new to the other or both have one name, or, of one name, with all
    its numbers."""
    found: dict[str, dict[str, str]] = {"company": {}, "contact": {}}
    for table, taken_over in found.items():
        known, listed = mirror.rows(table), entries.get(table, {})
        gone = [key for of, key in missing if of == table]
        if not gone:
            continue
        now = {key: {**known.get(key, {}), **entry.values} for key, entry in listed.items()}
        named = _named(table, entries)
        holders = _holders(now)
        for key in gone:
            into = _only_holder(known[key], holders)
            if into is None or key[0] in named:
                continue
            gained = not _handles(known[key]) <= _handles(known.get(into, {}))
            is_same = (
                _took_over_company(key[0], into[0], entries, mirror, gained=gained)
                if table == "company"
                else _is_same_person(known[key], now[into], gained=gained)
            )
            if is_same:
                taken_over[key[0]] = into[0]
    return {table: into for table, into in found.items() if into}


def _took_over_company(key: str, into: str, entries: Entries, mirror: Mirror, *, gained: bool) -> bool:
    """Whether everything that left the one in these files went to the other, and that or its domains tell of a merge."""
    moved = {
        entry.values.get("company")
        for table, column in _REFERRING["company"]
        for row, entry in entries.get(table, {}).items()
        if mirror.rows(table).get(row, {}).get(column) == key
    }
    return moved <= {into} and (gained or bool(moved))


def _is_same_person(gone: Values, other: Values, *, gained: bool) -> bool:
    return (gained and bool(_texts(gone, "emails"))) or _folded(gone.get("name")) == _folded(
        other.get("name")
    )


def _named(table: str, entries: Entries) -> set[Value]:
    """The keys that rows of the files name."""
    named = {
        entry.values.get(column)
        for other, column in _REFERRING[table]
        for entry in entries.get(other, {}).values()
    }
    if table == "contact":
        named |= {contact for _, contact in entries.get("deal_contact", {})}
    return named


def _holders(rows: Mapping[Key, Values]) -> Mapping[str, set[Key]]:
    found: dict[str, set[Key]] = defaultdict(set)
    for key, values in rows.items():
        for column in ("domains", "emails", "phones"):
            for handle in _texts(values, column):
                found[handle].add(key)
    return found


def _only_holder(gone: Values, holders: Mapping[str, set[Key]]) -> Key | None:
    """The only row that has everything by which the other was known."""
    handles = _handles(gone)
    if not handles:
        return None
    common = set.intersection(*[holders.get(each, set()) for each in handles])
    return next(iter(common)) if len(common) == 1 else None


def _handles(values: Values) -> set[str]:
    """The domains of a company; the addresses of a contact, or the numbers of one that has no address."""
    return {*_texts(values, "domains"), *(_texts(values, "emails") or _texts(values, "phones"))}


def _texts(values: Values, column: str) -> tuple[str, ...]:
    found = values.get(column)
    return found if isinstance(found, tuple) else ()


def _folded(name: Value) -> str:
    return " ".join(str(name or "").casefold().split())


def flat(merges: Merges) -> Iterator[tuple[str, str, str]]:
    """Table, key of the row that is gone, key of the one that it became part of."""
    for table, into in merges.items():
        for key, other in sorted(into.items()):
            yield table, key, other
