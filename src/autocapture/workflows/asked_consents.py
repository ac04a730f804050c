"""Questions sent to a provider with somebody's browser. An answer is good once, for ten minutes, from that browser alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete

from autocapture.connect.oauth import Asked
from autocapture.model.sign_in import AskedConsent
from autocapture.workflows.sign_in_sessions import fingerprint

ANSWER_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Awaited:
    """The question that an answer belongs to, and what it was asked for."""

    asked: Asked
    about: Mapping[str, Any]


def keep(
    session: Session, asked: Asked, *, provider: str, browser_id: str, about: Mapping[str, Any], now: datetime
) -> None:
    """Keeps a question until its answer comes. `about` holds ids of our own. What was never answered is swept away."""
    session.exec(delete(AskedConsent).where(col(AskedConsent.expires_at) <= now))
    session.add(
        AskedConsent(
            state_hash=fingerprint(asked.state),
            browser_hash=fingerprint(browser_id),
            provider=provider,
            redirect_uri=asked.redirect_uri,
            scopes=" ".join(asked.scopes),
            nonce=asked.nonce,
            verifier=asked.verifier,
            about=dict(about),
            expires_at=now + ANSWER_WITHIN,
        )
    )


def take(session: Session, state: str, *, provider: str, browser_id: str, now: datetime) -> Awaited | None:
    """The question that `state` answers, in a writing transaction; from then on it is answered. None for one that was never
    asked, or of another browser or another provider, or too long ago, or that was answered already."""
    answered = (
        delete(AskedConsent)
        .where(
            col(AskedConsent.state_hash) == fingerprint(state),
            col(AskedConsent.browser_hash) == fingerprint(browser_id),
            col(AskedConsent.provider) == provider,
            col(AskedConsent.expires_at) > now,
        )
        .returning(AskedConsent)
    )
    row = session.scalars(answered).first()
    if row is None:
        return None
    asked = Asked("", row.redirect_uri, tuple(row.scopes.split()), state, row.nonce, row.verifier)
    return Awaited(asked, row.about)
