"""Who may sign in and how, who is signed in, and what became of it. No table here holds a secret that could be used as it is:
passwords are argon2id hashes, links and sessions the SHA-256 of 256 random bits, and the verifier of a question to a provider
is of no use without the code that answers it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, String
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime


class Password(SQLModel, table=True):
    """A local password, as the encoded hash that argon2 (RFC 9106) makes; parameters and salt are in it."""

    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    )
    hash: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Identity(SQLModel, table=True):
    """A person at an OpenID provider: the issuer and its unchanging name of the subject, which are never reassigned."""

    issuer: str = Field(sa_column=Column(String, primary_key=True))
    subject: str = Field(sa_column=Column(String, primary_key=True))
    user_id: int = Field(foreign_key="app_user.id", index=True)
    bound_at: datetime = Field(sa_type=UtcDateTime)


class SignInLink(SQLModel, table=True):
    """A link that lets one person choose how to sign in, once: an invitation, or a new password for a forgotten one."""

    __tablename__ = "sign_in_link"

    token_hash: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    purpose: str  # invitation | reset
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class InvitationMail(SQLModel, table=True):
    """The invitation that somebody is to be mailed, or was last: one for each person. Its link is made when it is sent."""

    __tablename__ = "invitation_mail"

    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    )
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: int | None = Field(default=None, foreign_key="app_user.id")
    state: str  # waiting | sending | sent | failed | unknown
    due_at: datetime = Field(
        sa_type=UtcDateTime
    )  # when it is to be sent; while it is being sent: when that is given up
    error: str | None = None


class WebSession(SQLModel, table=True):
    """Somebody signed in, in one browser. It holds while the person's role is what it was, and ends with the row."""

    __tablename__ = "web_session"

    id_hash: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    role: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class AskedConsent(SQLModel, table=True):
    """A question sent to a provider with somebody's browser (`connect.oauth.Asked`), until its one answer comes from the same
    browser. `about` is what it was asked for, in ids of our own."""

    __tablename__ = "asked_consent"

    state_hash: str = Field(primary_key=True)
    browser_hash: str
    provider: str
    redirect_uri: str
    scopes: str  # separated by spaces
    nonce: str
    verifier: str
    about: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    expires_at: datetime = Field(index=True, sa_type=UtcDateTime)


class TryBucket(SQLModel, table=True):
    """How many more tries there are: `tokens` at the time `at`, refilled since. `key` is the hash of whom it slows down."""

    __tablename__ = "try_bucket"

    key: str = Field(primary_key=True)
    tokens: float = Field(sa_column=Column(Float, nullable=False))
    at: datetime = Field(sa_type=UtcDateTime)


class AuditEntry(SQLModel, table=True):
    """Something that was done about access: by whom (None: the command line, or nobody known), to whom. Never changed;
    refusals are swept away one day."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True, sa_type=UtcDateTime)
    action: str
    actor_id: int | None = Field(default=None, foreign_key="app_user.id")
    user_id: int | None = Field(default=None, foreign_key="app_user.id")
    detail: str = ""  # words of our own, such as "rep to admin"
