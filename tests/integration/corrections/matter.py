"""A rep's mail with one customer that has two deals which nothing tells apart, and short ways to look at it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select
from tests.integration.capture.deployment import capture, connect_files, deliver, message

from autocapture.application import Application
from autocapture.model.activities import Activity, Match, Participant
from autocapture.model.columns import stable_id
from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle, Deal, DealContact
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing
from autocapture.workflows.correct import Corrected, Saying, correct

RUTH, SAM, TINA = 1, 2, 3
KIM, LEE = "kim@customer.example", "lee@customer.example"
LONG_AGO = datetime.fromisoformat("2026-06-01T09:00:00+00:00")

NEWSLETTER = message(
    7, subject="News", message_id="news@shop.example", author="Shop <shop@shop.example>",
    extra="List-Id: <news.shop.example>\r\nList-Unsubscribe: <mailto:x@shop.example>\r\n",
)  # fmt: skip


def furnish(app: Application) -> None:
    """Two open deals of the customer, a second person there, and another company whose decision maker is known."""
    with writing(app.engine) as session:
        session.add(Company(id=2, source_id="c2", name="Other"))
        session.flush()
        session.add(CompanyDomain(domain="other.example", company_id=2))
        session.add(Contact(id=2, source_id="p2", name="Lee", company_id=1))
        session.add(Contact(id=3, source_id="p3", name="Olga", company_id=2))
        session.flush()
        session.add(ContactHandle(kind="email", value=LEE, contact_id=2))
        session.add(ContactHandle(kind="email", value="olga@other.example", contact_id=3))
        for number, company, name in ((1, 1, "Pumps"), (2, 1, "Retrofit"), (3, 2, "Lease")):
            session.add(
                Deal(
                    id=number, source_id=f"d{number}", name=name, company_id=company, owner_id=RUTH,
                    created_at=LONG_AGO, created_on=LONG_AGO.date(),
                )
            )  # fmt: skip
        session.flush()
        session.add(DealContact(deal_id=3, contact_id=3, role="decision maker"))


def captured(app: Application, folder: Path, *mails: bytes, user: str = "ruth@ours.example") -> int:
    """The number of the account that brought the mails."""
    deliver(folder, *mails)
    account = connect_files(app, user, maildir=folder)
    capture(app, account)
    return account


def reply(number: int, to: int, **given: str) -> bytes:
    return message(number, extra=f"In-Reply-To: <{to}@customer.example>\r\n", **given)  # type: ignore[arg-type]


def number_of(mail: int) -> int:
    return stable_id(f"{mail}@customer.example")


def say(app: Application, mail: int, said: Saying, by: int = RUTH) -> Corrected:
    return correct(app, by, number_of(mail), said)


def lead(app: Application, manager: int, *reps: int) -> None:
    with writing(app.engine) as session:
        for rep in reps:
            user = session.get_one(User, rep)
            user.manager_id = manager
            session.add(user)


def deals_of(app: Application) -> dict[str, list[str]]:
    """The deals of every activity, by the number of its mail."""
    with reading(app.engine) as session:
        found: dict[str, list[str]] = {
            key.partition("@")[0]: []
            for key in session.exec(select(Activity.dedupe_key).order_by(col(Activity.occurred_at)))
        }
        for key, deal in session.exec(
            select(Activity.dedupe_key, Deal.name)
            .join(Match, col(Match.activity_id) == col(Activity.id))
            .join(Deal, (col(Match.target_id) == col(Deal.id)) & (col(Match.target) == "deal"))
            .order_by(col(Deal.name))
        ):
            found[key.partition("@")[0]].append(deal)
    return found


def contact_of(session: Session, mail: int, address: str) -> int | None:
    return session.exec(
        select(Participant.contact_id).where(
            Participant.activity_id == number_of(mail), Participant.address == address
        )
    ).one()


def activity(app: Application, mail: int) -> Activity:
    with reading(app.engine) as session:
        found = session.get_one(Activity, number_of(mail))
        session.expunge(found)
        return found
