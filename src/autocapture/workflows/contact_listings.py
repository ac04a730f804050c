"""Who from outside has no contact yet, and what autocapture created, as plain rows for commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import col

from autocapture.application import Application
from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.created import COMPANY, CONTACT, AddressDetail, Created, CreationBatch
from autocapture.model.crm import Company, Contact, ContactHandle
from autocapture.store import created, strangers
from autocapture.store.bulk import among, in_chunks
from autocapture.store.engine import reading
from autocapture.workflows.company_of_person import company_of, domains_of
from autocapture.workflows.creating import judged
from autocapture.workflows.header_names import called, names_by_address
from autocapture.workflows.people import our_people

Row = dict[str, Any]

PART = 5_000  # people of whom names are asked for at once

REASONS = {
    "sent_to": "mails of ours to them",
    "two_way": "mails in both directions",
    "met": "meetings held",
    "asked": "asked for",
    "contact": "contacts on its domain",
}


def staged(app: Application) -> Iterator[Row]:
    """Every address and number from outside that no contact has, with what was captured of it and why there is no contact; who
    was there last comes first."""
    organization = our_people(app)
    with reading(app.engine) as session:
        found = strangers.strangers(session)
        known = strangers.known_handles(session, [each.address for each in found])
    outside = [
        each for each in found if each.address not in known and not organization.is_inside(each.address)
    ]
    outside.sort(key=lambda each: (-each.last_at.timestamp(), each.address))
    companies = _companies(app, [each.address for each in outside])
    waits = "to be created" if app.settings.contacts.create else "creating is switched off"
    for part in in_chunks(outside, PART):
        with reading(app.engine) as session:
            names = names_by_address(strangers.names_of(session, [each.address for each in part]))
        for each, verdict in judged(app, part, organization):
            yield {
                "address": each.address,
                "name": called(each.address, names),
                "company": companies.get(each.address),
                "mails": each.mails,
                "meetings": each.meetings,
                "calls": each.calls,
                "first_at": each.first_at,
                "last_at": each.last_at,
                "why": waits if verdict.obstacle is None else verdict.why_not,
            }


def _companies(app: Application, addresses: Sequence[str]) -> dict[str, str]:
    """By address, the name of the company that its domain tells."""
    with reading(app.engine) as session:
        domains = {domain for each in addresses for domain in domains_of(each)}
        by_domain = created.companies_by_domain(session, domains)
        numbers = {number for found in by_domain.values() for number in found}
        named = select(col(Company.id), col(Company.name)).where(among(session, col(Company.id), numbers))
        names = dict(session.execute(named).all())
    belonging = {address: company_of(address, by_domain, ()).company_id for address in addresses}
    return {address: names[number] for address, number in belonging.items() if number is not None}


def made(app: Application, *, batch: int | None = None, ended: bool = False) -> Iterator[Row]:
    """What autocapture created, oldest first: what is its own still, with `ended` also what it was taken back or taken over."""
    with reading(app.engine) as session:
        for row, name, company in session.execute(_made(batch, ended).order_by(col(Created.id))):
            yield _made_row(row, name, company)


def made_page(
    app: Application,
    people: frozenset[int] | None,
    *,
    batch: int | None = None,
    ended: bool = False,
    start: int = 0,
    most: int = 50,
) -> tuple[list[Row], int]:
    """A part of the same, newest first, and how many there are in all: of whom one of `people` (None: anybody) had to do with."""
    statement = _made(batch, ended)
    if people is not None:
        statement = statement.where(_known_to(people))
    with reading(app.engine) as session:
        total = session.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
        found = session.execute(statement.order_by(col(Created.id).desc()).offset(start).limit(most))
        return [_made_row(row, name, company) for row, name, company in found], total


def _made(batch: int | None, ended: bool) -> Any:
    statement: Any = (
        select(Created, col(Contact.name).label("contact_name"), col(Company.name).label("company_name"))
        .outerjoin(Contact, and_(col(Created.target) == CONTACT, col(Contact.id) == col(Created.target_id)))
        .outerjoin(
            Company,
            or_(
                and_(col(Created.target) == COMPANY, col(Company.id) == col(Created.target_id)),
                col(Company.id) == col(Contact.company_id),
            ),
        )
    )
    if batch is not None:
        statement = statement.where(col(Created.batch_id) == batch)
    return statement if ended else statement.where(col(Created.ended).is_(None))


def _made_row(row: Created, name: str | None, company: str | None) -> Row:
    return {
        "batch": row.batch_id,
        "kind": row.target,
        "value": row.value,
        "name": name if row.target == CONTACT else company,
        "company": company if row.target == CONTACT else None,
        "reason": f"{REASONS[row.reason]}{f': {row.count}' if row.count else ''}",
        "created_at": row.created_at,
        "origin": "autocapture",
        "ended": row.ended,
        "ended_at": row.ended_at,
    }


def _known_to(people: frozenset[int]) -> ColumnElement[bool]:
    """The condition that one of these took part in something with the contact, or with a contact of the company."""
    met = (
        select(col(Participant.contact_id))
        .join(Participation, col(Participation.activity_id) == col(Participant.activity_id))
        .join(Activity, col(Activity.id) == col(Participant.activity_id))
        .where(
            col(Participation.user_id).in_(people),
            col(Participant.contact_id).is_not(None),
            col(Participant.role) != "bcc",
            col(Activity.business),
        )
    )
    of_companies = select(col(Contact.company_id)).where(
        col(Contact.id).in_(met), col(Contact.company_id).is_not(None)
    )
    return or_(
        and_(col(Created.target) == CONTACT, col(Created.target_id).in_(met)),
        and_(col(Created.target) == COMPANY, col(Created.target_id).in_(of_companies)),
    )


def batches(app: Application) -> list[Row]:
    """Every batch with what of it is ours still."""
    own = func.count(col(Created.id)).filter(col(Created.ended).is_(None))
    with reading(app.engine) as session:
        counted = {
            (batch, target): (whole, still)
            for batch, target, whole, still in session.execute(
                select(col(Created.batch_id), col(Created.target), func.count(), own).group_by(
                    col(Created.batch_id), col(Created.target)
                )
            )
        }
        found = session.scalars(select(CreationBatch).order_by(col(CreationBatch.id))).all()
        return [
            {
                "batch": batch.id,
                "created_at": batch.created_at,
                "thresholds": batch.thresholds,
                "contacts": counted.get((batch.id or 0, CONTACT), (0, 0))[1],
                "companies": counted.get((batch.id or 0, COMPANY), (0, 0))[1],
                "created": sum(
                    counted.get((batch.id or 0, target), (0, 0))[0] for target in (CONTACT, COMPANY)
                ),
                "undone_at": batch.undone_at,
            }
            for batch in found
        ]


def found_details(app: Application, address: str | None = None) -> Iterator[Row]:
    """What mails tell of contacts, with the mail that says so and its day. `used` is whether it stands where the CRM tells
    nothing: of a title which the CRM has, or numbers where it has some, the CRM's are what holds."""
    statement = (
        select(AddressDetail, Contact)
        .join(
            ContactHandle,
            and_(col(ContactHandle.kind) == "email", col(ContactHandle.value) == col(AddressDetail.address)),
        )
        .join(Contact, col(Contact.id) == col(ContactHandle.contact_id))
        .order_by(col(AddressDetail.address), col(AddressDetail.kind), col(AddressDetail.value))
    )
    if address is not None:
        statement = statement.where(col(AddressDetail.address) == address)
    with reading(app.engine) as session:
        own = created.ours(session, CONTACT)
        numbered = created.with_numbers_of_the_crm(session)
        for detail, contact in session.execute(statement):
            told_by_crm = {
                "name": contact.id not in own,
                "called": contact.id not in own,
                "title": contact.title is not None,
                "company": contact.company_id is not None and contact.id not in own,
                "phone": contact.id in numbered,
                "mobile": contact.id in numbered,
            }
            yield {
                "address": detail.address,
                "contact": contact.source_id,
                "kind": detail.kind,
                "value": detail.value,
                "used": not told_by_crm.get(detail.kind, False),
                "said_at": detail.said_at,
                "activity": str(detail.activity_id),
            }
