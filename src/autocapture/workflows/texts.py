"""The texts of mail at capture level *full*: read once a mail is stored and matched, and of nothing that matched nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import or_, select
from sqlmodel import Session, col

from autocapture.connect.vault import Place, Vault
from autocapture.model.activities import ActivityText, Match, Participant
from autocapture.model.ledger import CAPTURED, LedgerEntry
from autocapture.store.bulk import in_chunks, upsert


def texts_due(
    session: Session, channel_id: int, source_ids: Sequence[str], changed: Collection[str]
) -> dict[str, int]:
    """Which of these captured mails are matched (a contact, a company, a deal) and have no text yet, or one that they had
    before they `changed`; with their activities, each once."""
    entry, activity_id = LedgerEntry, col(LedgerEntry.activity_id)
    matched = or_(
        select(col(Match.activity_id)).where(col(Match.activity_id) == activity_id).exists(),
        select(col(Participant.activity_id))
        .where(col(Participant.activity_id) == activity_id, col(Participant.contact_id).is_not(None))
        .exists(),
    )
    found: dict[int, str] = {}
    for chunk in in_chunks(source_ids):
        statement = (
            select(col(entry.source_id), activity_id, col(ActivityText.activity_id))
            .outerjoin(ActivityText, col(ActivityText.activity_id) == activity_id)
            .where(col(entry.channel_id) == channel_id, col(entry.source_id).in_(chunk))
            .where(col(entry.outcome) == CAPTURED, activity_id.is_not(None), matched)
        )
        found.update(
            (activity, source_id)
            for source_id, activity, text in session.execute(statement)
            if activity is not None and (text is None or source_id in changed)
        )
    return {source_id: activity for activity, source_id in found.items()}


def keep_texts(session: Session, vault: Vault, due: Mapping[str, int], texts: Mapping[str, str]) -> None:
    """Seals and stores the texts, by item, of the activities that are due them."""
    upsert(
        session,
        ActivityText,
        [
            {
                "activity_id": activity_id,
                "sealed": vault.seal(text.encode(), Place("activity_text", activity_id, "sealed")),
            }
            for source_id, activity_id in due.items()
            if (text := texts.get(source_id))
        ],
    )
