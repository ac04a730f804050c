"""Storing admitted calls: one activity a call, its transfer legs and its copies in several logs merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from autocapture.model.columns import stable_id
from autocapture.model.draft import Draft, Matched
from autocapture.normalize.call import merge_calls
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.workflows.matching import place
from autocapture.workflows.staging import Scope, Staged


def store_calls(session: Session, staged: Sequence[Staged], scope: Scope, now: datetime) -> None:
    """Writes the activities of these calls and names them in the ledger rows (which the caller writes)."""
    by_activity: dict[int, list[Draft]] = defaultdict(list)
    for item in staged:
        if item.draft is not None:
            item.entry.activity_id = stable_id(item.draft.dedupe_key)
            by_activity[item.entry.activity_id].append(item.draft)
    stored = activities.load(session, by_activity.keys())
    new: list[Stored] = []
    changed: list[tuple[Stored, Stored]] = []
    for activity_id, drafts in by_activity.items():
        before = stored.get(activity_id)
        draft = merge_calls([before.draft, *drafts] if before else drafts)
        if before is None:
            new.append(Stored(activity_id, draft, Matched(draft.parties), now))
        elif draft != before.draft:
            changed.append((before, replace(before, draft=draft, matched=Matched(draft.parties))))
    place(session, scope.organization, new=new, changed=changed, now=now)
