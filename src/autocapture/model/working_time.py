"""When our people work: hours of the week from a day on, and days on which they are away."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from autocapture.model.columns import DecimalText


class WorkingHours(SQLModel, table=True):
    """The week that somebody works from `valid_from` on, until a later row; the organisation's own where `user_id` is None, for
    all who have none.

    `week` has the hours of each day from Monday on, separated by `;`: ``09:00-12:30 13:00-17:00;09:00-17:00;;;;;``, on the wall
    clock where the person is. `holidays` is the place whose public holidays are free (``NL``, ``DE-BY``), ``none``, or None: by
    the person's locale.
    """

    __tablename__ = "working_hours"
    __table_args__ = (
        UniqueConstraint("user_id", "valid_from"),
        Index(
            "working_hours_of_all",
            "valid_from",
            unique=True,
            sqlite_where=text("user_id IS NULL"),
            postgresql_where=text("user_id IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: int | None = Field(default=None, foreign_key="app_user.id")
    valid_from: date
    week: str
    holidays: str | None = None


class Absence(SQLModel, table=True):
    """Days on which somebody is away, both included; `share` of each of them, 1 for whole days. Nobody stores why."""

    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    )
    starts_on: date = Field(sa_column=Column(Date, primary_key=True))
    ends_on: date
    share: Decimal = Field(default=Decimal(1), sa_type=DecimalText)
