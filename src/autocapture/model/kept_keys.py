"""Keys that what is stored depends on for good, sealed like any other secret."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel


class KeptKey(SQLModel, table=True):
    """A key for one purpose, such as the keyed hash in the ledger. It stays when the vault's key is rotated."""

    __tablename__ = "kept_key"

    purpose: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
