"""Storing admitted calls: one activity a call, its transfer legs and its copies in several logs merged.

Identity is the id of the telephone system. A different call under an id that is taken already (another system's) gets an
identity of its own. A row that is read again replaces what it told before: a call of several rows is told by all of them anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from autocapture.model.columns import stable_id
from autocapture.model.draft import Draft, Matched, Verdict
from autocapture.normalize.call import conflicts, merge_calls, own_key
from autocapture.store import activities, call_legs
from autocapture.store.activities import Stored
from autocapture.workflows.matching import place
from autocapture.workflows.meetings import look_again
from autocapture.workflows.sightings import forget_departed, put_off, refused, told_anew, withdraw
from autocapture.workflows.staging import Scope, Staged
from autocapture.workflows.transfers import join_legs


def store_calls(
    session: Session, staged: Sequence[Staged], scope: Scope, now: datetime, *, again: bool = True
) -> None:
    """Writes the activities of these calls and names them in the ledger rows (which the caller writes). `again`: the ledger
    held some of them before."""
    present = put_off(session, staged, scope, unchanged_too=True) if again else staged
    copies = [(item, item.draft) for item in present if item.draft is not None]
    aliases = activities.aliases(session, {stable_id(draft.dedupe_key) for _, draft in copies})
    stored = activities.load(session, {_key(draft, aliases) for _, draft in copies})
    known = set(stored)
    anew = told_anew(session, known, present, scope).anew
    told = _identify(session, copies, stored, anew, aliases)
    anew = anew | told_anew(session, stored.keys() - known, present, scope).anew
    joined = join_legs(session, told, stored, anew)
    by_activity = joined.found
    for item, _ in copies:
        item.entry.activity_id = joined.aliases.get(item.entry.activity_id or 0, item.entry.activity_id)
    removed = withdraw(session, present if again else (), staged, scope)
    removed += forget_departed(session, _shown_by_refused(session, staged, by_activity))
    legs = [stored[key] for key in joined.moved]
    activities.remove(session, legs)
    new: list[Stored] = []
    changed: list[tuple[Stored, Stored]] = []
    for activity_id, drafts in by_activity.items():
        before = stored.get(activity_id)
        draft = merge_calls(drafts if before is None or activity_id in anew else [before.draft, *drafts])
        if before is None:
            new.append(Stored(activity_id, draft, Matched(draft.parties), now))
        elif draft != before.draft:
            changed.append((before, replace(before, draft=draft, matched=Matched(draft.parties))))
    place(session, scope.organization, new=new, changed=changed, now=now)
    call_legs.become(session, joined.aliases, joined.moved)
    before_and_after = [item for both in changed for item in both]
    look_again(session, scope.organization, [*removed, *legs, *new, *before_and_after], now)


def _identify(
    session: Session,
    copies: Sequence[tuple[Staged, Draft]],
    stored: dict[int, Stored],
    anew: Set[int],
    aliases: Mapping[int, int],
) -> dict[int, list[Draft]]:
    """The drafts of each activity, in the order of time, as the legs of a call follow one another. Loads into `stored` what
    turns out to be concerned. Of those in `anew` the stored form is the very item's own old one."""
    claims = Counter(_key(draft, aliases) for _, draft in copies)
    so_far = {key: item.draft for key, item in stored.items() if key not in anew or claims[key] > 1}
    found: dict[int, list[Draft]] = defaultdict(list)
    for item, draft in sorted(copies, key=lambda copy: (copy[1].occurred_at, copy[0].entry.source_id)):
        activity_id = _key(draft, aliases)
        known = so_far.get(activity_id, draft)
        if conflicts(known, draft):
            draft = replace(draft, dedupe_key=own_key(draft))
            activity_id = stable_id(draft.dedupe_key)
            stored.update(activities.load(session, {activity_id} - stored.keys()))
        else:
            so_far[activity_id] = merge_calls([known, draft])
        item.entry.activity_id = activity_id
        found[activity_id].append(draft)
    return found


def _key(draft: Draft, aliases: Mapping[int, int]) -> int:
    own = stable_id(draft.dedupe_key)
    return aliases.get(own, own)


def _shown_by_refused(
    session: Session, staged: Sequence[Staged], present: Collection[int]
) -> dict[int, Verdict]:
    """The stored calls, but those `present`, that items which are to be told to nobody tell of, and why those are."""
    legs = refused(staged)
    aliases = (
        activities.aliases(session, {stable_id(draft.dedupe_key) for _, draft, _ in legs}) if legs else {}
    )
    stored = activities.load(session, {_key(draft, aliases) for _, draft, _ in legs})
    found: dict[int, Verdict] = {}
    for _, draft, verdict in legs:
        shown = _key(draft, aliases)
        if shown in stored and conflicts(stored[shown].draft, draft):
            shown = stable_id(own_key(draft))
        found[shown] = verdict
    return {shown: verdict for shown, verdict in found.items() if shown not in present}
