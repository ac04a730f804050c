"""Rules that were applied: by which of them history is judged, what a change of them changed, and how it is taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime

APPLYING, APPLIED, UNDOING, UNDONE = "applying", "applied", "undoing", "undone"
"""How far a batch is. `applying` and `undoing` were begun and not ended: the same command again goes on."""


class RulesInForce(SQLModel, table=True):
    """By what everything is matched and left out, as the files say it; one row. `batch_id` is the batch that applied it, None
    where it is what was there at the beginning."""

    __tablename__ = "rules_in_force"

    id: int = Field(default=1, primary_key=True)
    matching: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    exclusions: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    batch_id: int | None = None


class RulesBatch(SQLModel, table=True):
    """One change of the rules, applied to the whole history: the rules `before` and `after` it (`matching` and `exclusions`),
    what it was to change when it was begun (`told`), how many activities it did, by whom (None: who runs the service) and
    when."""

    __tablename__ = "rules_batch"

    id: int | None = Field(default=None, primary_key=True)
    state: str  # applying | applied | undoing | undone
    matching_version: int
    exclusions_version: int
    before: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    after: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    told: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    changed: int = 0
    begun_at: datetime = Field(sa_type=UtcDateTime)
    begun_by: int | None = Field(default=None, foreign_key="app_user.id")
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: int | None = Field(default=None, foreign_key="app_user.id")


class RulesChange(SQLModel, table=True):
    """An activity that a batch changed: its links, review or whether it counts, and `reason` which."""

    __tablename__ = "rules_change"
    __table_args__ = ({"sqlite_with_rowid": False},)

    batch_id: int = Field(
        sa_column=Column(Integer, ForeignKey("rules_batch.id"), primary_key=True, autoincrement=False)
    )
    activity_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    change: str  # a key of `workflows.rules_changes`
