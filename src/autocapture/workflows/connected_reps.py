"""Whose channels an account may hold that is nobody's own: those of people who are connected here, asked at every pass.

An organisation's permission reaches everybody's calls. What may be read of it is bounded by who takes part here: an active user
of ours with an account of their own that is not disconnected.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from autocapture.connector import Channel
from autocapture.formats.handles import canonical_email
from autocapture.model.accounts import Account
from autocapture.model.organization import User, UserHandle


def not_connected(session: Session, connector: str, channels: Sequence[Channel]) -> dict[str, str]:
    """Why a channel may not be read, by its id; nothing of those that are nobody's in particular, or of who is connected.
    `connector` is the one that lists them: an account of it makes nobody connected."""
    named = {channel.id: channel.whose for channel in channels if channel.whose}
    if not named:
        return {}
    people = _people(session)
    connected = set(
        session.exec(
            select(Account.user_id).where(
                Account.state != "disconnected",
                Account.connector != connector,
                col(Account.user_id).in_(people.values()),
            )
        )
    )
    active = set(session.exec(select(User.id).where(col(User.active))))
    found: dict[str, str] = {}
    for channel_id, address in named.items():
        user_id = people.get(canonical_email(address))
        if user_id is None:
            found[channel_id] = f"{address} is no address of a user here"
        elif user_id not in active:
            found[channel_id] = f"{address} is disabled here"
        elif user_id not in connected:
            found[channel_id] = f"{address} has connected no account of their own"
    return found


def of_the_connected(session: Session, connector: str, channels: Sequence[Channel]) -> list[Channel]:
    """The channels that may be read."""
    refused = not_connected(session, connector, channels)
    return [channel for channel in channels if channel.id not in refused]


def _people(session: Session) -> dict[str, int]:
    """Users by each address that is theirs."""
    handles = select(UserHandle.value, UserHandle.user_id).where(UserHandle.kind == "email")
    own = {
        canonical_email(email): user_id
        for email, user_id in session.exec(select(User.email, User.id))
        if user_id
    }
    return {**dict(session.exec(handles).all()), **own}
