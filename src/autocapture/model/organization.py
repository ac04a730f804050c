"""Our own people: users, the handles by which they are known, teams and who belonged to them when."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Column, String
from sqlmodel import Field, SQLModel

ROLES = ("rep", "manager", "ops", "admin")


class Team(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class User(SQLModel, table=True):
    """A person of this organisation. `email` is lower-case and names the user in commands, files and links."""

    __tablename__ = "app_user"  # `user` is a reserved word in PostgreSQL

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str
    role: str = "rep"
    manager_id: int | None = Field(default=None, foreign_key="app_user.id")
    time_zone: str = "UTC"
    locale: str = "en"
    active: bool = True


class UserHandle(SQLModel, table=True):
    """One address or number of a user: `kind` is email or phone; `value` is canonical (lower case; E.164 or an extension)."""

    __tablename__ = "user_handle"

    kind: str = Field(sa_column=Column(String, primary_key=True))
    value: str = Field(sa_column=Column(String, primary_key=True))
    user_id: int = Field(foreign_key="app_user.id", index=True)


class Membership(SQLModel, table=True):
    """A user's time in a team; dates inclusive, `valid_to` None while it lasts."""

    user_id: int = Field(foreign_key="app_user.id", primary_key=True)
    team_id: int = Field(foreign_key="team.id", primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_to: date | None = None
