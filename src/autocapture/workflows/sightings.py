"""Items that were read again: what they say now replaces what they said, and what none of them says any longer is removed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlmodel import Session

from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.sightings import captured_as, follow, sightings
from autocapture.workflows.staging import Scope, Staged


def told_anew(session: Session, stored: Collection[int], staged: Sequence[Staged], scope: Scope) -> set[int]:
    """Those of these stored activities that no other item than those of this page ever showed: they are as the page tells
    them, and nothing of their old form stays."""
    if not stored:
        return set()
    here = {(scope.channel_id, item.entry.source_id) for item in staged}
    return {
        activity_id
        for activity_id, seen in sightings(session, stored).items()
        if all((each.channel_id, each.source_id) in here for each in seen)
    }


def withdraw(
    session: Session, asked: Sequence[Staged], staged: Sequence[Staged], scope: Scope
) -> list[Stored]:
    """Removes the activities as which the items `asked` were captured before, where no live item shows them any longer: the
    item is not admitted now (it turned private, an exclusion names it), or became another activity.

    `staged` is the whole page, its activities already named. Gives what was removed.
    """
    before = captured_as(session, scope.channel_id, [item.entry.source_id for item in asked])
    if not before:
        return []
    claimed = {item.entry.activity_id for item in staged}
    last = {
        before[item.entry.source_id]: item.entry
        for item in asked
        if before.get(item.entry.source_id) not in {None, *claimed}
    }
    if not last:
        return []
    here = {(scope.channel_id, item.entry.source_id) for item in staged}
    seen = sightings(session, last)
    lost = [
        activity_id
        for activity_id in last
        if not any(each.live and (each.channel_id, each.source_id) not in here for each in seen[activity_id])
    ]
    removed = list(activities.load(session, lost).values())
    activities.remove(session, removed)
    for activity_id in lost:
        follow(session, activity_id, last[activity_id])
    return removed
