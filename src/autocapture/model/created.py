"""Contacts and companies that are created of people whom the CRM does not know, and what mails tell of people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime
from autocapture.values import value

CONTACT, COMPANY = "contact", "company"

UNDONE, TAKEN_OVER, LEFT = "undone", "taken_over", "left"
"""How something created came to its end: somebody took it back, the CRM brought it, or nothing that it came of is there."""

SINGLE = frozenset({"name", "called", "title", "company"})
"""The details of which a person has one: the latest."""


class CreationBatch(SQLModel, table=True):
    """What was created on one day (UTC) under the same thresholds; it can be taken back as a whole."""

    __tablename__ = "creation_batch"

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    thresholds: str  # in words
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Created(SQLModel, table=True):
    """A contact or company that autocapture created, of which address or domain, when and why.

    `target_id` is its row while it is ours: None once it was taken back, or the CRM brought it. `reason` is the threshold that
    was met (`sent_to`, `two_way`, `met`), `asked` where somebody asked for it, or for a company `contact`; `count` by how many
    activities, or contacts. `ended` says what became of it.
    """

    __table_args__ = (
        UniqueConstraint("target", "target_id"),
        Index("created_batch", "batch_id"),
        Index("created_value", "value"),
    )

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="creation_batch.id")
    target: str  # contact | company
    target_id: int | None = None
    value: str  # the canonical address, or the domain
    reason: str
    count: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Tombstone(SQLModel, table=True):
    """An address or domain of which nothing is created again by itself: it was taken back, or the CRM gave it up."""

    target: str = Field(primary_key=True)  # contact | company
    value: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    why: str  # undone | given_up


class AddressDetail(SQLModel, table=True):
    """What mails from an address tell of whoever writes from there, and the latest mail that says so.

    `kind`: name (as they write it), called (as others do), title, company, phone, mobile, link. The first four have one value.
    """

    __tablename__ = "address_detail"
    __table_args__ = (Index("address_detail_activity", "activity_id"), {"sqlite_with_rowid": False})

    address: str = Field(primary_key=True)  # canonical, without its tag
    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    activity_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    said_at: datetime = Field(sa_type=UtcDateTime)


class FoundNumber(SQLModel, table=True):
    """A handle of a contact that their signature tells, not the CRM: a mobile number of who has no number there."""

    __tablename__ = "found_number"

    contact_id: int = Field(foreign_key="contact.id", primary_key=True)
    value: str = Field(primary_key=True)


class CreationMark(SQLModel, table=True):
    """Up to which change activities were looked through for people to create; one row."""

    __tablename__ = "creation_mark"

    id: int = Field(default=1, primary_key=True)
    seen_until: datetime = Field(sa_type=UtcDateTime)  # by `Activity.changed_at`
    whole_at: datetime = Field(sa_type=UtcDateTime)  # when all of them were looked through last
    thresholds: str


@value(frozen=True, slots=True)
class Stranger:
    """An address or number from outside that no contact has, with what was captured of it, in activities.

    `mailed` are mails of ours with the address in To, `ours` those with it anywhere, `theirs` mails from it, `met` meetings held
    with it. Who took part in an activity of a crowd is not counted in these four.
    """

    address: str
    mails: int
    meetings: int
    calls: int
    mailed: int
    ours: int
    theirs: int
    met: int
    first_at: datetime
    last_at: datetime

    def with_tagged(self, other: Stranger) -> Stranger:
        """The two as one person: one of the addresses is the other with a tag."""
        return Stranger(
            self.address,
            self.mails + other.mails,
            self.meetings + other.meetings,
            self.calls + other.calls,
            self.mailed + other.mailed,
            self.ours + other.ours,
            self.theirs + other.theirs,
            self.met + other.met,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
        )
