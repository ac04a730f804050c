"""What was told and answered about connecting: notices of logins that died, and the consent of an organisation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from autocapture.model.columns import UtcDateTime


class ReconnectNotice(SQLModel, table=True):
    """One mail to the owner of an account that must be connected again: the unique row decides that each connecting, told by its
    time, is mailed about once when it dies.

    Of an account that its organisation granted, also that whoever runs the service is told: `state` is due or told,
    `connected_at` the last good capture, and `error` what is wrong."""

    __tablename__ = "reconnect_notice"
    __table_args__ = (UniqueConstraint("account_id", "connected_at"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    connected_at: datetime = Field(sa_type=UtcDateTime)
    state: str  # sending | sent | failed | unknown
    first_tried_at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    error: str | None = None


class OrganizationConsent(SQLModel, table=True):
    """What a provider answered when an administrator was last asked to consent for the whole organisation."""

    __tablename__ = "organization_consent"

    provider: str = Field(primary_key=True)
    answered_at: datetime = Field(sa_type=UtcDateTime)
    given: bool
    tenant: str = ""
    scopes: str = ""  # separated by spaces, as the provider wrote them
    error: str = ""
