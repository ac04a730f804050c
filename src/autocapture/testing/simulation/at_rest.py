"""What must hold when a world has come to rest: the store and the truth compared, every row explained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from autocapture.application import Application
from autocapture.measure.rollup import mark_everything_dirty
from autocapture.model.accounts import LONG_AGO, Channel
from autocapture.model.ledger import ASKED_AGAIN, CAPTURED, QUARANTINED, SKIPPED, LedgerEntry
from autocapture.model.measures import MetricDay
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.engine import reading, writing
from autocapture.testing.simulation.catalogue import GUEST, Catalogue, Item
from autocapture.testing.simulation.deployment import Deployment
from autocapture.testing.simulation.providers import Copy, Provider
from autocapture.testing.simulation.stored import Held, Store, read
from autocapture.workflows.rollups import refresh_rollups

OF_THE_CRM = ("contact", "contact_handle", "company", "company_domain")
"""Tables of what the CRM knows of people, whoever wrote to them."""

Place = tuple[str, str]


def live_ids(app: Application, account_id: int) -> set[Place]:
    """What the ledger takes for live, by channel and id."""
    entry, channel = table_of(LedgerEntry).c, table_of(Channel).c
    statement = select(channel.source_id, entry.source_id).where(
        channel.id == entry.channel_id, channel.account_id == account_id, entry.gone_at.is_(None)
    )
    with reading(app.engine) as session:
        return {(place, key) for place, key in rows_of(session, statement)}


def broken_promises(deployment: Deployment) -> list[str]:
    """The promises that are broken, as sentences."""
    with reading(deployment.app.engine) as session:
        store = read(session)
    check = AtRest(deployment, store)
    return [
        *check.of_accounts(),
        *check.of_sightings(),
        *check.of_the_ledger(),
        *check.of_activities(),
        *check.of_what_is_kept_out(),
    ]


class AtRest:
    def __init__(self, deployment: Deployment, store: Store) -> None:
        self._deployment, self._store = deployment, store
        self._catalogue: Catalogue = deployment.catalogue
        self._sightings: dict[int, list[tuple[Provider, Copy]]] = defaultdict(list)
        for provider in deployment.accounts.values():
            for held in provider.places().values():
                for copy in held.values():
                    self._sightings[copy.number].append((provider, copy))

    def _skipped(self, provider: Provider, copy: Copy) -> str | None:
        return self._catalogue.skipped(copy.number, copy.version, provider.user, provider.since)

    def of_accounts(self) -> Iterator[str]:
        for account in self._store.accounts:
            if account.lease_owner is not None or account.lease_until != LONG_AGO:
                yield f"account {account.id}: a lease is held by {account.lease_owner}"
            if account.state != "active" or account.why is not None or account.fails:
                yield f"account {account.id}: {account.state}, {account.fails} fails, {account.why}"

    def of_sightings(self) -> Iterator[str]:
        """Channel by channel, the ledger's live rows are what is there, captured or skipped as they must be."""
        rows: dict[tuple[int, str], dict[str, Any]] = defaultdict(dict)
        for row in self._store.ledger:
            if row.gone_at is None:
                channel = self._store.channels[row.channel_id]
                rows[channel.account_id, channel.source_id][row.source_id] = row
        for account_id, provider in self._deployment.accounts.items():
            for place, there in provider.places().items():
                held = rows.pop((account_id, place), {})
                where = f"{provider.username} {place}"
                for key in sorted(there.keys() | held.keys()):
                    yield from self._of_sighting(provider, there.get(key), held.get(key), f"{where} {key}")
        for (account_id, place), held in rows.items():
            yield f"ghosts: {place} of account {account_id} is away, and {sorted(held)} are live"

    def _of_sighting(self, provider: Provider, copy: Copy | None, row: Any, where: str) -> Iterator[str]:
        if copy is None:
            yield f"ghost: {where} is live and not there"
            return
        if row is None:
            yield f"lost: {where} (item {copy.number}) is there and not in the ledger"
            return
        skipped = self._skipped(provider, copy)
        expected = QUARANTINED if not copy.readable else CAPTURED if skipped is None else SKIPPED
        if row.outcome != expected or (expected == SKIPPED and row.reason != skipped):
            yield f"misjudged: {where} (item {copy.number}) is {row.outcome} ({row.reason}), not {expected} ({skipped})"
        elif expected == CAPTURED:
            yield from self._of_captured(copy, row, where)

    def _of_captured(self, copy: Copy, row: Any, where: str) -> Iterator[str]:
        """The row names an activity of its item; a calendar's copy is kept as it is now."""
        if row.series_id is None:
            shown = self._store.activities.get(row.activity_id)
            if shown is None or shown.number != copy.number:
                yield f"sighting: {where} (item {copy.number}) shows {shown.content if shown else 'nothing'}"
            return
        kept = self._store.calendar.get((row.channel_id, row.source_id))
        content = self._catalogue.items[copy.number].content(copy.version)
        if kept is None or kept.gone_at is not None or kept.data["title"] != content:
            yield f"outdated: {where} is kept as {kept and kept.data['title']!r}, not as {content!r}"
        if not any(held.row.series_id == row.series_id for held in self._store.activities.values()):
            yield f"sighting: {where} (item {copy.number}) shows no meeting"

    def of_the_ledger(self) -> Iterator[str]:
        """Every row says what became of its item, and why."""
        for row in self._store.ledger:
            shows = row.activity_id if row.series_id is None else row.series_id
            match row.outcome:
                case outcome if outcome == CAPTURED:
                    explained = (shows is not None and row.reason != ASKED_AGAIN) or row.gone_at is not None
                case outcome if outcome == SKIPPED:
                    explained = None not in (row.reason, row.rule) and shows is None
                case outcome if outcome == QUARANTINED:
                    explained = row.reason is not None and row.retry_at is not None and row.tries > 0
                case _:
                    explained = False
            if row.activity_id is not None and row.activity_id not in self._store.activities:
                explained = False
            if not explained:
                yield f"unexplained: {row}"

    def of_activities(self) -> Iterator[str]:
        by_number = self._store.by_number()
        for number, found in sorted(by_number.items()):
            if number not in self._catalogue.items:
                yield f"ghost: {found[0].content!r} is an activity of nothing"
        for number, item in self._catalogue.items.items():
            yield from self._of_item(item, by_number.get(number, []))

    def _of_item(self, item: Item, found: Sequence[Held]) -> Iterator[str]:
        copies = self._sightings[item.number]
        if len(found) > item.occurrences:
            yield f"doubled: item {item.number} is {len(found)} activities"
        if not all(copy.readable for _, copy in copies):
            return  # what it says now is not known everywhere
        shown = [(provider, copy) for provider, copy in copies if self._skipped(provider, copy) is None]
        if not shown:
            return
        if len(found) < item.occurrences:
            yield f"lost: item {item.number} is {len(found)} activities of {item.occurrences}"
        for held in found:
            yield from self._of_activity(item, held, shown)

    def _of_activity(self, item: Item, held: Held, shown: Sequence[tuple[Provider, Copy]]) -> Iterator[str]:
        if held.content != item.content(item.version):
            yield f"outdated: item {item.number} is held as {held.content!r}, not {item.content(item.version)!r}"
        if item.kind == "email" and held.addresses.keys() != item.named():
            yield f"parties: item {item.number} is between {sorted(held.addresses)}"
        if missing := _concerned(item, shown) - held.users.keys():
            yield f"merged: item {item.number} is nothing of users {sorted(missing)}, who saw it"
        counted = sum(held.users.values())
        if any(held.users.values()) and abs(counted - 1) > 1e-6:
            yield f"shares: item {item.number} is shared to {counted}"

    def of_what_is_kept_out(self) -> Iterator[str]:
        """Nothing of what must not be kept is anywhere, in any table."""
        kept_out = [item for item in self._catalogue.items.values() if self._must_not_be_kept(item)]
        if not kept_out:
            return
        text = repr(
            {table: rows for table, rows in self._deployment.rows().items() if table not in OF_THE_CRM}
        )
        for item in kept_out:
            traces = [item.outsider] if item.kind == "call" else [item.outsider, f"item {item.number} "]
            for trace in traces:
                if trace in text:
                    yield f"kept: {trace!r} of item {item.number}, which must not be kept"
        invited = [item for item in self._catalogue.items.values() if item.guest_from is not None]
        if GUEST in text and all(map(self._must_not_be_kept, invited)):
            yield f"kept: {GUEST!r}, who is excluded"

    def _must_not_be_kept(self, item: Item) -> bool:
        """It is there and readable, and excluded or private wherever it is. What left everybody stays as it was told."""
        reasons = [
            self._skipped(provider, copy) for provider, copy in self._sightings[item.number] if copy.readable
        ]
        return (
            bool(reasons)
            and len(reasons) == len(self._sightings[item.number])
            and set(reasons) <= {"excluded", "private"}
        )


def _concerned(item: Item, shown: Sequence[tuple[Provider, Copy]]) -> set[int]:
    """Our people of whom the activity must tell: of a mail who is named and in whose mailbox it is, of a meeting the guests in
    whose calendars it is, of a call who made it."""
    named = {index + 1 for index in item.insiders}
    holders = {provider.user + 1 for provider, _ in shown}
    match item.kind:
        case "email":
            return named | holders
        case "event":
            return named & holders
        case "call":
            return {item.insiders[0] + 1}


def broken_rollups(app: Application) -> Iterator[str]:
    """What was added up day by day is what the rows give."""
    refresh_rollups(app)
    day = table_of(MetricDay)
    with writing(app.engine) as session:
        added_up = sorted(map(tuple, rows_of(session, select(day))))
        mark_everything_dirty(session)
    refresh_rollups(app)
    with reading(app.engine) as session:
        given = sorted(map(tuple, rows_of(session, select(day))))
    if added_up != given:
        differing = sorted(set(added_up) ^ set(given))
        yield f"rollups: {len(differing)} differ from their rows, the first is {differing[0]}"
