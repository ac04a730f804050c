"""Connected accounts, their channels and their sealed credentials.

What an account is doing is derived from timestamps; only `pending` (its owner has not said yet what is to be captured),
`needs_reconnect`, `paused` and `disconnected` are stored as states, so nothing can be stuck. The lease lives on the account: it
serialises all work on one login and fences writers that slept through it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Account(SQLModel, table=True):
    """One person's authorised login at one provider, or one set of files."""

    __table_args__ = (UniqueConstraint("user_id", "connector", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    connector: str
    subject: str  # what the provider calls the login; with user and connector it is the account's identity
    address: str = ""  # the mailbox as people call it, where it has an address
    options: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    state: str = "active"  # active | pending | needs_reconnect | paused | disconnected
    why: str | None = None  # one line for the rep, when not active
    capture_level: str = "subject"  # metadata | subject | full
    since: date | None = None  # the backfill's bound; None: everything
    kept_since: date | None = None  # the bound before it, where what was captured under that one is kept
    left_out: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    # the channels, by the provider's ids, that its owner does not want captured
    counted: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    # how much there is, as it was counted for the owner
    throttle_until: datetime = Field(default=LONG_AGO, sa_type=UtcDateTime)  # asked for less, or out of reach
    fails: int = 0  # runs in a row that could not reach the provider
    lease_owner: str | None = None
    lease_until: datetime = Field(default=LONG_AGO, sa_type=UtcDateTime)
    lease_no: int = 0  # the fencing number: every claim raises it, every page commit checks it
    created_at: datetime = Field(sa_type=UtcDateTime)


class Channel(SQLModel, table=True):
    """A folder, calendar or call log with its cursor. Due when `wake_at` has passed and the account is free."""

    __table_args__ = (UniqueConstraint("account_id", "source_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    source_id: str
    kind: str  # email | event | call
    name: str
    enabled: bool = True
    cursor: str | None = None
    generation: int = 0  # raised when a new run of pages begins; a complete one sweeps what is older
    mid_run: bool = False  # the last stored page said that more follows: the generation goes on
    backfilled: bool = False  # an enumeration has completed at least once
    reread: bool = False  # until an enumeration completes, what is held already is read and judged again
    sweep_doubt: int = 0  # completed enumerations in a row that would have removed suspiciously much
    wake_at: datetime = Field(default=LONG_AGO, sa_type=UtcDateTime)
    last_ok_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
    newest_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # of the newest item, as the provider says


class Credential(SQLModel, table=True):
    """A sealed user name and password, or a sealed grant. `sealed` is the vault's framing; nothing in it is readable without
    the key."""

    account_id: int = Field(foreign_key="account.id", primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: datetime = Field(sa_type=UtcDateTime)  # when somebody connected, not when a token was renewed
    renewing_until: datetime = Field(
        default=LONG_AGO, sa_type=UtcDateTime
    )  # one process at a time renews a grant
