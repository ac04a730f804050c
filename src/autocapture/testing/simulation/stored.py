"""What a world's database holds, read once for all checks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, CalendarItem, Participant, Participation
from autocapture.model.ledger import LedgerEntry
from autocapture.store.bulk import rows_of, table_of

_NUMBER = re.compile(r"item (\d+)( v\d+)?")
_CALLEE = re.compile(r"\+3130(\d{7})")


@dataclass(slots=True)
class Held:
    """An activity with who takes part, and for whom it is theirs."""

    row: Any
    addresses: dict[str, str] = field(default_factory=dict)
    users: dict[int, float] = field(default_factory=dict)

    @property
    def content(self) -> str:
        callee = next((address for address, role in self.addresses.items() if role == "callee"), None)
        return f"{callee}:{self.row.duration_s}" if self.row.kind == "call" else self.row.subject or ""

    @property
    def number(self) -> int:
        return number_of(self.content)


@dataclass(slots=True)
class Store:
    accounts: Sequence[Any]
    channels: dict[int, Any]
    ledger: Sequence[Any]
    activities: dict[int, Held]
    calendar: dict[tuple[int, str], Any]

    def by_number(self) -> dict[int, list[Held]]:
        found: dict[int, list[Held]] = defaultdict(list)
        for held in self.activities.values():
            found[held.number].append(held)
        return found


def number_of(content: str) -> int:
    """The number of the item whose content this is."""
    if told := _NUMBER.fullmatch(content):
        return int(told[1])
    if told := _CALLEE.match(content):
        return int(told[1]) - 2_000_000
    return -1


def read(session: Session) -> Store:
    activities = {row.id: Held(row) for row in _all(session, Activity)}
    for row in _all(session, Participant):
        activities[row.activity_id].addresses[row.address] = row.role
    for row in _all(session, Participation):
        activities[row.activity_id].users[row.user_id] = row.share if row.counts else 0.0
    return Store(
        accounts=_all(session, Account),
        channels={row.id: row for row in _all(session, Channel)},
        ledger=_all(session, LedgerEntry),
        activities=activities,
        calendar={(row.channel_id, row.source_id): row for row in _all(session, CalendarItem)},
    )


def _all(session: Session, model: type[SQLModel]) -> Sequence[Any]:
    return rows_of(session, select(table_of(model)))
