"""The texts of mail at capture level *full*: read once a mail is stored and matched, and of nothing that matched nobody. Whoever
autocapture itself created counts for nobody here: that does not widen what is kept.

Of bounces the text is read too. Nothing of it is kept but the addresses that it says are gone for good.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from autocapture.admit.reasons import BOUNCE
from autocapture.connect.vault import Place, Vault
from autocapture.formats.bounce import failures
from autocapture.formats.handles import canonical_email
from autocapture.model.activities import ActivityText, Match, Participant
from autocapture.model.created import COMPANY, CONTACT
from autocapture.model.directory import Organization
from autocapture.model.ledger import CAPTURED, SKIPPED, LedgerEntry
from autocapture.normalize.missed_meeting import said_in_text
from autocapture.store.bulk import in_chunks, upsert
from autocapture.store.created import is_created
from autocapture.store.unreachable import mark_bounced


@dataclass(frozen=True, slots=True)
class TextsDue:
    """The items whose texts are to be read: captured mails with their activities, bounces with the times they were sent."""

    activities: Mapping[str, int] = field(default_factory=dict)
    bounces: Mapping[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.activities or self.bounces)

    @property
    def source_ids(self) -> list[str]:
        return [*self.activities, *self.bounces]


def texts_due(
    session: Session, channel_id: int, source_ids: Sequence[str], changed: Collection[str]
) -> TextsDue:
    """Which of these captured mails are matched (a contact, a company, a deal) and have no text yet, or one that they had
    before they `changed`, each activity once; and which of these items are bounces."""
    entry, activity_id = LedgerEntry, col(LedgerEntry.activity_id)
    matched = or_(
        select(col(Match.activity_id))
        .where(
            col(Match.activity_id) == activity_id,
            or_(col(Match.target) == "deal", ~is_created(COMPANY, col(Match.target_id))),
        )
        .exists(),
        select(col(Participant.activity_id))
        .where(
            col(Participant.activity_id) == activity_id,
            col(Participant.contact_id).is_not(None),
            ~is_created(CONTACT, col(Participant.contact_id)),
        )
        .exists(),
    )
    found: dict[int, str] = {}
    bounces: dict[str, datetime] = {}
    for chunk in in_chunks(source_ids):
        here = (col(entry.channel_id) == channel_id, col(entry.source_id).in_(chunk))
        statement = (
            select(col(entry.source_id), activity_id, col(ActivityText.activity_id))
            .outerjoin(ActivityText, col(ActivityText.activity_id) == activity_id)
            .where(*here, col(entry.outcome) == CAPTURED, activity_id.is_not(None), matched)
        )
        found.update(
            (activity, source_id)
            for source_id, activity, text in session.execute(statement)
            if activity is not None and (text is None or source_id in changed)
        )
        reports = select(col(entry.source_id), col(entry.occurred_at)).where(
            *here, col(entry.outcome) == SKIPPED, col(entry.reason) == BOUNCE
        )
        bounces.update((source_id, at) for source_id, at in session.execute(reports) if at is not None)
    return TextsDue({source_id: activity for activity, source_id in found.items()}, bounces)


def keep_texts(
    session: Session, vault: Vault, organization: Organization, due: TextsDue, texts: Mapping[str, str]
) -> set[int]:
    """Seals and stores the texts, by item, of the activities that are due them, and marks whom bounces say is gone. Gives the
    mails that say of a meeting that somebody missed it, or said so before."""
    said = {
        activity_id: said_in_text(text)
        for source_id, activity_id in due.activities.items()
        if (text := texts.get(source_id))
    }
    before = select(col(ActivityText.activity_id)).where(
        col(ActivityText.activity_id).in_(said), col(ActivityText.remark).is_not(None)
    )
    saying = {*session.scalars(before)} | {key for key, remark in said.items() if remark is not None}
    upsert(
        session,
        ActivityText,
        [
            {
                "activity_id": activity_id,
                "sealed": vault.seal(text.encode(), Place("activity_text", activity_id, "sealed")),
                "remark": said[activity_id],
                "signature_read": False,
            }
            for source_id, activity_id in due.activities.items()
            if (text := texts.get(source_id))
        ],
    )
    mark_bounced(session, _gone(organization, due.bounces, texts))
    return saying


def _gone(
    organization: Organization, bounces: Mapping[str, datetime], texts: Mapping[str, str]
) -> dict[str, tuple[datetime, str]]:
    """The outside addresses that these reports say are gone, with the time of the latest one and its status."""
    found: dict[str, tuple[datetime, str]] = {}
    for source_id, at in sorted(bounces.items(), key=lambda each: each[1]):
        for failure in failures(texts.get(source_id, "")):
            address = canonical_email(failure.recipient)
            if failure.hard and not organization.is_inside(address):
                found[address] = (at, failure.status)
    return found
