"""What proves that capture is fresh and whole: subscriptions to a provider's notices, and what was measured of each account."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer
from sqlmodel import Field, SQLModel

from autocapture.model.accounts import LONG_AGO
from autocapture.model.columns import UtcDateTime


class Subscription(SQLModel, table=True):
    """A provider's promise to send notices of one channel, or the wish for one. It lapses at `expires_at`, which costs nothing
    but time: the channel is polled all the same."""

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id", unique=True)
    state: str = "wanted"  # wanted | active | unwatchable (the provider sends no notices of this channel)
    source_id: str = ""  # the provider's name of the subscription
    mark: str = ""  # the connector's own
    notice_key: str = Field(default="", index=True)  # by what a notice names it: source_id, or the mailbox
    secret_hash: str = ""  # SHA-256 of 256 random bits that come back with each notice
    target: str = ""  # where notices are sent
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime = Field(default=LONG_AGO, sa_type=UtcDateTime)  # when it is asked for, or prolonged
    claimed_until: datetime = Field(default=LONG_AGO, sa_type=UtcDateTime)  # by the one worker that asks
    fails: int = 0
    last_error: str | None = None


class Census(SQLModel, table=True):
    """The last count of an account at its source, and when the next one is due. `held` of the `listed` ids have a live row of the
    ledger; `ghosts` are live rows that were not listed."""

    account_id: int = Field(
        sa_column=Column(Integer, ForeignKey("account.id"), primary_key=True, autoincrement=False)
    )
    due_at: datetime = Field(sa_type=UtcDateTime)
    claimed_until: datetime = Field(default=LONG_AGO, sa_type=UtcDateTime)
    counted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    listed: int = 0
    missing: int = 0
    ghosts: int = 0
    last_error: str | None = None


class Stall(SQLModel, table=True):
    """Whether an account stands still although its captures end well. `since` and `why` are set while it is flagged."""

    account_id: int = Field(
        sa_column=Column(Integer, ForeignKey("account.id"), primary_key=True, autoincrement=False)
    )
    sign: str = Field(primary_key=True)  # newest (the server has newer items) | volume (far below its habit)
    checked_at: datetime = Field(sa_type=UtcDateTime)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    why: str | None = None


class Freshness(SQLModel, table=True):
    """How long the live items of one account and day (UTC) took from the provider's time to here: the number of items by
    bucket (`workflows.freshness`)."""

    account_id: int = Field(
        sa_column=Column(Integer, ForeignKey("account.id"), primary_key=True, autoincrement=False)
    )
    day: date = Field(primary_key=True)
    counts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
