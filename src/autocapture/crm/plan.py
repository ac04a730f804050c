"""What an import must change, as data: new rows, changed rows with before and after, intervals of deals, dirty days. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from autocapture.crm.assemble import SECTION_OF_TABLE, Assembly, Readings, stamp_of
from autocapture.crm.deals import stage_outcome
from autocapture.crm.history import moved_away, states_of, unseen_changes
from autocapture.crm.mapping import Mappings
from autocapture.crm.merges import Merges, flat, merges_of
from autocapture.crm.rows import Change, Key, Mirror, Remark, State, Value, Values
from autocapture.model.crm import OPEN

TABLES = ("company", "product", "contact", "lead", "lead_change", "deal", "deal_contact", "stage_change")
"""In the order in which they are written."""

_HISTORIES = frozenset({"lead_change", "stage_change"})
_COUNTED = (
    "owner",
    "created_on",
    "closed_on",
    "outcome",
    "amount_minor",
    "currency",
    "created_at",
    "closed_at",
)
_LEAD_COUNTED = ("owner", "created_at", "assigned_at")


@dataclass(frozen=True, slots=True)
class Plan:
    """`missing` are rows of earlier imports that the files no longer hold; histories, which exports cut short, excepted.
    `states` are the intervals of every deal whose history changed; `dirty` the (user, local day) pairs to count anew.
    `merges` are rows that became part of another one, `moved` stage changes that the files date otherwise."""

    changes: tuple[Change, ...]
    unchanged: Mapping[str, int]
    missing: tuple[tuple[str, Key], ...]
    refused: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    states: Mapping[str, tuple[State, ...]] = field(default_factory=dict)
    dirty: frozenset[tuple[str, date]] = frozenset()
    merges: Merges = field(default_factory=dict)
    moved: tuple[Key, ...] = ()


def plan_import(mappings: Mappings, readings: Readings, mirror: Mirror, now: datetime) -> Plan:
    """Compares the files with the mirror. Reads no clock and no database; the same input gives the same plan."""
    assembly = Assembly(mappings, readings, mirror, now)
    _add_unseen(assembly, mirror, now)
    changes, unchanged = _compare(assembly, mirror)
    missing = tuple(_missing(assembly, mappings, mirror))
    merges = merges_of(missing, assembly.entries, mirror)
    merged = {(table, (key,)) for table, key, _ in flat(merges)}
    return Plan(
        changes=changes,
        unchanged=unchanged,
        missing=tuple(each for each in missing if each not in merged),
        refused=tuple(assembly.refused),
        notes=tuple(assembly.notes),
        states=_states(assembly, mappings, mirror, changes, now),
        dirty=frozenset(_dirty(changes, mirror)),
        merges=merges,
        moved=_moved(assembly, mirror),
    )


def _compare(assembly: Assembly, mirror: Mirror) -> tuple[tuple[Change, ...], Mapping[str, int]]:
    changes: list[Change] = []
    unchanged: Counter[str] = Counter()
    for table in TABLES:
        known = mirror.rows(table)
        for key, entry in assembly.entries[table].items():
            before = known.get(key)
            if before is None:
                changes.append(Change(table, key, None, entry.values))
                continue
            after = {name: value for name, value in entry.values.items() if before.get(name) != value}
            if after:
                changes.append(Change(table, key, {name: before.get(name) for name in after}, after))
            else:
                unchanged[table] += 1
    return tuple(changes), unchanged


def _missing(assembly: Assembly, mappings: Mappings, mirror: Mirror) -> Iterator[tuple[str, Key]]:
    for table in TABLES:
        section = SECTION_OF_TABLE[table]
        listed = section in mappings or (
            table == "deal_contact" and "deals" in mappings and "contacts" in mappings["deals"].mapped
        )
        if not listed or table in _HISTORIES:
            continue
        for key in mirror.rows(table):
            if key not in assembly.entries[table] and not _refused(assembly, section, key):
                yield table, key


def _refused(assembly: Assembly, section: str, key: Key) -> bool:
    if section == "deal_contacts":
        return key[0] in assembly.refused_keys["deals"] or key[1] in assembly.refused_keys["contacts"]
    return key[0] in assembly.refused_keys[section]


def _add_unseen(assembly: Assembly, mirror: Mirror, now: datetime) -> None:
    """Stages and lead statuses that moved since the last import without a line of history in the files."""
    histories = _stage_histories(assembly, mirror)
    for key, entry in assembly.entries["deal"].items():
        known = mirror.rows("deal").get(key)
        for at, stage in unseen_changes(known, {**(known or {}), **entry.values}, histories[key[0]], now):
            assembly.add_change("stage_change", key[0], at, stage)
    told = {(key[0], key[2]) for key in assembly.entries["lead_change"]}
    for key, entry in assembly.entries["lead"].items():
        status, known = entry.values.get("status"), mirror.rows("lead").get(key)
        moved = known is not None and known.get("status") != status
        if moved and isinstance(status, str) and (key[0], status) not in told:
            assembly.add_change("lead_change", key[0], now, status)


def _stage_histories(assembly: Assembly, mirror: Mirror) -> defaultdict[str, list[tuple[datetime, str]]]:
    """Every deal's changes in order; at one instant, those of the file come last, in the file's order."""
    listed = assembly.entries["stage_change"]
    gone = set(_moved(assembly, mirror))
    stored = (key for key in mirror.rows("stage_change") if key not in listed and key not in gone)
    histories: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for key in (*stored, *listed):
        histories[key[0]].append((stamp_of(key), key[2]))
    for changes in histories.values():
        changes.sort(key=lambda change: change[0])
    return histories


def _moved(assembly: Assembly, mirror: Mirror) -> tuple[Key, ...]:
    """The stage changes of earlier imports that the files, which tell of the same deals, date otherwise."""
    listed: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for key in assembly.listed_changes:
        listed[key[0]].append((stamp_of(key), key[2]))
    stored: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    keys = {(key[0], stamp_of(key), key[2]): key for key in mirror.rows("stage_change") if key[0] in listed}
    for deal, at, stage in keys:
        stored[deal].append((at, stage))
    return tuple(
        sorted(keys[deal, *each] for deal in stored for each in moved_away(stored[deal], listed[deal]))
    )


def _states(
    assembly: Assembly, mappings: Mappings, mirror: Mirror, changes: tuple[Change, ...], now: datetime
) -> Mapping[str, tuple[State, ...]]:
    touched = {change.key[0] for change in changes if change.table in ("deal", "stage_change")}
    touched |= {key[0] for key in _moved(assembly, mirror)}
    if not touched:
        return {}
    outcomes = _outcomes(assembly, mappings, mirror)
    histories = _stage_histories(assembly, mirror)
    found = {}
    for deal in sorted(touched):
        entry = assembly.entries["deal"].get((deal,))
        row = {**mirror.rows("deal").get((deal,), {}), **(entry.values if entry else {})}
        earlier = mirror.states.get(deal, ())
        states = states_of(row, histories[deal], outcomes, earlier, now)
        if states != earlier:
            found[deal] = states
    return found


def _outcomes(assembly: Assembly, mappings: Mappings, mirror: Mirror) -> Mapping[str, str]:
    """What entering a stage means: by the mapping, by its name, and by the deals that stand in it now."""
    stages = {key[2] for key in assembly.entries["stage_change"]} | {
        key[2] for key in mirror.rows("stage_change")
    }
    found: dict[str, str] = {}
    deals = mappings.get("deals")
    if deals is not None:
        names = deals.values.get("stage", {})
        found = {stage: stage_outcome(stage, deals) for stage in stages}
        for theirs in deals.values.get("outcome", {}):
            found[names.get(theirs, theirs)] = stage_outcome(theirs, deals)
    rows: list[Values] = [
        *mirror.rows("deal").values(),
        *(item.values for item in assembly.entries["deal"].values()),
    ]
    for row in rows:
        stage, outcome = row.get("stage"), row.get("outcome")
        if isinstance(stage, str) and isinstance(outcome, str) and outcome != OPEN:
            found[stage] = outcome
    return found


def _dirty(changes: tuple[Change, ...], mirror: Mirror) -> Iterator[tuple[str, date]]:
    """The owner's days on which a deal or lead is counted, before and after the change."""
    for change in changes:
        columns = {"deal": _COUNTED, "lead": _LEAD_COUNTED}.get(change.table, ())
        if not any(name in change.after for name in columns):
            continue
        before = mirror.rows(change.table).get(change.key, {})
        for row in (before, {**before, **change.after}):
            yield from _days(row, mirror)


def _days(row: Values, mirror: Mirror) -> Iterator[tuple[str, date]]:
    owner = row.get("owner")
    user = mirror.users.get(owner) if isinstance(owner, str) else None
    if user is None:
        return
    days: list[Value] = [row.get("created_on"), row.get("closed_on")]
    if "created_on" not in row:
        instants = (row.get("created_at"), row.get("assigned_at"))
        days = [at.astimezone(user.zone).date() for at in instants if isinstance(at, datetime)]
    for day in days:
        if isinstance(day, date):
            yield user.email, day
