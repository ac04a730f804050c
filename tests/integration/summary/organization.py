"""A small sales team's last quarter, written straight into the tables: what a summary is made from."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlmodel import Session
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.connect.vault import create_key
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.columns import stable_id
from autocapture.model.crm import Company, Contact, ContactHandle, Deal, DealState, Lead, StageChange
from autocapture.model.ledger import LedgerEntry
from autocapture.model.measures import Quota
from autocapture.model.organization import Membership, Team, User, UserHandle
from autocapture.settings import Settings, SmtpSettings, WebSettings
from autocapture.store.engine import writing

MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
WEEK = "2026-W46"
FIRST_DAY = date(2026, 8, 17)
LONG_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
REPS = ("Anna Berg", "Bo Chen", "Carla de Vries", "Dmitri Olsson")
SUBJECTS = (
    "Offer for the pump line",
    "Re: Pilot in January",
    "Delivery dates",
    "Re: Contract draft",
    "Your questions",
)
COMPANIES = (
    "Hoekstra Staal",
    "Lindqvist Marin",
    "Northwind Foods",
    "Veldkamp Bouw",
    "Almgren Logistik",
    "Ito Optics",
)


def application(home: Path, *, subject: str = "", rep: str = "", team: str = "North") -> Application:
    """An application whose database holds the team; `subject`, `rep` and `team` replace names, to plant hostile ones."""
    app = reopened(home)
    create_key(app.settings.key_file)
    make_tables(app.engine)
    with writing(app.engine) as session:
        session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # one flush, in any order
        _Life(session, subject, rep, team).write()
    with app.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return app


def reopened(home: Path, *, smtp_port: int = 25, web_port: int = 8000) -> Application:
    """An application over the database in `home`, on the Monday after the week, at seven."""
    settings = Settings(
        home=home,
        database_url=f"sqlite:///{home / 'autocapture.db'}",
        key_file=home / "keys" / "master.key",
        web=WebSettings(port=web_port),
        smtp=SmtpSettings(host="127.0.0.1", port=smtp_port, security="none", sender="summary@ours.example"),
    )
    return build(settings, FixedClock(MONDAY))


class _Life:
    """Writes the rows. Seeded: the same every time."""

    def __init__(self, session: Session, subject: str, rep: str, team: str) -> None:
        self.session = session
        self.random = random.Random(46)
        self.subjects = (subject, *SUBJECTS) if subject else SUBJECTS
        self.names = (rep or REPS[0], *REPS[1:])
        self.team = team
        self.serial = 0
        self.deals: list[Deal] = []

    def write(self) -> None:
        self._people()
        self._customers()
        self._accounts()
        for back in range(13):
            monday = date(2026, 11, 9) - timedelta(weeks=back)
            for rep in self.reps:
                self._week(rep, monday)
        self._deals()
        self._quotas()

    def _add(self, row: object) -> None:
        self.session.add(row)

    def _people(self) -> None:
        boss = User(
            id=1,
            email="eva@ours.example",
            name="Eva Lund",
            role="manager",
            time_zone="Europe/Stockholm",
            locale="sv",
        )
        self._add(Team(id=1, name=self.team))
        self._add(boss)
        self.reps = [
            User(
                id=place,
                email=f"rep{place}@ours.example",
                name=name,
                manager_id=1,
                time_zone="Europe/Stockholm",
            )
            for place, name in enumerate(self.names, 2)
        ]
        for user in (boss, *self.reps):
            self._add(user)
            self._add(UserHandle(kind="email", value=user.email, user_id=user.id))
            self._add(Membership(user_id=user.id, team_id=1, valid_from=date(2026, 1, 1)))

    def _customers(self) -> None:
        for place, name in enumerate(COMPANIES, 1):
            self._add(Company(id=place, source_id=f"c{place}", name=name))
            self._add(
                Contact(id=place, source_id=f"p{place}", name=f"Kim {name.split()[0]}", company_id=place)
            )
            self._add(ContactHandle(kind="email", value=f"kim@customer{place}.example", contact_id=place))

    def _accounts(self) -> None:
        for rep in self.reps:
            account = Account(
                id=rep.id,
                user_id=rep.id,
                connector="imap",
                subject=rep.email,
                options={},
                created_at=LONG_BEFORE,
            )
            if rep.id == 4:
                account.state, account.why = "needs_reconnect", "the server refused the password"
            self._add(account)
            for offset, kind in enumerate(("email", "event", "call")):
                channel = Channel(
                    id=rep.id * 10 + offset,
                    account_id=rep.id,
                    source_id=kind,
                    kind=kind,
                    name=kind,
                    backfilled=True,
                    last_ok_at=MONDAY,
                )
                self._add(channel)
        for reason, number in (("newsletter", 41), ("internal", 17), ("private", 3)):
            for _ in range(number):
                self._ledger("skipped", reason, None)
        self._ledger("quarantined", "the message has more than 1000 parts", None)

    def _ledger(self, outcome: str, reason: str | None, activity: Activity | None, channel: int = 20) -> None:
        self.serial += 1
        self._add(
            LedgerEntry(
                channel_id=channel,
                source_id=f"1:{self.serial}",
                outcome=outcome,
                reason=reason,
                generation=1,
                activity_id=activity.id if activity else None,
                first_seen_at=LONG_BEFORE,
                updated_at=LONG_BEFORE,
            )
        )

    def _week(self, rep: User, monday: date) -> None:
        for kind, low, high in (("email", 14, 30), ("call", 4, 14), ("meeting", 2, 6)):
            for _ in range(self.random.randint(low, high)):
                day = monday + timedelta(days=self.random.randint(0, 4))
                at = datetime(
                    day.year,
                    day.month,
                    day.day,
                    self.random.randint(8, 15),
                    self.random.randint(0, 59),
                    tzinfo=UTC,
                )
                self._activity(rep, kind, at)

    def _activity(self, rep: User, kind: str, at: datetime) -> None:
        self.serial += 1
        customer = self.random.randint(1, len(COMPANIES))
        key = f"{kind}-{self.serial}"
        mine, theirs = {
            "email": ("from", "to"),
            "call": ("caller", "callee"),
            "meeting": ("organizer", "attendee"),
        }[kind]
        length = self.random.choice((30, 90, 600)) if kind == "call" else 1800 if kind == "meeting" else None
        status = {"email": None, "call": "answered", "meeting": "held"}[kind]
        activity = Activity(
            id=stable_id(key),
            dedupe_key=key,
            kind=kind,
            occurred_at=at,
            ends_at=at + timedelta(minutes=30) if kind == "meeting" else None,
            duration_s=length,
            direction="outbound",
            status=status,
            subject=None if kind == "call" else self.random.choice(self.subjects),
            booked_at=at - timedelta(days=3) if kind == "meeting" else None,
            thread_id=stable_id(f"thread {rep.id} {customer}") if kind == "email" else None,
            known_at=at,
            changed_at=at,
        )
        self._add(activity)
        self._add(
            Participant(activity_id=activity.id, role=mine, address=rep.email, name=rep.name, user_id=rep.id)
        )
        address = f"kim@customer{customer}.example"
        name = f"Kim {COMPANIES[customer - 1].split()[0]}"
        self._add(
            Participant(
                activity_id=activity.id,
                role=theirs,
                address=address,
                name=name,
                contact_id=customer,
                response="accepted",
            )
        )
        role = {"email": "sender", "call": "caller", "meeting": "organizer"}[kind]
        booked = at.date() - timedelta(days=3) if kind == "meeting" else None
        self._add(
            Participation(
                user_id=rep.id, local_date=at.date(), activity_id=activity.id, role=role, booked_date=booked
            )
        )
        if self.random.random() < 0.92:
            self._add(
                Match(
                    activity_id=activity.id,
                    target="company",
                    target_id=customer,
                    method="contact",
                    evidence={"address": address, "contact": name},
                )
            )
        self._ledger("captured", None, activity, channel=(rep.id or 0) * 10)

    def _deals(self) -> None:
        for number in range(1, 41):
            created = datetime(2026, 7, 6, 10, tzinfo=UTC) + timedelta(
                days=3 * number + self.random.randint(0, 2)
            )
            ends = created + timedelta(days=self.random.randint(20, 70))
            closed = ends if ends < MONDAY - timedelta(hours=30) else None
            outcome = self.random.choice(("won", "lost")) if closed else "open"
            self._deal(number, created, closed, outcome, self.random.randint(8, 90) * 100_000)
        self._deal(41, _at(11, 3), _at(11, 12), "won", 6_400_000)
        self._deal(42, _at(9, 7), _at(11, 13), "won", 3_150_000)
        self._deal(43, _at(9, 9), _at(11, 11), "lost", 1_900_000)
        self._deal(44, _at(10, 2), None, "open", 5_000_000, grown_to=6_200_000)
        self._deal(45, _at(10, 5), None, "open", 4_400_000, grown_to=3_900_000)
        self._deal(46, _at(11, 10), None, "open", 2_750_000)
        self._deal(47, _at(11, 12), None, "open", None)
        for number in range(1, 25):
            at = datetime(2026, 8, 18, 9, tzinfo=UTC) + timedelta(days=3.7 * number)
            contact = number % len(COMPANIES) + 1
            rep = self.reps[number % 4]
            self._add(
                Lead(
                    source_id=f"l{number}",
                    contact_id=contact,
                    owner_id=rep.id,
                    created_at=at,
                    assigned_at=at,
                    source="web",
                )
            )
            self._activity(rep, "email", at + timedelta(hours=self.random.randint(1, 20)))

    def _deal(
        self,
        number: int,
        created: datetime,
        closed: datetime | None,
        outcome: str,
        amount: int | None,
        grown_to: int | None = None,
    ) -> None:
        rep = self.reps[number % 4]
        company = number % len(COMPANIES) + 1
        name = f"{COMPANIES[company - 1]} {('pumps', 'service', 'retrofit')[number % 3]}"
        self._add(
            Deal(
                id=number,
                source_id=f"d{number}",
                name=name,
                company_id=company,
                owner_id=rep.id,
                stage="Proposal",
                outcome=outcome,
                amount_minor=grown_to or amount,
                currency=None if amount is None else "EUR",
                created_at=created,
                created_on=created.date(),
                closed_at=closed,
                closed_on=closed.date() if closed else None,
            )
        )
        self._add(StageChange(deal_id=number, stage="Proposal", at=created))
        grown_at = _at(11, 11) if grown_to else None
        self._state(number, rep, created, grown_at or closed, "open", amount)
        if grown_at:
            self._state(number, rep, grown_at, closed, "open", grown_to)
        if closed:
            self._state(number, rep, closed, None, outcome, amount)
        for person in (rep, self.reps[(number + 1) % 4]) if outcome == "won" else ():
            self._activity(person, "meeting", (closed or created) - timedelta(days=2))
            self._add(
                Match(
                    activity_id=stable_id(f"meeting-{self.serial - 1}"),
                    target="deal",
                    target_id=number,
                    method="only_live_deal",
                    evidence={"deal": name},
                )
            )

    def _state(
        self, deal: int, rep: User, start: datetime, end: datetime | None, outcome: str, amount: int | None
    ) -> None:
        self._add(
            DealState(
                deal_id=deal,
                valid_from=start,
                valid_to=end,
                known_from=LONG_BEFORE,
                stage="Proposal",
                outcome=outcome,
                owner_id=rep.id,
                amount_minor=amount,
                currency=None if amount is None else "EUR",
            )
        )

    def _quotas(self) -> None:
        start, end = date(2026, 10, 1), date(2026, 12, 31)
        quota = {"metric": "revenue_won", "period_start": start, "period_end": end, "currency": "EUR"}
        self._add(Quota(scope_type="team", scope=self.team, value=Decimal(600_000), **quota))
        for rep, value in zip(self.reps[:3], (150_000, 160_000, 140_000), strict=True):
            self._add(Quota(scope_type="user", scope=rep.email, value=Decimal(value), **quota))


def _at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 10, 30, tzinfo=UTC)
