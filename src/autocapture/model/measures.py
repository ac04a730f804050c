"""What is counted: quotas, daily rollups with their dirty cells, and published summaries with their deliveries."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from autocapture.model.columns import DecimalText, UtcDateTime


class Quota(SQLModel, table=True):
    """A target: metric × scope × dates (inclusive). `scope` is a user's email, a team's name, or empty for the company."""

    __table_args__ = (UniqueConstraint("metric", "scope_type", "scope", "period_start", "period_end"),)

    id: int | None = Field(default=None, primary_key=True)
    metric: str
    scope_type: str  # user | team | company
    scope: str = ""
    period_start: date
    period_end: date
    value: Decimal = Field(sa_type=DecimalText)
    currency: str | None = None


class MetricDay(SQLModel, table=True):
    """The rollup: additive parts of one metric for one user on one local day. Its key begins as a dirty cell does.

    What counts for other users too, who have it in cells of their own, stands apart (`shared`): a team counts it once.
    """

    __tablename__ = "metric_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    )
    local_date: date = Field(sa_column=Column(Date, primary_key=True))
    metric: str = Field(sa_column=Column(String, primary_key=True))
    currency: str = Field(default="", sa_column=Column(String, primary_key=True))
    shared: bool = Field(default=False, sa_column=Column(Boolean, primary_key=True))
    total: int = Field(sa_column=Column(BigInteger, nullable=False))  # count, or minor units, or seconds
    n: int


class DirtyCell(SQLModel, table=True):
    """A user's local day whose rollup must be computed anew; written in the transaction that changed a row of it."""

    __tablename__ = "dirty_cell"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    )
    local_date: date = Field(sa_column=Column(Date, primary_key=True))


class RollupDefinition(SQLModel, table=True):
    """By which definition the rollup of a metric was computed: under another one it is not believed."""

    __tablename__ = "rollup_definition"

    metric: str = Field(primary_key=True)
    fingerprint: str


class Publication(SQLModel, table=True):
    """A weekly summary as it was told: one a team and ISO week, immutable. `data` is the summary as data."""

    __table_args__ = (UniqueConstraint("team_id", "week"),)

    id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id")
    week: str  # 2026-W46
    as_of: datetime = Field(sa_type=UtcDateTime)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class PublishedValue(SQLModel, table=True):
    """One number of a publication: how it was computed, and the hash of the rows it was counted from."""

    __tablename__ = "published_value"
    __table_args__ = (UniqueConstraint("publication_id", "metric", "cell"),)

    id: int | None = Field(default=None, primary_key=True)
    publication_id: int = Field(foreign_key="publication.id", index=True)
    metric: str
    cell: str  # the slice, canonical: period and dimensions
    fingerprint: str
    value: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    n: int
    row_hash: str


class Adjustment(SQLModel, table=True):
    """A published number that what was learned since makes another one: what it would have been told as. Rows are only added; the
    next one of the same number begins where the last one ended."""

    __table_args__ = (Index("adjustment_publication", "publication_id", "metric", "cell"),)

    id: int | None = Field(default=None, primary_key=True)
    publication_id: int = Field(foreign_key="publication.id")
    metric: str
    cell: str
    before: str | None = None
    after: str | None = None
    currency: str | None = None
    causes: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))  # `report.causes`
    found_at: datetime = Field(sa_type=UtcDateTime)


class DuePublication(SQLModel, table=True):
    """A published summary of whose rows some changed: its numbers are to be compared with what is known now."""

    __tablename__ = "due_publication"

    publication_id: int = Field(
        sa_column=Column(Integer, ForeignKey("publication.id"), primary_key=True, autoincrement=False)
    )
    since: datetime = Field(sa_type=UtcDateTime)


class Delivery(SQLModel, table=True):
    """One mail of one publication to one recipient: the unique row decides that it is sent once."""

    __table_args__ = (UniqueConstraint("publication_id", "recipient"),)

    id: int | None = Field(default=None, primary_key=True)
    publication_id: int = Field(foreign_key="publication.id")
    recipient: str
    state: str  # sending | sent | failed | unknown
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str | None = None
