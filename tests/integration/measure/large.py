"""A year of a large sales organisation, drawn from a seed: what the speed of the metrics is measured on.

Forty reps in eight teams; of ten activities six are mail (threads with answers), two calls, two meetings; of the meetings a third
have two reps, of the calls a twentieth was passed on. Ids are spread over all 63 bits, as `stable_id` spreads them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlmodel import Session

from autocapture.measure.period import Period
from autocapture.measure.sql import table

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
WEEK = "2026-W46"
AS_OF = datetime(2027, 2, 1, 12, tzinfo=UTC)
REPS, TEAMS = 40, 8
ZONES = ("Europe/Amsterdam", "America/New_York", "Asia/Shanghai", "Europe/Stockholm")
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_CALLS = ("answered", "answered", "no_answer", "busy", "voicemail")

Row = dict[str, Any]


@dataclass(slots=True)
class _Company:
    """Rows by table, and what the next ones are drawn from."""

    chance: random.Random
    contacts: int
    participations: int = 0
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def put(self, target: str, /, **columns: Any) -> None:
        self.rows[target].append(columns)


def rows_of_a_large_year(session: Session, *, seed: int, participations: int) -> None:
    """Fills an empty database with at least so many participations, and contacts, deals and leads in proportion."""
    made = _Company(random.Random(seed), contacts=max(participations // 25, 40))
    _organization(made)
    while made.participations < participations:
        _thread(made) if made.chance.random() < 0.4 else _single(made)
    _crm(made, deals=participations // 50, leads=participations // 40)
    for target in ("team", "app_user", "membership", "account", "channel", "company", "contact", *_REST):
        if made.rows[target]:
            session.execute(insert(table(target)), made.rows[target])


_REST = ("activity", "participation", "participant", "match", "lead", "deal", "deal_state", "quota")


def _organization(made: _Company) -> None:
    for team in range(1, TEAMS + 1):
        made.put("team", id=team, name=f"Team {team}")
    for user in range(1, REPS + TEAMS + 1):
        rep, email = user <= REPS, f"user{user}@us.example"
        role, zone = "rep" if rep else "manager", ZONES[user % len(ZONES)]
        made.put("app_user", id=user, email=email, name=email, role=role, time_zone=zone, locale="nl-NL")
        made.put("membership", user_id=user, team_id=user % TEAMS + 1, valid_from=date(2026, 1, 1))
        account = {
            "id": user,
            "user_id": user,
            "connector": "example",
            "subject": email,
            "options": {},
            "left_out": [],
        }
        made.put("account", **account, state="active", created_at=_BEGAN)
        for number, kind in enumerate(("email", "event", "call")):
            channel = {"id": 3 * user + number, "account_id": user, "source_id": kind, "kind": kind}
            made.put("channel", **channel, name=kind, enabled=True, backfilled=True, last_ok_at=AS_OF)
    for company in range(1, made.contacts // 4 + 1):
        made.put("company", id=company, source_id=str(company), name=f"Company {company}")
    for contact in range(1, made.contacts + 1):
        made.put(
            "contact", id=contact, source_id=str(contact), name=f"C{contact}", company_id=_employer(contact)
        )


def _employer(contact: int) -> int:
    return (contact - 1) // 4 + 1


def _moment(chance: random.Random) -> datetime:
    return _BEGAN + timedelta(days=chance.randrange(363), seconds=chance.randrange(7 * 3600, 17 * 3600))


def _rep_and_contact(made: _Company) -> tuple[int, int]:
    """Every rep has customers of their own, some of whom others serve too."""
    contact = made.chance.randrange(1, made.contacts + 1)
    own = _employer(contact) % REPS + 1
    return (own if made.chance.random() < 0.85 else made.chance.randrange(1, REPS + 1)), contact


def _thread(made: _Company) -> None:
    chance = made.chance
    rep, contact = _rep_and_contact(made)
    thread, at = chance.getrandbits(62), _moment(chance)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        outbound = chance.random() < 0.6
        nature = chance.choice(("human", "human", "human", "human", "auto"))
        copied = [chance.randrange(1, REPS + 1)] if chance.random() < 0.1 else []
        _activity(made, "email", at, [rep, *copied], [contact], outbound, nature=nature, thread_id=thread)
        at += timedelta(minutes=chance.randrange(10, 6_000))


def _single(made: _Company) -> None:
    chance = made.chance
    rep, contact = _rep_and_contact(made)
    at, outbound = _moment(chance), chance.random() < 0.7
    if chance.random() < 0.5:
        length = chance.choice((0, 20, 90, 400))
        _activity(
            made, "call", at, [rep], [contact], outbound, status=chance.choice(_CALLS), duration_s=length
        )
        return
    others = [chance.randrange(1, REPS + 1)] if chance.random() < 0.33 else []
    guests = [contact, contact % made.contacts + 1]
    status = chance.choice(("held", "held", "planned", "cancelled_by_us"))
    booked = at - timedelta(days=chance.randrange(1, 20))
    ends = at + timedelta(minutes=30)
    columns = {"status": status, "booked_at": booked, "ends_at": ends}
    _activity(made, "meeting", at, [rep, *others], guests, outbound, **columns)


_ROLES = {
    ("email", True): ("sender", "copied", "from", "to"),
    ("email", False): ("recipient", "copied", "to", "from"),
    ("meeting", True): ("organizer", "attendee", "organizer", "attendee"),
    ("meeting", False): ("attendee", "attendee", "attendee", "organizer"),
    ("call", True): ("caller", "caller", "caller", "callee"),
    ("call", False): ("callee", "callee", "callee", "caller"),
}
_ACTIVITY: Row = {
    **dict.fromkeys(("status", "duration_s", "thread_id", "booked_at", "ends_at")),
    "nature": "human",
    "external": True,
    "moved_count": 0,
}


def _activity(
    made: _Company,
    kind: str,
    at: datetime,
    reps: list[int],
    guests: list[int],
    outbound: bool,
    **columns: Any,
) -> None:
    number, direction = made.chance.getrandbits(62), "outbound" if outbound else "inbound"
    first, rest, ours, theirs = _ROLES[kind, outbound]
    own = {"id": number, "dedupe_key": str(number), "kind": kind, "direction": direction}
    known = {"occurred_at": at, "known_at": at, "changed_at": at}
    row = {**_ACTIVITY, **own, **known, **columns}
    made.put("activity", **row)
    people = list(dict.fromkeys(reps))
    made.participations += len(people)
    share = 1 / (len(people) if kind != "email" else 1)
    for place, rep in enumerate(people):
        there = ZoneInfo(ZONES[rep % len(ZONES)])
        booked = row["booked_at"].astimezone(there).date() if row["booked_at"] else None
        role, counts = (first, True) if place == 0 else (rest, kind != "email")
        days = {"local_date": at.astimezone(there).date(), "booked_date": booked}
        made.put(
            "participation",
            user_id=rep,
            activity_id=number,
            role=role,
            counts=counts,
            share=share if counts else 0.0,
            **days,
        )
        _participant(made, number, ours if place == 0 else theirs, f"user{rep}@us.example", user_id=rep)
    for guest in guests:
        _participant(made, number, theirs, f"c{guest}@example.com", contact_id=guest if guest % 10 else None)
    link = {"target": "company", "target_id": _employer(guests[0]), "method": "contact", "evidence": {}}
    made.put("match", activity_id=number, weight=1.0, rule_version=1, **link)


def _participant(
    made: _Company,
    number: int,
    role: str,
    address: str,
    *,
    user_id: int | None = None,
    contact_id: int | None = None,
) -> None:
    people = {"user_id": user_id, "contact_id": contact_id, "response": None, "resource": False, "name": ""}
    made.put("participant", activity_id=number, role=role, address=address, **people)


def _crm(made: _Company, *, deals: int, leads: int) -> None:
    chance = made.chance
    for number in range(1, deals + 1):
        _deal(made, number)
    for number in range(1, leads + 1):
        own = {
            "contact_id": chance.randrange(1, made.contacts + 1),
            "owner_id": chance.randrange(1, REPS + 1),
        }
        at = _moment(chance)
        when = {"created_at": at, "assigned_at": at + timedelta(hours=1)}
        made.put("lead", id=number, source_id=str(number), source="web", status="new", **own, **when)
    for user in range(1, REPS + 1):
        target = {"metric": "revenue_won", "scope_type": "user", "scope": f"user{user}@us.example"}
        made.put("quota", **target, **_QUARTER)
    for team in range(1, TEAMS + 1):
        made.put("quota", metric="revenue_won", scope_type="team", scope=f"Team {team}", **_QUARTER)


_QUARTER = {
    "period_start": date(2026, 10, 1),
    "period_end": date(2026, 12, 31),
    "value": 250_000,
    "currency": "EUR",
}


def _deal(made: _Company, number: int) -> None:
    """Created, moved and raised on the way, and for two in three closed; each step is a state."""
    chance = made.chance
    contact = chance.randrange(1, made.contacts + 1)
    owner = _employer(contact) % REPS + 1
    own = {"owner_id": owner, "currency": "EUR" if chance.random() < 0.9 else "JPY", "pipeline": "default"}
    begun, amount = _moment(chance), chance.choice((None, 100_000, 250_000, 999_900))
    outcome, at = chance.choice(("open", "won", "lost")), begun
    for stage, standing in (("new", "open"), ("offer", "open"), ("closed", outcome)):
        then = at + timedelta(days=chance.randrange(3, 40))
        last = stage == "closed" or (stage == "offer" and outcome == "open")
        span = {"valid_from": at, "valid_to": None if last else then, "known_from": at, "known_to": None}
        value = {"stage": stage, "outcome": standing, "amount_minor": amount, "expected_close_on": None}
        made.put("deal_state", deal_id=number, **own, **span, **value)
        if last:
            break
        at = then
    closed = None if outcome == "open" else at
    there = ZoneInfo(ZONES[owner % len(ZONES)])
    closed_on = closed.astimezone(there).date() if closed else None
    ends = {"closed_at": closed, "closed_on": closed_on, "outcome": outcome}
    told = {"source_id": str(number), "name": f"Deal {number}", "company_id": _employer(contact)}
    begins = {"created_at": begun, "created_on": begun.astimezone(there).date()}
    made.put("deal", id=number, **told, **own, **begins, **ends, amount_minor=amount, stage=stage)
