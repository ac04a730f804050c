"""The simulated world: the same in any process, large enough, and true to itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise

import phonenumbers
import pytest

from autocapture.admit.reasons import REASONS
from autocapture.testing.world import Size, World, end_of_last_week, generate

END = date(2026, 11, 18)  # a Wednesday: the last full week ends on the 15th
SMALL = Size(teams=1, reps_per_team=2, companies=8, contacts=24, deals=8, leads=6, weeks=4)


@cache
def world() -> World:
    return generate(7, END)


def digest(made: World) -> str:
    return hashlib.sha256(repr(made).encode()).hexdigest()


def test_the_same_seed_gives_the_same_world_in_any_process_and_under_any_hash_seed() -> None:
    program = (
        "import hashlib; from datetime import date; from autocapture.testing.world import *;"
        "made = generate(7, date(2026, 11, 18), Size(teams=1, reps_per_team=2, companies=8, contacts=24, deals=8,"
        " leads=6, weeks=4));"
        "print(hashlib.sha256(repr(made).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("0", "4711")
    }
    assert found == {digest(generate(7, END, SMALL))}


@pytest.mark.parametrize("seed", [7, 8, 20_261])
def test_no_contact_is_called_as_one_of_our_people(seed: int) -> None:
    made = generate(seed, END)
    assert {contact.name for contact in made.contacts} & {user.name for user in made.users} == set()


def test_another_seed_gives_another_world() -> None:
    assert digest(generate(8, END, SMALL)) != digest(generate(7, END, SMALL))


@pytest.mark.parametrize(
    ("end", "monday"),
    [
        (date(2026, 11, 18), date(2026, 11, 16)),
        (date(2026, 11, 16), date(2026, 11, 16)),
        (date(2026, 11, 21), date(2026, 11, 16)),
        (date(2026, 11, 22), date(2026, 11, 23)),
    ],
)
def test_a_world_ends_with_the_last_complete_week(end: date, monday: date) -> None:
    assert end_of_last_week(end) == monday


def test_the_end_moves_everything_by_whole_weeks_and_nothing_else() -> None:
    """From one summer time into the other, so that wall-clock times are what is kept."""
    early, late = generate(7, END, SMALL), generate(7, END + timedelta(weeks=21), SMALL)

    def wall(moment: datetime | date, back: timedelta) -> datetime | date:
        return (moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment) - back

    for kind in ("messages", "calls"):
        stamps = [
            [
                (wall(getattr(item, "sent_at", None) or item.started_at, back), replace(item.truth))
                for item in getattr(made, kind)
            ]
            for made, back in ((early, timedelta(0)), (late, timedelta(weeks=21)))
        ]
        assert stamps[0] == stamps[1]
    assert [deal.amount for deal in early.deals] == [deal.amount for deal in late.deals]
    assert [message.message_id for message in early.messages] == [
        message.message_id for message in late.messages
    ]
    assert [event.uid for event in early.events] == [event.uid for event in late.events]


def test_the_sample_organisation_is_as_large_as_promised() -> None:
    made = world()
    reps = Counter(user.team for user in made.reps)
    assert sorted(reps.values()) == [4, 4]
    assert sum(user.role == "manager" for user in made.users) == 2
    assert {user.locale for user in made.users} == {"nl", "sv", "de", "en", "zh"}
    assert len({user.time_zone for user in made.users}) >= 5
    assert len(made.companies) >= 40
    assert any(len(company.domains) > 1 for company in made.companies)
    assert any(company.parent for company in made.companies)
    assert any(company.partner for company in made.companies)
    assert len(made.contacts) >= 120
    assert len(made.leads) >= 40
    assert len(made.deals) >= 60
    assert len(made.messages) >= 1500
    assert (made.last_on - made.first_on).days + 1 == 13 * 7
    assert sum(len(message.copies) for message in made.messages) > len(made.messages)


def test_a_quarter_of_the_mail_is_written_by_machines() -> None:
    machine = {"auto_reply", "bounce", "newsletter", "notification", "calendar_mail"}
    reasons = [message.truth.reason for message in world().messages]
    assert machine <= set(reasons)
    assert 0.2 < sum(reason in machine for reason in reasons) / len(reasons) < 0.35


def test_deals_have_histories_of_two_quarters_with_moves_back_and_skips() -> None:
    made = world()
    order = ["qualification", "discovery", "demo", "proposal", "negotiation", "won", "lost"]
    paths = [[order.index(change.stage) for change in deal.changes] for deal in made.deals]
    assert any(later < earlier for path in paths for earlier, later in pairwise(path))
    assert any(later > earlier + 1 and later < 5 for path in paths for earlier, later in pairwise(path))
    assert min(deal.created_at.date() for deal in made.deals) < made.last_on - timedelta(weeks=22)
    for deal in made.deals:
        times = [change.at for change in deal.changes]
        assert times == sorted(set(times))
        assert deal.created_at == times[0]
        assert (deal.outcome is None) == (deal.closed_at is None)
        assert deal.outcome in (None, deal.stage)
        assert max(times).date() <= made.last_on


def test_the_last_week_is_worth_reading() -> None:
    made = world()
    monday = made.last_on - timedelta(days=6)
    closed = [deal for deal in made.deals if deal.closed_at and deal.closed_at.date() >= monday]
    assert sum(deal.outcome == "won" for deal in closed) >= 3
    assert any(deal.outcome == "lost" for deal in closed)
    assert any(deal.outcome is None and deal.expected_close_on < made.last_on for deal in made.deals)
    revenue: Counter[str] = Counter()
    for deal in made.deals:
        if deal.outcome == "won":
            revenue[deal.owner] += int(deal.amount or 0)
    amounts = sorted(revenue[rep.email] for rep in made.reps)
    assert amounts[-1] > 1.5 * amounts[3] > 0


def test_who_is_on_leave_sends_nothing_and_meets_nobody() -> None:
    made = world()
    away = [user for user in made.users if user.leave]
    assert away
    for user in away:
        assert user.leave
        first, last = user.leave
        assert last < made.last_on
        own = [m.sent_at.date() for m in made.messages if m.sender.email == user.email]
        own += [call.started_at.date() for call in made.calls if call.log == user.email]
        assert not [day for day in own if first <= day <= last]


def test_people_work_in_their_own_office_hours() -> None:
    made = world()
    own = {address: user for user in made.users for address in (user.email, *user.aliases)}
    sent = [m for m in made.messages if m.sender.email in own and m.truth.admitted]
    assert all(m.sent_at.weekday() < 5 for m in sent)
    assert all(8 <= m.sent_at.hour < 18 for m in sent)
    assert all(str(m.sent_at.tzinfo) == own[m.sender.email].time_zone for m in sent)


def test_every_thread_is_connected() -> None:
    known = {message.message_id: message for message in world().messages}
    assert len(known) == len(world().messages)
    replies = [message for message in world().messages if message.in_reply_to]
    assert len(replies) > 800
    for reply in replies:
        assert reply.in_reply_to in known
        parent = known[reply.in_reply_to]
        assert reply.references == (*parent.references, parent.message_id)
        assert parent.sent_at < reply.sent_at


def test_the_truth_of_mail_agrees_with_its_addresses() -> None:
    made = world()
    ours = {address for user in made.users for address in (user.email, *user.aliases)}
    contacts = {contact.key: contact for contact in made.contacts}
    for message in made.messages:
        truth = message.truth
        parties = {party.email for party in (message.sender, *message.to, *message.cc, *message.bcc)}
        assert truth.admitted == (truth.reason is None)
        assert truth.reason is None or truth.reason in REASONS or truth.reason == "folder"
        assert (message.sender.email in ours) == (truth.direction in ("outbound", "internal"))
        if truth.admitted:
            assert parties - ours
            assert truth.company
            assert all(set(contacts[key].emails) & parties for key in truth.people)
        if truth.direction == "internal":
            assert parties <= ours
        for copy in message.copies:
            assert copy.folder == "Sent" or copy.user in truth.users
            assert (copy.folder == "Sent") <= (message.sender.email in ours)


def test_the_deal_of_an_activity_existed_and_is_of_its_company() -> None:
    made = world()
    deals = {deal.key: deal for deal in made.deals}
    activities = [(m.truth, m.sent_at) for m in made.messages] + [(c.truth, c.started_at) for c in made.calls]
    linked = [(truth, moment) for truth, moment in activities if truth.deal]
    assert len(linked) > 600
    for truth, moment in linked:
        assert truth.deal
        assert deals[truth.deal].company == truth.company
        assert deals[truth.deal].created_at.date() <= moment.date()


def test_calendars_hold_series_with_exceptions_and_what_is_no_meeting() -> None:
    events = world().events
    series = [event for event in events if event.rule and event.occurrences[0].truth.admitted]
    assert series
    assert any(event.excluded for event in series)
    assert all(any(item.moved for item in event.occurrences) for event in series)
    assert all(any(item.cancelled for item in event.occurrences) for event in series)
    assert {"private", "not_a_meeting", "internal", None} == {e.occurrences[0].truth.reason for e in events}
    assert any(not isinstance(event.starts_at, datetime) for event in events)
    assert any(event.cancelled for event in events)
    assert any(guest.room for event in events for guest in event.guests)
    assert any(len(event.calendars) > 1 and event.occurrences[0].truth.admitted for event in events)


def test_only_meetings_that_took_place_count() -> None:
    made = world()
    ours = {user.email for user in made.users}
    counted = [(event, item) for event in made.events for item in event.occurrences if item.truth.counts]
    assert len(counted) > 150
    for event, item in counted:
        assert not item.cancelled
        assert isinstance(item.ends_at, datetime)
        assert item.ends_at.date() <= made.last_on
        assert [g for g in event.guests if g.email not in ours and not g.room and g.response != "DECLINED"]


def test_calls_end_in_every_way_and_some_are_passed_on() -> None:
    made = world()
    assert {leg.outcome for call in made.calls for leg in call.legs} == {
        "answered",
        "no_answer",
        "busy",
        "voicemail",
    }
    assert any(len(call.legs) > 1 for call in made.calls)
    assert {call.truth.direction for call in made.calls} == {"inbound", "outbound", "internal"}
    assert any(len(call.truth.people) > 1 for call in made.calls)
    assert any(call.truth.admitted and not call.truth.people for call in made.calls)


def test_every_telephone_number_is_a_valid_one() -> None:
    made = world()
    numbers = [number for user in made.users for number in user.phones]
    numbers += [number for contact in made.contacts for number in contact.phones]
    assert numbers
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)


def test_names_and_addresses_tell_people_and_companies_apart() -> None:
    made = generate(3, END, Size(companies=400, contacts=1500, deals=300, leads=100, weeks=2))
    assert len({company.name for company in made.companies}) == 400
    domains = [domain for company in made.companies for domain in company.domains]
    assert len(set(domains)) == len(domains)
    assert all(domain.endswith(".example") for domain in domains)
    addresses = [address for contact in made.contacts for address in contact.emails]
    assert len(set(addresses)) == len(addresses)
