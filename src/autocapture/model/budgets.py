"""What was spent of the providers' rate limits, shared by all workers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class RateBucket(SQLModel, table=True):
    """The units spent within one limit's window, for one account or for a whole project."""

    __tablename__ = "rate_bucket"

    name: str = Field(primary_key=True)  # gmail/account/12, gmail/project
    spent: list[Any] = Field(
        sa_column=Column(JSON, nullable=False)
    )  # [seconds since 1970, units], oldest first
