"""The ledger: one row for every item ever seen in a channel, whatever became of it. And the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, text
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime

CAPTURED, SKIPPED, QUARANTINED = "captured", "skipped", "quarantined"

ASKED_AGAIN = "to be read again"
"""The reason of a captured item that did not change, but whose activity another item tells otherwise than it did."""

TEXT_UNREAD = "its text could not be read yet"
"""The reason of a captured item over whose text the connection broke; it is read again when its time comes."""


class LedgerEntry(SQLModel, table=True):
    """What became of one item of one channel; updated in place, never deleted while the account exists.

    A captured email or call names its activity; a captured calendar item names its series (`series_id` of the meetings it
    gave rise to). A skipped item keeps no content: its reason, the rule, and a keyed hash of its Message-ID. `gone_at` is
    set when the item left the channel; what was counted stays counted.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ledger_activity", "activity_id", sqlite_where=text("activity_id IS NOT NULL")),
        Index("ledger_series", "series_id", sqlite_where=text("series_id IS NOT NULL")),
        Index("ledger_outcome", "outcome", "reason"),
        {"sqlite_with_rowid": False},
    )

    channel_id: int = Field(
        sa_column=Column(Integer, ForeignKey("channel.id"), primary_key=True, autoincrement=False)
    )
    source_id: str = Field(sa_column=Column(String, primary_key=True))
    outcome: str
    reason: str | None = None  # of admission, of quarantine, or ASKED_AGAIN; one line without content
    rule: str | None = None  # name@version of the rule that decided
    version: str | None = None
    generation: int
    activity_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    series_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    message_hash: str | None = None
    occurred_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = 0  # reads of a quarantined item
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OutboxEntry(SQLModel, table=True):
    """An activity whose present form a CRM has not been told of yet: at most one row an activity.

    Written in the transaction that changes the activity. `version` counts its changes; `pushed_version` trails it.
    """

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_with_rowid": False},)

    activity_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    version: int = 1
    pushed_version: int = 0
    queued_at: datetime = Field(sa_type=UtcDateTime)
