"""The metrics counted by hand: from the world's truth alone, without a line of the code that counts in the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.acceptance.truth import CALLED_OFF, is_kept, meeting_of, meeting_status, reads_as

from autocapture.testing.world import Call, Deal, World

Cells = Counter[tuple[str, date]]
"""By user's address, team's name or "" for everybody, and the Monday of the week."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that counts for each of `users` on their own day."""

    at: datetime
    users: tuple[str, ...]


class Count:
    """Counts over one world as of `now`."""

    def __init__(self, world: World, now: datetime, asterisk: frozenset[str]) -> None:
        """`asterisk`: whose call logs are in Asterisk's layout."""
        self.world, self.now, self.asterisk = world, now, asterisk
        self.zones = {user.email: ZoneInfo(user.time_zone) for user in world.users}
        self.teams = {user.email: user.team for user in world.users}
        self.users = {address: user.email for user in world.users for address in (user.email, *user.aliases)}

    # ---- what counts ----

    def emails_sent(self) -> Iterator[Fact]:
        for message in self.world.messages:
            if message.truth.counts and message.truth.direction == "outbound":
                yield Fact(message.sent_at, (self.users[message.sender.email],))

    def emails_received(self) -> Iterator[Fact]:
        for message in self.world.messages:
            if message.truth.counts and message.truth.direction == "inbound":
                to = (self.users.get(party.email) for party in message.to)
                yield Fact(message.sent_at, tuple(user for user in to if user))

    def calls_made(self) -> Iterator[Fact]:
        """Dialling one number again within two minutes of the same day is no new attempt."""
        last: dict[tuple[str, str], datetime] = {}
        for call in sorted(self._outbound(), key=lambda call: call.started_at):
            before = last.get((call.log, call.legs[0].callee))
            last[call.log, call.legs[0].callee] = call.started_at
            again = before is not None and call.started_at - before <= timedelta(minutes=2)
            if (
                before is None
                or not again
                or self._day(before, call.log) != self._day(call.started_at, call.log)
            ):
                yield Fact(call.started_at, call.truth.users)

    def calls_connected(self) -> Iterator[Fact]:
        for call in self._outbound():
            answered = reads_as(call, self.asterisk) == "answered"
            if answered and max(leg.talked_for for leg in call.legs) >= timedelta(seconds=60):
                yield Fact(call.started_at, call.truth.users)

    def meetings_held(self) -> Iterator[Fact]:
        return (fact for fact, _, status in self._meetings() if status == "held")

    def meetings_cancelled(self) -> Iterator[Fact]:
        return (fact for fact, _, status in self._meetings() if status in CALLED_OFF and fact.at <= self.now)

    def meetings_scheduled(self) -> Iterator[Fact]:
        for fact, booked_at, status in self._meetings():
            if status not in CALLED_OFF and booked_at <= self.now:
                yield Fact(booked_at, fact.users)

    def leads_created(self) -> Iterator[Fact]:
        return (Fact(lead.created_at, (lead.owner,)) for lead in self.world.leads)

    def opportunities_created(self) -> Iterator[Fact]:
        return (Fact(deal.created_at, (deal.owner,)) for deal in self.world.deals)

    def deals_won(self) -> Iterator[Fact]:
        return self._closed("won")

    def deals_lost(self) -> Iterator[Fact]:
        return self._closed("lost")

    # ---- money, rates, stocks ----

    def revenue_won(self) -> dict[tuple[str, date, str], Decimal]:
        """By cell and currency."""
        found: dict[tuple[str, date, str], Decimal] = {}
        for deal in self.world.deals:
            if deal.outcome == "won" and deal.closed_at and deal.amount is not None:
                for cell in self.cells([Fact(deal.closed_at, (deal.owner,))]):
                    found[*cell, deal.currency] = found.get((*cell, deal.currency), Decimal(0)) + deal.amount
        return found

    def open_on(self, day: date) -> Iterator[Deal]:
        for deal in self.world.deals:
            closed = deal.closed_at
            if self._day(deal.created_at, deal.owner) <= day and (
                closed is None or self._day(closed, deal.owner) > day
            ):
                yield deal

    # ---- cells ----

    def cells(self, facts: Iterable[Fact]) -> Cells:
        """Each fact once for every user, every team and everybody, in the week of the earliest day concerned."""
        found: Cells = Counter()
        for fact in facts:
            days: dict[str, list[date]] = {}
            for user in fact.users:
                day = self._day(fact.at, user)
                for scope in (user, self.teams[user], ""):
                    days.setdefault(scope, []).append(day)
            for scope, each in days.items():
                first = min(each)
                found[scope, first - timedelta(days=first.weekday())] += 1
        return found

    def _day(self, moment: datetime, user: str) -> date:
        return moment.astimezone(self.zones[user]).date()

    def _outbound(self) -> Iterator[Call]:
        """But those that are parts of meetings."""
        for call in self.world.calls:
            dialled = is_kept(call) and call.truth.direction == "outbound"
            if dialled and meeting_of(self.world, call, self.asterisk) is None:
                yield call

    def _meetings(self) -> Iterator[tuple[Fact, datetime, str]]:
        """(when and for whom, booked, status) of every date with people outside."""
        for event in self.world.events:
            for occurrence in event.occurrences:
                if occurrence.truth.admitted and isinstance(occurrence.starts_at, datetime):
                    status = meeting_status(self.world, event, occurrence, self.now)
                    yield Fact(occurrence.starts_at, occurrence.truth.users), event.created_at, status

    def _closed(self, outcome: str) -> Iterator[Fact]:
        for deal in self.world.deals:
            if deal.outcome == outcome and deal.closed_at:
                yield Fact(deal.closed_at, (deal.owner,))


COUNTED: Mapping[str, Callable[[Count], Iterable[Fact]]] = {
    "emails_sent": Count.emails_sent,
    "emails_received": Count.emails_received,
    "calls_made": Count.calls_made,
    "calls_connected": Count.calls_connected,
    "meetings_held": Count.meetings_held,
    "meetings_cancelled": Count.meetings_cancelled,
    "meetings_scheduled": Count.meetings_scheduled,
    "leads_created": Count.leads_created,
    "opportunities_created": Count.opportunities_created,
    "deals_won": Count.deals_won,
    "deals_lost": Count.deals_lost,
}
