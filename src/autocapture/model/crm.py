"""The mirror of the CRM: companies, contacts, leads, products, deals and their history.

`source_id` is the key in the system the rows came from. Money is in minor units of its currency (`amount_minor`).
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime

OPEN, WON, LOST = "open", "won", "lost"
BY_PEOPLE, BY_CAPTURE = "crm", "autocapture"


class Company(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(unique=True)
    name: str
    partner: bool = False  # an agency or reseller: no evidence for a deal while another company takes part


class CompanyDomain(SQLModel, table=True):
    """A mail domain of a company, lower case, IDNA-encoded. Free-mail domains are never stored here."""

    __tablename__ = "company_domain"

    domain: str = Field(primary_key=True)
    company_id: int = Field(foreign_key="company.id", primary_key=True)


class LearnedDomain(SQLModel, table=True):
    """A registered domain that the CRM has of no company, and from which contacts of this one write (`crm.learned_domains`);
    worked out anew with each import."""

    __tablename__ = "learned_domain"
    __table_args__ = ({"sqlite_with_rowid": False},)

    domain: str = Field(primary_key=True)
    company_id: int


class Contact(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(unique=True)
    name: str
    company_id: int | None = Field(default=None, foreign_key="company.id", index=True)
    title: str | None = None
    created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ContactHandle(SQLModel, table=True):
    """One address or number of a contact. Several contacts may share a value (a switchboard, a duplicate)."""

    __tablename__ = "contact_handle"
    __table_args__ = (Index("contact_handle_contact", "contact_id"), {"sqlite_with_rowid": False})

    kind: str = Field(primary_key=True)  # email | phone
    value: str = Field(primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", primary_key=True)


class Switchboard(SQLModel, table=True):
    """A contact who was reached on a number that is another one's in the CRM: calls on it lay in the slots of meetings with them.
    Learned (`workflows.switchboards`); a number that is here means nobody in particular."""

    __table_args__ = (Index("switchboard_contact", "contact_id"), {"sqlite_with_rowid": False})

    number: str = Field(primary_key=True)  # E.164
    contact_id: int = Field(primary_key=True)


class NumberBlock(SQLModel, table=True):
    """Numbers that begin alike, of which the CRM has several, all of contacts of one company (`crm.number_blocks`); worked out
    anew with each import."""

    __tablename__ = "number_block"
    __table_args__ = ({"sqlite_with_rowid": False},)

    block: str = Field(primary_key=True)  # +3120794xxxx
    company_id: int


class BouncedAddress(SQLModel, table=True):
    """An address of which a delivery report said that it does not exist, has moved or takes no mail.

    `bounced_at` is when the latest such report was sent, `status` its code (RFC 3463), empty where it told none. What came from
    the address later speaks against it: see `store.unreachable`.
    """

    __tablename__ = "bounced_address"

    address: str = Field(primary_key=True)  # canonical
    bounced_at: datetime = Field(sa_type=UtcDateTime)
    status: str = ""


class Lead(SQLModel, table=True):
    """A contact's early status as the CRM tells it: who brought it, who holds it, since when."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(unique=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    source: str | None = None
    owner_id: int | None = Field(default=None, foreign_key="app_user.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    assigned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    status: str | None = None


class LeadChange(SQLModel, table=True):
    __tablename__ = "lead_change"
    __table_args__ = (UniqueConstraint("lead_id", "at", "status"),)

    id: int | None = Field(default=None, primary_key=True)
    lead_id: int = Field(foreign_key="lead.id", index=True)
    status: str
    at: datetime = Field(sa_type=UtcDateTime)


class Product(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(unique=True)
    name: str


class Deal(SQLModel, table=True):
    """A possible sale as it stands now; `DealState` says how it stood at any time. `thread_only`: activities are about it only
    where it is named (`match.named`)."""

    __table_args__ = (
        Index("deal_company", "company_id"),
        Index("deal_owner_closed", "owner_id", "closed_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(unique=True)
    name: str
    company_id: int | None = Field(default=None, foreign_key="company.id")
    owner_id: int | None = Field(default=None, foreign_key="app_user.id")
    pipeline: str = "default"
    stage: str | None = None
    outcome: str = OPEN
    amount_minor: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    currency: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    expected_close_on: date | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_on: date | None = None  # the owner's local day (METRICS R6)
    created_on: date
    thread_only: bool = False


class DealProduct(SQLModel, table=True):
    __tablename__ = "deal_product"

    deal_id: int = Field(foreign_key="deal.id", primary_key=True)
    product_id: int = Field(foreign_key="product.id", primary_key=True)


class DealReference(SQLModel, table=True):
    """A number by which others name the deal: of a quote, of an order."""

    __tablename__ = "deal_reference"

    deal_id: int = Field(foreign_key="deal.id", primary_key=True)
    value: str = Field(primary_key=True)


class DealContact(SQLModel, table=True):
    """Somebody's role on a deal. `source`: a person entered it in the CRM (crm), or a product for capture did (autocapture)."""

    __tablename__ = "deal_contact"
    __table_args__ = (Index("deal_contact_contact", "contact_id"),)

    deal_id: int = Field(foreign_key="deal.id", primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", primary_key=True)
    role: str = ""
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source: str = BY_PEOPLE


class StageChange(SQLModel, table=True):
    """The deal entered `stage` at `at`, as the CRM reported it."""

    __tablename__ = "stage_change"
    __table_args__ = (UniqueConstraint("deal_id", "at", "stage"),)

    id: int | None = Field(default=None, primary_key=True)
    deal_id: int = Field(foreign_key="deal.id", index=True)
    stage: str
    at: datetime = Field(sa_type=UtcDateTime)


class HistoryMark(SQLModel, table=True):
    """That an import told something and history was not matched since; no row where it was. `since` is when the last one did."""

    __tablename__ = "history_mark"

    id: int = Field(default=1, primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime)


class DealState(SQLModel, table=True):
    """How a deal stood in an interval: `valid_*` in the world (half-open), `known_*` in our knowledge (half-open).

    Derived from the deal, its stage changes and earlier imports; None ends an open interval.
    """

    __tablename__ = "deal_state"
    __table_args__ = (Index("deal_state_when", "valid_from", "valid_to"), Index("deal_state_deal", "deal_id"))

    id: int | None = Field(default=None, primary_key=True)
    deal_id: int = Field(foreign_key="deal.id")
    valid_from: datetime = Field(sa_type=UtcDateTime)
    valid_to: datetime | None = Field(default=None, sa_type=UtcDateTime)
    known_from: datetime = Field(sa_type=UtcDateTime)
    known_to: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stage: str | None = None
    outcome: str = OPEN
    owner_id: int | None = Field(default=None, foreign_key="app_user.id")
    amount_minor: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    currency: str | None = None
    expected_close_on: date | None = None
    pipeline: str = "default"
