"""Calls of a hard world: nothing is said that anybody could read, so who, when and from which line is all there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from autocapture.evaluate.world import Activity, Truth, User
from autocapture.testing.world.hard.cast import colleague_of
from autocapture.testing.world.hard.meetings import Meeting
from autocapture.testing.world.hard.model import DAYS, START, Book, Firm, Person, Sale, on_day
from autocapture.testing.world.hard.telling import Talk, misleads, verdict

_DAYS_A_CALL = 20
_TOUCHED_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Call:
    """One call before it is written: `line` is the number at the other end, `person` who is told by it, if anybody is, and
    `behind` who was on a line that several share."""

    firm: Firm
    sale: Sale | None
    user: User
    line: str
    person: Person | None
    at: datetime
    outbound: bool
    seconds: int
    cases: tuple[str, ...] = ()
    behind: Person | None = None

    @property
    def talk(self) -> Talk:
        people = (self.person,) if self.person else ()
        return Talk(self.firm, self.sale, self.at, people, {self.user.email}, names_it=False)


def calls(book: Book, held: Sequence[tuple[Meeting, Activity]]) -> None:
    """Every call, written down. `held` are the meetings: now and then one of the guests dials in."""
    shared: list[tuple[Call, str]] = []
    for firm in book.firms:
        for sale in firm.sales:
            for call in _of_sale(book, sale):
                activity = _write(book, call)
                if call.behind is not None:
                    shared.append((call, activity.id))
        _account_call(book, firm)
    _tell_who_was_on_the_line(book, shared)
    _dial_in(book, held)
    _among_ourselves(book)


def _of_sale(book: Book, sale: Sale) -> list[Call]:
    closed = sale.deal.closed_at
    begins, ends = max(sale.deal.created_at, START), min(closed or on_day(DAYS), on_day(DAYS))
    days = (ends - begins) / timedelta(days=1)
    rng = book.stream("calls", sale.deal.key)
    first = (begins - START) / timedelta(days=1)
    number = round(max(0, days) / _DAYS_A_CALL * rng.uniform(0.4, 1.4))
    return [
        call
        for _ in range(number)
        if (call := _one(book, rng, sale, on_day(first + rng.uniform(0, days)))) is not None
    ]


def _one(book: Book, rng: Random, sale: Sale, at: datetime) -> Call | None:
    reachable = [person for person in sale.people if person.phone]
    if not reachable:
        return None
    person = rng.choice(reachable)
    shared = person.phone == sale.firm.switchboard
    seconds = 0 if rng.random() < 0.25 else rng.randrange(25, 1800)
    call = Call(
        sale.firm,
        sale,
        sale.owner,
        person.phone,
        None if shared and _is_shared(sale.firm) else person,
        at,
        rng.random() < 0.65,
        seconds,
        ("switchboard",) if shared else (),
        person if shared and _is_shared(sale.firm) else None,
    )
    return None if misleads(book, call.talk) else call


def _tell_who_was_on_the_line(book: Book, shared: Sequence[tuple[Call, str]]) -> None:
    """Of those who share a line a careful person takes the only one with whom the rep wrote or met within a month, where it was
    that one."""
    people_of = {truth.activity: truth.people for truth in book.truth}
    touched: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for activity in book.activities:
        for user in _reps(book, activity) if activity.kind != "call" else ():
            for key in people_of[activity.id]:
                touched[user, key].append(activity.at)
    for call, activity_id in shared:
        near = {
            key
            for person in call.firm.people
            if (key := person.key) and person.phone == call.line
            for at in touched[call.user.email, key]
            if abs(at - call.at) <= _TOUCHED_WITHIN
        }
        if call.behind is not None and near == {call.behind.key}:
            place = next(number for number, truth in enumerate(book.truth) if truth.activity == activity_id)
            book.truth[place] = replace(book.truth[place], people=(call.behind.key,))


def _reps(book: Book, activity: Activity) -> list[str]:
    """Those of ours who take part: in a mail or meeting, with whatever address of theirs."""
    named = [activity.from_, activity.organizer, *activity.to, *activity.cc, *activity.bcc]
    named += [each.address for each in activity.attendees if each.response != "declined"]
    text = " ".join(named).casefold()
    return [
        user.email
        for user in book.users
        if user.email == activity.mailbox or any(each in text for each in (user.email, *user.aliases))
    ]


def _is_shared(firm: Firm) -> bool:
    return sum(person.phone == firm.switchboard for person in firm.people) > 1


def _write(book: Book, call: Call) -> Activity:
    rng = book.stream("call", len(book.activities))
    line = rng.choice(call.user.phones)
    caller, callee = (line, call.line) if call.outbound else (call.line, line)
    transferred = call.seconds > 300 and not call.outbound and rng.random() < 0.08
    key = book.key("A")
    activity = Activity(
        id=key,
        kind="call",
        at=call.at,
        mailbox=call.user.email,
        caller=caller,
        callee=callee,
        duration_s=call.seconds,
        group=f"group-{key}" if transferred else "",
    )
    truth = _truth(book, call, transferred=transferred)
    if transferred:
        _first_leg(book, rng, call, activity, truth)
    book.add(activity, truth)
    return activity


def _first_leg(book: Book, rng: Random, call: Call, second: Activity, truth: Truth) -> None:
    """Somebody else of ours answered, and passed the call on."""
    other = colleague_of(book, call.user, rng)
    leg = replace(
        second,
        id=book.key("A"),
        at=call.at - timedelta(seconds=40),
        mailbox=other.email,
        callee=other.phones[0],
        duration_s=35,
    )
    book.add(leg, truth)


def _truth(book: Book, call: Call, *, transferred: bool) -> Truth:
    cases = [*call.cases, "transfer" if transferred else "", *(call.sale.cases if call.sale else ())]
    return Truth(
        "",
        (call.person.key,) if call.person and call.person.key else (),
        (call.firm.company.key,),
        verdict(book, call.talk),
        cases=book.cases_of(call.at, call.talk.people, *cases),
    )


def _account_call(book: Book, firm: Firm) -> None:
    """Customers and partners call about other things; where a deal is under way nobody could tell."""
    rng = book.stream("account call", firm.company.key)
    reachable = [person for person in firm.people if person.phone and person.phone != firm.switchboard]
    if not reachable or rng.random() > (0.7 if firm.shape in ("customer", "partner", "prospect") else 0.15):
        return
    person = rng.choice(reachable)
    at = on_day(rng.uniform(0, DAYS))
    _write(
        book, Call(firm, None, firm.rep, person.phone, person, at, False, rng.randrange(30, 600), ("none",))
    )


def _dial_in(book: Book, held: Sequence[tuple[Meeting, Activity]]) -> None:
    """A guest who has no link calls the rep during the meeting: the same conversation."""
    truths = dict(zip((each.id for each in book.activities), book.truth, strict=True))
    for meeting, activity in held:
        rng = book.stream("dial in", activity.id)
        caller = meeting.people[0]
        if rng.random() > 0.06 or not caller.phone or caller.phone == meeting.firm.switchboard:
            continue
        if activity.id not in truths:
            continue
        truth = replace(truths[activity.id], people=(caller.key,), cases=("call during a meeting",))
        call = Activity(
            id=book.key("A"),
            kind="call",
            at=meeting.at + timedelta(minutes=2),
            mailbox=meeting.user.email,
            caller=caller.phone,
            callee=meeting.user.phones[0],
            duration_s=1500,
        )
        book.add(call, truth)


def _among_ourselves(book: Book) -> None:
    """Between our own numbers and extensions: no activity."""
    rng = book.stream("own calls")
    for number in range(len(book.firms) // 5):
        caller, callee = rng.sample(book.users, k=2)
        by_line = number % 2
        activity = Activity(
            id=book.key("A"),
            kind="call",
            at=on_day(rng.uniform(0, DAYS)),
            mailbox=caller.email,
            caller=caller.phones[by_line],
            callee=callee.phones[by_line],
            duration_s=rng.randrange(10, 900),
        )
        case = "extension" if by_line else "own number"
        book.add(activity, Truth("", admitted=False, reason="internal", cases=(case,)))
