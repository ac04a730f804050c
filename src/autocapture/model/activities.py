"""Activities: something between our people and theirs; who took part; what it was matched to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    text,
)
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime


class Activity(SQLModel, table=True):
    """One email, meeting or call, however many mailboxes, calendars or lines saw it.

    `id` is derived from `dedupe_key` (`stable_id`). `status`: a meeting is planned, held, cancelled_by_us,
    cancelled_by_them, no_show or unknown, and `evidence` lists the signs for it (`model.draft.Sign`), the deciding one first; a
    call has its outcome (answered, no_answer, busy, failed, voicemail, unknown); an email has none. `nature`: human, bulk (a
    rep's own mass mailing) or auto. `review` says in one line why no deal was chosen; None when nothing is undecided.
    A call in the slot of a meeting is a part of it: `meeting_id` and `series_id` are that one's, and it is counted with it.
    `remark` is what a mail's subject says of a meeting: missed_it, missed_you. What a person said to be no `business` counts
    nothing, is matched to nothing, and is shown to nobody who did not take part.
    """

    __table_args__ = (
        Index("activity_when", "occurred_at"),
        Index("activity_thread", "thread_id"),
        Index(
            "activity_series",
            "series_id",
            sqlite_where=text("series_id IS NOT NULL"),
            postgresql_where=text("series_id IS NOT NULL"),
        ),
        Index("activity_fingerprint", "fingerprint"),
        Index("activity_changed", "changed_at"),
        Index(
            "activity_review",
            "occurred_at",
            sqlite_where=text("review IS NOT NULL"),
            postgresql_where=text("review IS NOT NULL"),
        ),
        Index(
            "activity_remark",
            "occurred_at",
            sqlite_where=text("remark IS NOT NULL"),
            postgresql_where=text("remark IS NOT NULL"),
        ),
        Index(
            "activity_planned",
            "ends_at",
            sqlite_where=text("status = 'planned'"),
            postgresql_where=text("status = 'planned'"),
        ),
    )

    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    dedupe_key: str
    kind: str  # email | meeting | call
    occurred_at: datetime = Field(sa_type=UtcDateTime)  # sent, begun, dialled
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    duration_s: int | None = None
    direction: str  # inbound | outbound | internal
    nature: str = "human"
    status: str | None = None
    subject: str | None = None
    external: bool = True  # at least one party from outside takes part
    thread_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    series_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    fingerprint: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    booked_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # a meeting's invitation, first seen or sent
    moved_count: int = 0
    evidence: list[dict[str, Any]] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True), nullable=True)
    )
    meeting_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    remark: str | None = None
    deal_key: str | None = None  # a key in the CRM that a header of ours gives
    review: str | None = None
    business: bool = True
    known_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class ActivityText(SQLModel, table=True):
    """The sealed text of an activity at capture level *full*, and what it says of a meeting, as `Activity.remark`.
    `signature_read`: what its signature tells is known already."""

    __tablename__ = "activity_text"
    __table_args__ = (
        Index(
            "activity_text_remark",
            "activity_id",
            sqlite_where=text("remark IS NOT NULL"),
            postgresql_where=text("remark IS NOT NULL"),
        ),
        Index(
            "activity_text_unread",
            "activity_id",
            sqlite_where=text("NOT signature_read"),
            postgresql_where=text("NOT signature_read"),
        ),
    )

    activity_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("activity.id"), primary_key=True, autoincrement=False)
    )
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    remark: str | None = None
    signature_read: bool = False


class Participant(SQLModel, table=True):
    """One party in one role: from, to, cc, bcc, organizer, attendee, caller, callee. `address` is a canonical handle."""

    __table_args__ = (
        # found by their address are people from outside; ours are in every activity, and would be half of the index
        Index(
            "participant_address",
            "address",
            sqlite_where=text("user_id IS NULL"),
            postgresql_where=text("user_id IS NULL"),
        ),
        Index(
            "participant_contact",
            "contact_id",
            sqlite_where=text("contact_id IS NOT NULL"),
            postgresql_where=text("contact_id IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    activity_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("activity.id"), primary_key=True, autoincrement=False)
    )
    role: str = Field(sa_column=Column(String, primary_key=True))
    address: str = Field(sa_column=Column(String, primary_key=True))
    name: str = ""
    response: str | None = None
    user_id: int | None = Field(default=None, foreign_key="app_user.id")
    contact_id: int | None = Field(default=None, foreign_key="contact.id")
    resource: bool = False  # a room or equipment


class Participation(SQLModel, table=True):
    """What an activity counts for one of our people, on that person's own local day (METRICS R6, R10).

    `role`: sender, recipient, copied, organizer, attendee, caller, callee. `counts` is False where the person merely saw it
    (copied, declined, a list). `share` is 1/k over the k users for whom it counts, for the credit view.
    """

    __table_args__ = (
        Index("participation_activity", "activity_id"),
        {"sqlite_with_rowid": False},
    )

    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    )
    local_date: date = Field(sa_column=Column(Date, primary_key=True))
    activity_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("activity.id"), primary_key=True, autoincrement=False)
    )
    role: str
    counts: bool = True
    share: float = 1.0
    booked_date: date | None = None  # the person's local day of `booked_at`


class Match(SQLModel, table=True):
    """A link from an activity to a company or a deal, with its weight and its reasons. Weights on deals sum to at most 1."""

    __table_args__ = (
        Index("match_target", "target", "target_id"),
        {"sqlite_with_rowid": False},
    )

    activity_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("activity.id"), primary_key=True, autoincrement=False)
    )
    target: str = Field(sa_column=Column(String, primary_key=True))  # company | deal
    target_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    weight: float = 1.0
    method: str  # contact | domain | thread | series | only_live_deal | ...
    evidence: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    rule_version: int = 1  # of the matching rules


class ThreadKey(SQLModel, table=True):
    """A Message-ID (its `stable_id`) that belongs to a thread: of a captured message, or only referenced so far.

    `thread_id` is the smallest key of the connected set, so the order of arrival does not matter.
    """

    __tablename__ = "thread_key"
    __table_args__ = (Index("thread_key_thread", "thread_id"),)

    key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    thread_id: int = Field(sa_column=Column(BigInteger, nullable=False))


class ActivityAlias(SQLModel, table=True):
    """A second identity of an activity: a copy whose Message-ID was rewritten on the way. `key` is its `stable_id`."""

    __tablename__ = "activity_alias"

    key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    activity_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("activity.id"), nullable=False, index=True)
    )


class CalendarItem(SQLModel, table=True):
    """A calendar resource as one calendar holds it: the source from which its meetings are derived, again and again."""

    __tablename__ = "calendar_item"
    __table_args__ = (Index("calendar_item_series", "series_id"), {"sqlite_with_rowid": False})

    channel_id: int = Field(
        sa_column=Column(Integer, ForeignKey("channel.id"), primary_key=True, autoincrement=False)
    )
    source_id: str = Field(sa_column=Column(String, primary_key=True))
    series_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    data: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False)
    )  # the EventRecord, without what must not be kept
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
