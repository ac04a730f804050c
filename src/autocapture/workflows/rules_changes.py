"""What other rules would change: one batch of stored activities after the other, compared with how they are matched now."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from autocapture.model.accounts import Account
from autocapture.model.activities import Activity
from autocapture.model.directory import Organization
from autocapture.model.draft import Matched
from autocapture.model.sign_in import AuditEntry
from autocapture.store.activities import Stored
from autocapture.store.bulk import in_chunks
from autocapture.workflows.audit import SCOPE_CHANGED
from autocapture.workflows.kept_out import is_kept_out
from autocapture.workflows.matching import differing
from autocapture.workflows.own_words import with_text

Progress = Callable[[int, int], None]
"""Is told how many of how many threads and series are done."""

EXCLUDED, BACK = "excluded", "back"
OTHER_DEAL, ON_DEAL, OFF_DEAL, SHARES = "other_deal", "on_deal", "off_deal", "shares"
OTHER_COMPANY, OTHER_PERSON, ASKED, NOT_ASKED, GROUNDS = (
    "other_company",
    "other_person",
    "asked",
    "not_asked",
    "grounds",
)
CHANGES: Mapping[str, str] = {
    EXCLUDED: "set aside, as the never-log list says",
    BACK: "back, since the never-log list no longer says so",
    OTHER_DEAL: "on another deal",
    ON_DEAL: "on a deal, before on none",
    OFF_DEAL: "on no deal any more",
    SHARES: "shared otherwise between the same deals",
    OTHER_COMPANY: "with another company",
    OTHER_PERSON: "with another person",
    ASKED: "asked about in the review",
    NOT_ASKED: "no longer asked about",
    GROUNDS: "the same, on other grounds",
}
"""Each change and how it is told, in the order in which they are."""

_OF_TEXT = frozenset({"words", "own words", "number", "key", "another product"})
HEADS_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Compared:
    """One batch: those that change, with how they are matched then, and what changes of them; `left`: links that rest on texts
    that are not kept any more, which stay as they are; `spoken_for`: named by the never-log list, but somebody said what they
    are about."""

    looked_at: int
    changed: tuple[tuple[Stored, Matched, str], ...]
    left: tuple[int, ...]
    spoken_for: tuple[int, ...]


def heads(session: Session) -> array[int]:
    """An activity of each thread and series, and each that has neither."""
    group = func.coalesce(col(Activity.thread_id), col(Activity.series_id), col(Activity.id))
    found = select(func.min(col(Activity.id))).group_by(group)
    return array("q", sorted(row[0] for row in session.connection().execute(found)))


def batches(found: Sequence[int], progress: Progress) -> Iterator[Sequence[int]]:
    """The heads, so many at once; `progress` is told of each batch that is done."""
    for number, chunk in enumerate(in_chunks(found, HEADS_AT_ONCE), 1):
        yield chunk
        progress(min(len(found), number * HEADS_AT_ONCE), len(found))


def compared(session: Session, before: Organization, after: Organization, ids: Sequence[int]) -> Compared:
    """What of these, with their threads and series, is matched otherwise by the rules `after`. Nothing is written."""
    members, found = differing(session, after, ids)
    left = _resting_on_lost_texts(session, before, members, found) if found else frozenset()
    changed = tuple(
        (item, matched, change_of(item.matched, matched))
        for item, matched in found
        if item.activity_id not in left
    )
    spoken_for = tuple(
        item.activity_id
        for item in members.values()
        if item.matched.business
        and is_kept_out(item.draft, after)
        and item.activity_id not in {each.activity_id for each, matched, _ in changed if not matched.business}
    )
    return Compared(len(members), changed, tuple(sorted(left)), spoken_for)


def change_of(before: Matched, after: Matched) -> str:
    """The most that changes, as a key of `CHANGES`."""
    if before.business != after.business:
        return BACK if after.business else EXCLUDED
    was, now = _deals(before), _deals(after)
    if was.keys() != now.keys():
        return ON_DEAL if not was else OFF_DEAL if not now else OTHER_DEAL
    if any(abs(was[deal] - now[deal]) > 1e-9 for deal in was):
        return SHARES
    if _companies(before) != _companies(after):
        return OTHER_COMPANY
    if _contacts(before) != _contacts(after):
        return OTHER_PERSON
    if (before.review is None) != (after.review is None):
        return ASKED if after.review is not None else NOT_ASKED
    return GROUNDS


def may_move_numbers(before: Matched, after: Matched) -> bool:
    """Whether a metric could count it otherwise: none looks at the deal of an activity, so that nobody's numbers depend on a
    guess."""
    return (
        before.business != after.business
        or _contacts(before) != _contacts(after)
        or _companies(before) != _companies(after)
    )


def _resting_on_lost_texts(
    session: Session,
    before: Organization,
    members: Mapping[int, Stored],
    found: Sequence[tuple[Stored, Matched]],
) -> frozenset[int]:
    """Those that the rules in force would not match as they are matched either: what was said in a text decided, and of a mail of
    their thread no text is kept."""
    said = [item for item, _ in found if _by_what_was_said(item.matched)]
    groups = {_group(item) for item in said}
    mails = [
        item.activity_id for item in members.values() if item.draft.kind == "email" and _group(item) in groups
    ]
    kept = with_text(session, mails)
    without = {_group(members[each]) for each in mails if each not in kept}
    doubtful = [item.activity_id for item in said if _group(item) in without]
    if not doubtful or not _texts_were_kept(session):
        return frozenset()
    _, also_now = differing(session, before, doubtful)
    return frozenset(
        item.activity_id
        for item, matched in also_now
        if item.activity_id in set(doubtful) and change_of(item.matched, matched) != GROUNDS
    )


def _texts_were_kept(session: Session) -> bool:
    """Whether an account keeps texts, or did before its owner chose less."""
    now = select(col(Account.id)).where(col(Account.capture_level) == "full")
    before = select(col(AuditEntry.id)).where(
        col(AuditEntry.action) == SCOPE_CHANGED, col(AuditEntry.detail).contains("full to ")
    )
    return any(session.connection().execute(found.limit(1)).first() is not None for found in (now, before))


def _by_what_was_said(matched: Matched) -> bool:
    return any(
        link.target == "deal" and not _OF_TEXT.isdisjoint(link.evidence.get("weights", {}))
        for link in matched.links
    )


def _group(item: Stored) -> int:
    return item.thread_id or item.series_id or item.activity_id


def _deals(matched: Matched) -> dict[int, float]:
    return {link.target_id: link.weight for link in matched.links if link.target == "deal"}


def _companies(matched: Matched) -> frozenset[int]:
    return frozenset(link.target_id for link in matched.links if link.target == "company")


def _contacts(matched: Matched) -> dict[tuple[str, str], int | None]:
    return {(party.role, party.address): party.contact_id for party in matched.parties}
