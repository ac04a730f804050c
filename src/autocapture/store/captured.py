"""Which accounts are captured: the active ones of people who were not disabled."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import col

from autocapture.model.accounts import Account
from autocapture.model.organization import User


def is_captured() -> ColumnElement[bool]:
    """The condition that an account is captured. Beside a disabled owner its state stays as it is, so that it goes on where it
    was once they are enabled again."""
    return and_(col(Account.state) == "active", of_somebody_active())


def of_somebody_active() -> ColumnElement[bool]:
    """The condition that an account's owner was not disabled."""
    return (
        select(col(User.id))
        .where(col(User.id) == col(Account.user_id), col(User.active))
        .correlate(Account)
        .exists()
    )
