"""Corrections: what people said about activities, and how matching reads it.

The log is append-only. A correction names nothing by a row that capture or an import might remove: activities and threads by
the keys that the same mail, meeting or call has again whenever it is captured, deals and contacts by their keys in the CRM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import JSON, BigInteger, Column, Index, Integer
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime
from autocapture.values import value

Said = Literal["deal", "no_deal", "person", "not_business"]
Scope = Literal["item", "thread", "person", "domain"]

UNDO = "undo"
"""What a row says that takes another one back."""


class Correction(SQLModel, table=True):
    """One sentence of one of our people: what an activity is about (a deal, no deal), who somebody in it is, or that it is no
    business of ours; or the undoing of another row.

    It is said of one activity, and holds for it whatever the `scope`. Wider ones hold besides for those activities of `for_users`
    that are of its thread or series, with the person, or with the domain: a deal, or none, from `since` on and until the deal
    closes; who somebody is, and what is no business, always. `match.locks` says which of several holds.
    """

    __table_args__ = (
        Index("correction_activity", "activity_id"),
        Index("correction_thread", "thread_key"),
        Index("correction_handle", "handle"),
        Index("correction_contact", "contact"),
        Index("correction_domain", "domain"),
        Index("correction_undoes", "undoes", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    made_at: datetime = Field(sa_type=UtcDateTime)
    made_by: int = Field(foreign_key="app_user.id")
    said: str  # deal | no_deal | person | not_business | undo
    scope: str = "item"  # item | thread | person | domain
    activity_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    thread_key: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=True)
    )  # a key of the thread (`ThreadKey`), or the series; of scope thread
    handle: str | None = None  # whose person is said, or the person of the scope
    contact: str | None = None  # who `handle` is, as a key in the CRM; None: nobody there
    domain: str | None = None  # of scope domain
    deal: str | None = None  # its key in the CRM
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    for_users: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    undoes: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    found: dict[str, float] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True), nullable=True)
    )  # the deals on which matching had put the activity by itself: keys in the CRM, with their weights
    asked: bool = False  # whether it answers a spot check, or was said of what one would have asked about


@value(frozen=True, slots=True)
class Lock:
    """A correction that stands, in ids of today: `activity_id` is that of the activity it was said of.

    `deal_id` and `contact_id` are None where the correction names none, or one that the CRM no longer has.
    """

    correction_id: int
    said: str
    scope: str
    activity_id: int
    for_users: frozenset[int] = frozenset()
    since: datetime | None = None
    handle: str | None = None
    deal_id: int | None = None
    contact_id: int | None = None
    company_id: int | None = None
    """Of the contact."""
    is_lost: bool = False
    """Whether it names a deal or contact that the CRM no longer has: then it says nothing."""


@dataclass(frozen=True, slots=True)
class Locks:
    """The corrections that may hold for the activities of one batch, by what they were found by."""

    of_activity: Mapping[int, tuple[Lock, ...]] = field(default_factory=dict)
    """What was said of the activity itself, of its thread or of its series."""
    of_handle: Mapping[str, tuple[Lock, ...]] = field(default_factory=dict)
    of_contact: Mapping[int, tuple[Lock, ...]] = field(default_factory=dict)
    of_domain: Mapping[str, tuple[Lock, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.of_activity, self.of_handle, self.of_contact, self.of_domain))

    def __iter__(self) -> Iterator[Lock]:
        for found in (self.of_activity, self.of_handle, self.of_contact, self.of_domain):
            for locks in found.values():
                yield from locks


NO_LOCKS = Locks()
