"""What the world says should have been captured, in the words of the database, worked out from the world alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from autocapture.testing.world import Call, Event, Message, Occurrence, Truth, World
from autocapture.testing.world.model import Guest

Key = tuple[str, str, datetime | None]
"""Kind, the source's own identity, and for an occurrence of a series its original start."""

CALLED_OFF = ("cancelled_by_us", "cancelled_by_them")


@dataclass(frozen=True, slots=True)
class Story:
    """One activity. `users` take part; `people` are contacts, none where nobody can tell; `companies` are names."""

    direction: str
    nature: str
    status: str | None
    occurred_at: datetime
    users: frozenset[str]
    people: frozenset[str]
    companies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Expected:
    story: Story
    truth: Truth


def expected_activities(world: World, now: datetime, asterisk: Collection[str]) -> dict[Key, Expected]:
    """Every activity that must be there at `now`, and nothing else. `asterisk`: whose call logs are in Asterisk's layout."""
    found: dict[Key, Expected] = {}
    for message in world.messages:
        if message.truth.admitted:
            found["email", message.message_id, None] = Expected(_of_message(world, message), message.truth)
    for event in world.events:
        for occurrence in event.occurrences:
            if occurrence.truth.admitted:
                found[_meeting_key(event, occurrence)] = Expected(
                    _of_occurrence(world, event, occurrence, now), occurrence.truth
                )
    for call in world.calls:
        if is_kept(call):
            status = reads_as(call, asterisk)
            story = _story(world, call.truth, "human", status, call.started_at)
            if len(call.truth.people) > 1:
                story = replace(story, people=on_the_line(world, call, asterisk))
            found["call", call.call_id, None] = Expected(story, call.truth)
    return found


def is_kept(call: Call) -> bool:
    """A call whose other side hid its number is with nobody: it is skipped, whatever the world thinks of it."""
    return call.truth.admitted and not any("anonymous" in (leg.caller, leg.callee) for leg in call.legs)


def outsiders(world: World, event: Event) -> list[Guest]:
    ours = {user.email for user in world.users}
    return [guest for guest in event.guests if guest.email not in ours and not guest.room]


def is_over(event: Event, occurrence: Occurrence, now: datetime) -> bool:
    assert isinstance(occurrence.ends_at, datetime), event.title
    return occurrence.ends_at <= now


def _of_message(world: World, message: Message) -> Story:
    truth = message.truth
    nature = "human" if truth.counts else "bulk"
    return _story(world, truth, nature, None, message.sent_at)


def _meeting_key(event: Event, occurrence: Occurrence) -> Key:
    original = occurrence.original_start
    assert isinstance(original, datetime), event.title
    return "meeting", event.uid, original.astimezone(UTC) if event.rule else None


def _of_occurrence(world: World, event: Event, occurrence: Occurrence, now: datetime) -> Story:
    assert isinstance(occurrence.starts_at, datetime), event.title
    status = meeting_status(world, event, occurrence, now)
    return _story(world, occurrence.truth, "human", status, occurrence.starts_at)


def meeting_status(world: World, event: Event, occurrence: Occurrence, now: datetime) -> str:
    """As METRICS R10 has it; who never answered is taken to have come, unless somebody else declined."""
    answers = {guest.response for guest in outsiders(world, event)}
    if occurrence.cancelled:
        return "cancelled_by_them" if occurrence.truth.direction == "inbound" else "cancelled_by_us"
    if not occurrence.truth.users:
        return "cancelled_by_us"
    if answers == {"DECLINED"}:
        return "cancelled_by_them"
    if not is_over(event, occurrence, now):
        return "planned"
    if "DECLINED" in answers and not answers & {"ACCEPTED", "TENTATIVE"}:
        return "unknown"
    return "held"


def meeting_of(world: World, call: Call, asterisk: Collection[str]) -> tuple[Event, Occurrence] | None:
    """The meeting in whose slot the call was talked, between one of ours and one of theirs who take part in both."""
    begins = min(leg.started_at for leg in call.legs)
    ends = max(leg.started_at + leg.talked_for for leg in call.legs)
    if reads_as(call, asterisk) != "answered" or ends <= begins:
        return None
    for event in world.events:
        for occurrence in event.occurrences:
            starts_at, ends_at = occurrence.starts_at, occurrence.ends_at
            if (
                isinstance(starts_at, datetime)
                and isinstance(ends_at, datetime)
                and starts_at - timedelta(minutes=5) <= begins < ends_at
                and ends > starts_at
                and not occurrence.cancelled
                and {*call.truth.users} & {*occurrence.truth.users}
                and {*call.truth.people} & {*occurrence.truth.people}
            ):
                return event, occurrence
    return None


def on_the_line(world: World, call: Call, asterisk: Collection[str]) -> frozenset[str]:
    """Of those who share a number: who takes part in the meeting of which the call is a part; else the only one with whom the
    rep wrote or met within thirty days; else nobody can tell."""
    sharing, whole = {*call.truth.people}, meeting_of(world, call, asterisk)
    if whole is not None:
        dates = [each for each in whole[0].occurrences if each.truth.admitted]
        if len(present := sharing & {key for each in dates for key in each.truth.people}) == 1:
            return frozenset(present)
    near = {
        key
        for moment, users, people in _touches(world)
        if abs(moment - call.started_at) <= timedelta(days=30) and users & {*call.truth.users}
        for key in sharing & people
    }
    return frozenset(near) if len(near) == 1 else frozenset()


@cache
def _touches(world: World) -> list[tuple[datetime, set[str], set[str]]]:
    """When who of ours wrote with or met whom: the sender of a mail, or those to whom it is written, and who did not decline."""
    users = {address: user.email for user in world.users for address in (user.email, *user.aliases)}
    found = []
    for message in world.messages:
        if message.truth.counts:
            ours = [message.sender, *(message.to if message.truth.direction == "inbound" else ())]
            reps = {users[party.email] for party in ours if party.email in users}
            found.append((message.sent_at, reps, {*message.truth.people}))
    for event in world.events:
        for each in event.occurrences:
            if each.truth.admitted and isinstance(each.starts_at, datetime):
                found.append((each.starts_at, {*each.truth.users}, {*each.truth.people}))
    return found


def reads_as(call: Call, asterisk: Collection[str]) -> str:
    """A call's outcome as its log tells it; of one that was passed on, the best.

    Asterisk knows its own voicemail only: an answering machine at the other end looks to it like a person who answered.
    """
    outcomes = {
        "answered"
        if leg.outcome == "voicemail" and call.log in asterisk and leg.callee.startswith("+")
        else leg.outcome
        for leg in call.legs
    }
    return "answered" if "answered" in outcomes else call.legs[0].outcome


def _story(world: World, truth: Truth, nature: str, status: str | None, moment: datetime) -> Story:
    names = {company.key: company.name for company in world.companies}
    return Story(
        direction=truth.direction,
        nature=nature,
        status=status,
        occurred_at=moment.astimezone(UTC),
        users=frozenset(truth.users),
        people=frozenset(truth.people),
        companies=frozenset() if truth.company is None else frozenset({names[truth.company]}),
    )


def copies(world: World) -> Iterator[tuple[str, str, Message]]:
    """(user, folder, message) of every copy that lies where capture looks."""
    for message in world.messages:
        for copy in message.copies:
            if copy.folder in ("INBOX", "Sent", "Archive"):
                yield copy.user, copy.folder, message
