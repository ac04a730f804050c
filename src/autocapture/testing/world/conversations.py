"""Threads of mail between our people and theirs: on deals, on leads, and with customers in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from autocapture.testing.world.dates import Diary, stream
from autocapture.testing.world.deals import PRODUCTS
from autocapture.testing.world.model import (
    Company,
    Contact,
    Deal,
    Delivery,
    Lead,
    Message,
    Party,
    Size,
    Truth,
    User,
)
from autocapture.testing.world.writing import (
    Subject,
    attachment,
    dressed,
    letter,
    message_id,
    our_signature,
    quotation,
    references,
    reply_subject,
    their_signature,
    title,
)

_WITH_FILES = ("proposal", "negotiation")


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody: by key, the contacts of each company, and the companies of each rep."""

    users: Mapping[str, User]
    companies: Mapping[str, Company]
    contacts: Mapping[str, Contact]
    diaries: Mapping[str, Diary]
    people: Mapping[str, Sequence[Contact]]
    territories: Mapping[str, Sequence[Company]]

    @classmethod
    def of(
        cls,
        users: Sequence[User],
        companies: Sequence[Company],
        contacts: Sequence[Contact],
        diaries: Mapping[str, Diary],
    ) -> Cast:
        people: dict[str, list[Contact]] = {company.key: [] for company in companies}
        for contact in contacts:
            people[contact.company].append(contact)
        territories: dict[str, list[Company]] = {user.email: [] for user in users}
        for company in companies:
            territories[company.owner].append(company)
        return cls(
            users={user.email: user for user in users},
            companies={company.key: company for company in companies},
            contacts={contact.key: contact for contact in contacts},
            diaries=diaries,
            people=people,
            territories=territories,
        )

    def colleagues(self, rep: User) -> list[User]:
        """The others of the rep's team, its manager included."""
        return [user for user in self.users.values() if user.team == rep.team and user.email != rep.email]

    def customers(self, rep: User) -> list[Contact]:
        """Everybody at the companies of the rep, partners included."""
        return [contact for company in self.territories[rep.email] for contact in self.people[company.key]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One thread before it is written. `others` are further contacts in copy, `ours` colleagues in copy, `blind` one of ours in
    blind copy of the first message, `stranger` somebody at the company whom the CRM does not know."""

    rep: User
    contact: Contact
    company: Company
    about: Subject
    opens_at: datetime
    turns: int
    deal: str | None = None
    others: tuple[Contact, ...] = ()
    ours: tuple[User, ...] = ()
    opened_by_rep: bool = True
    blind: User | None = None
    stranger: Party | None = None


def thread(rng: Random, plan: Plan, diary: Diary) -> list[Message]:
    """The messages of the plan in order, ending at the end of the world or where somebody falls silent."""
    written: list[Message] = []
    moment, by_rep, again = plan.opens_at, plan.opened_by_rep, False
    while len(written) < plan.turns and moment < diary.end:
        earlier = written[-1] if written else None
        written.append(_write(rng, plan, moment, earlier, by_rep=by_rep, again=again))
        if not by_rep:
            if rng.random() > 0.9:
                break
            by_rep, again = True, False
            moment = diary.after(rng, moment, 5)
        elif rng.random() < plan.contact.eager:
            by_rep, again = False, False
            moment = diary.after(rng, moment, 14)
        elif rng.random() < 0.6:
            again = True
            moment = diary.after(rng, moment, 80)
        else:
            break
    return written


def _write(
    rng: Random, plan: Plan, moment: datetime, earlier: Message | None, *, by_rep: bool, again: bool
) -> Message:
    rep = Party(_address(rng, (plan.rep.email, *plan.rep.aliases), 0.05), plan.rep.name)
    buyer = Party(_address(rng, plan.contact.emails, 0.1), plan.contact.name)
    sender, receiver = (rep, buyer) if by_rep else (buyer, rep)
    copied = [Party(user.email, user.name) for user in plan.ours]
    copied += [Party(contact.emails[0], contact.name) for contact in plan.others]
    if plan.stranger:
        copied.append(plan.stranger)
    hidden = plan.blind if by_rep and earlier is None else None
    text = letter(rng, plan.about, by_rep=by_rep, to=receiver, again=again)
    text += our_signature(rng, plan.rep) if by_rep else their_signature(rng, plan.contact, plan.company.name)
    if earlier and rng.random() < 0.9:
        text += quotation(plan.about.language, earlier)
    files = by_rep and not again and plan.about.topic in _WITH_FILES and rng.random() < 0.5
    people = tuple(dict.fromkeys((plan.contact.key, *(contact.key for contact in plan.others))))
    ours = (plan.rep.email, *(user.email for user in plan.ours), *((hidden.email,) if hidden else ()))
    draft = Message(
        message_id=message_id(rng, moment, sender.email.split("@")[1]),
        sent_at=moment,
        sender=sender,
        to=(receiver,),
        cc=tuple(copied),
        bcc=(Party(hidden.email, hidden.name),) if hidden else (),
        subject=reply_subject(earlier.subject) if earlier else title(rng, plan.about),
        text=text,
        in_reply_to=earlier.message_id if earlier else None,
        references=references(earlier) if earlier else (),
        attachments=(attachment(rng, plan.about),) if files else (),
        copies=_copies(rng, plan, moment, by_rep=by_rep, hidden=hidden),
        truth=Truth(
            "email",
            "outbound" if by_rep else "inbound",
            True,
            None,
            people,
            ours,
            plan.company.key,
            plan.deal,
            True,
        ),
    )
    return dressed(rng, draft)


def _address(rng: Random, addresses: Sequence[str], other: float) -> str:
    """Mostly the first; with the chance `other` one of the rest."""
    return rng.choice(addresses[1:]) if len(addresses) > 1 and rng.random() < other else addresses[0]


def _copies(
    rng: Random, plan: Plan, moment: datetime, *, by_rep: bool, hidden: User | None
) -> tuple[Delivery, ...]:
    arrived = moment + timedelta(seconds=rng.randrange(2, 50))
    if by_rep:
        copies = [Delivery(plan.rep.email, "Sent", moment)]
    else:
        copies = [Delivery(plan.rep.email, "Archive" if rng.random() < 0.12 else "INBOX", arrived)]
    copies += [Delivery(user.email, "INBOX", arrived) for user in plan.ours]
    if hidden:
        copies.append(Delivery(hidden.email, "INBOX", arrived))
    return tuple(copies)


def conversations(
    seed: int, size: Size, cast: Cast, deals: Sequence[Deal], leads: Sequence[Lead]
) -> list[Message]:
    """All threads with people outside, in no particular order."""
    plans: list[tuple[Random, Plan]] = []
    for deal in deals:
        plans += _deal_plans(seed, size, cast, deal)
    for lead in leads:
        plans += _lead_plans(seed, cast, lead)
    for company in cast.companies.values():
        plans += _account_plans(seed, size, cast, company)
    return [message for rng, plan in plans for message in thread(rng, plan, cast.diaries[plan.rep.email])]


def _deal_plans(seed: int, size: Size, cast: Cast, deal: Deal) -> list[tuple[Random, Plan]]:
    """A thread or more for each stage visit that falls into the world's weeks, more with a busy rep."""
    rep, diary = cast.users[deal.owner], cast.diaries[deal.owner]
    begin = diary.at(-size.weeks, 0, 0)
    plans: list[tuple[Random, Plan]] = []
    for place, change in enumerate(deal.changes):
        left = deal.changes[place + 1].at if place + 1 < len(deal.changes) else diary.end
        if change.stage == "lost" or left <= begin:
            continue
        if change.stage == "won":
            left = min(left, change.at + timedelta(weeks=4))
        start = max(change.at, begin)
        days = (left - start).days
        rng = stream(seed, "deal mail", deal.key, place)
        for number in range(round((1 + min(days, 60) / 11) * rep.pace * rng.uniform(0.6, 1.3))):
            own = stream(seed, "deal thread", deal.key, place, number)
            opens = diary.settle(own, start + timedelta(minutes=own.randrange(5, max(6, days * 24 * 60))))
            plans.append((own, _deal_plan(own, cast, deal, change.stage, opens)))
    return plans


def _deal_plan(rng: Random, cast: Cast, deal: Deal, stage: str, opens: datetime) -> Plan:
    rep, company = cast.users[deal.owner], cast.companies[deal.company]
    people = [cast.contacts[role.contact] for role in deal.contacts]
    contact, *rest = rng.sample(people, k=len(people))
    partner = _partner(rng, cast, rep)
    colleagues = cast.colleagues(rep)
    topic = {"won": "account", "qualification": "outreach"}.get(stage, stage)
    product = next(product for product in PRODUCTS if product.key == deal.products[0])
    amount = f"{deal.currency} {deal.amount:,.0f}" if deal.amount else deal.currency
    return Plan(
        rep=rep,
        contact=contact,
        company=company,
        about=Subject(company.language, topic, company.name, product.name, amount),
        opens_at=opens,
        turns=rng.choice((1, 2, 3, 3, 4, 5, 7)),
        deal=deal.key,
        others=tuple(rest[: rng.choice((0, 0, 1, 2))]) + ((partner,) if partner else ()),
        ours=(rng.choice(colleagues),) if colleagues and rng.random() < 0.18 else (),
        blind=cast.users[rep.manager]
        if rep.manager and stage == "negotiation" and rng.random() < 0.2
        else None,
        opened_by_rep=rng.random() < 0.75,
        stranger=_stranger(rng, company) if rng.random() < 0.05 else None,
    )


def _partner(rng: Random, cast: Cast, rep: User) -> Contact | None:
    """Now and then somebody of a partner company of the rep reads along."""
    if rng.random() > 0.06:
        return None
    partners = [company for company in cast.territories[rep.email] if company.partner]
    people = [contact for partner in partners for contact in cast.people[partner.key]]
    return rng.choice(people) if people else None


def _stranger(rng: Random, company: Company) -> Party:
    """A shared mailbox of a department, as copied by customers."""
    return Party(f"{rng.choice(('planning', 'reception', 'projects'))}@{company.domains[0]}")


def _lead_plans(seed: int, cast: Cast, lead: Lead) -> list[tuple[Random, Plan]]:
    """The rep's first mail to an assigned lead, sooner or later; a few leads are never written to."""
    rng = stream(seed, "lead mail", lead.key)
    if lead.assigned_at is None or rng.random() < 0.12:
        return []
    contact, rep = cast.contacts[lead.contact], cast.users[lead.owner]
    company = cast.companies[contact.company]
    opens = cast.diaries[rep.email].after(rng, lead.assigned_at, rng.choice((0.5, 2, 6, 30)))
    about = Subject(company.language, "outreach", company.name, rng.choice(PRODUCTS).name)
    plan = Plan(
        rep=rep, contact=contact, company=company, about=about, opens_at=opens, turns=rng.choice((2, 3, 4, 5))
    )
    return [(rng, plan)]


def _account_plans(seed: int, size: Size, cast: Cast, company: Company) -> list[tuple[Random, Plan]]:
    """Customers write outside of any deal: invoices, training, questions; partners more often."""
    rep, diary = cast.users[company.owner], cast.diaries[company.owner]
    people = cast.people[company.key]
    rng = stream(seed, "account mail", company.key)
    plans: list[tuple[Random, Plan]] = []
    for number in range(round(size.weeks / 13 * rng.choice((0, 1, 2, 4 if company.partner else 2)))):
        own = stream(seed, "account thread", company.key, number)
        if not people:
            continue
        about = Subject(company.language, "account", company.name, own.choice(PRODUCTS).name)
        plans.append(
            (
                own,
                Plan(
                    rep=rep,
                    contact=own.choice(people),
                    company=company,
                    about=about,
                    opens_at=diary.some_time(own, -own.randrange(1, size.weeks + 1)),
                    turns=own.choice((1, 2, 2, 3)),
                    opened_by_rep=own.random() < 0.4,
                ),
            )
        )
    return plans
