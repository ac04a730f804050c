"""Of which activities somebody may say what they are about."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, or_, select

from autocapture.model.activities import Activity, Participant, Participation


def is_answerable(people: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    """The conditions that one of these people took part, that it is business, and that nobody was copied on it of whom they must
    not learn: what there is to choose from might tell."""
    mine = aliased(Participation)
    took_part = select(mine.user_id).where(mine.activity_id == Activity.id, col(mine.user_id).in_(people))
    copied = select(Participant.address).where(
        Participant.activity_id == Activity.id,
        Participant.role == "bcc",
        or_(col(Participant.user_id).is_(None), col(Participant.user_id).not_in(people)),
    )
    wrote = took_part.where(mine.role == "sender")
    hidden = and_(copied.correlate(Activity).exists(), ~wrote.correlate(Activity).exists())
    return took_part.correlate(Activity).exists(), col(Activity.business).is_(True), ~hidden
