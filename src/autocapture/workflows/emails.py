"""Storing admitted emails: one activity a message, however many mailboxes saw it.

Identity is the Message-ID. A copy whose id was rewritten on the way is found by its fingerprint and becomes an alias; a
different mail under an id that is taken already gets an identity of its own (SYNC 3.1).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import Session

from autocapture.model.accounts import Channel
from autocapture.model.activities import ActivityAlias
from autocapture.model.columns import stable_id
from autocapture.model.draft import Draft, Verdict
from autocapture.model.ledger import LedgerEntry
from autocapture.normalize.email import (
    conflicts,
    is_derived,
    is_same_rewritten,
    joined,
    own_key,
)
from autocapture.store import activities, threads
from autocapture.store.activities import NOT_YET, Stored
from autocapture.store.bulk import insert_missing, table_of
from autocapture.store.lookup import Lookup
from autocapture.store.sightings import captured_as
from autocapture.workflows.matching import place
from autocapture.workflows.meetings import look_again
from autocapture.workflows.sightings import forget_departed, put_off, refused, told_anew, withdraw
from autocapture.workflows.staging import Scope, Staged

_ENTRY, _CHANNEL = table_of(LedgerEntry).c, table_of(Channel).c
_SEEN = Lookup(
    lambda among: (
        select(_ENTRY.activity_id)
        .join(table_of(Channel), _CHANNEL.id == _ENTRY.channel_id)
        .where(among(_ENTRY.activity_id, "ids"), _CHANNEL.account_id == bindparam("of"))
    )
)


class _Copy(NamedTuple):
    """A staged email that may be stored, with the activity that its Message-ID names."""

    staged: Staged
    draft: Draft
    own: int


class _Identified(NamedTuple):
    """A staged email with the activity that it is a copy of, or will be."""

    staged: Staged
    draft: Draft
    activity_id: int


def store_emails(
    session: Session, staged: Sequence[Staged], scope: Scope, now: datetime, *, again: bool = True
) -> None:
    """Writes the activities of these emails and names them in the ledger rows (which the caller writes). `again`: the ledger
    held some of them before."""
    present = put_off(session, staged, scope) if again else staged
    copies = [_copy(item, item.draft) for item in present if item.draft is not None]
    stored = activities.load(session, {copy.own for copy in copies})
    known = set(stored)
    anew, owners = told_anew(session, known, present, scope)
    identified = _identify(session, copies, stored, anew, scope)
    anew_too, owners_too = told_anew(session, stored.keys() - known, present, scope)
    anew, owners = anew | anew_too, {**owners, **owners_too}
    by_activity: dict[int, list[Draft]] = defaultdict(list)
    for item in identified:
        item.staged.entry.activity_id = item.activity_id
        by_activity[item.activity_id].append(item.draft)
    leaving = _may_leave(session, present, stored, scope) if again else []
    removed = withdraw(session, leaving, staged, scope)
    removed += forget_departed(session, _shown_by_refused(session, staged, by_activity, scope))
    thread_of = _threads(session, by_activity, scope)
    new: list[Stored] = []
    changed: list[tuple[Stored, Stored]] = []
    for activity_id, drafts in by_activity.items():
        thread_id, before = thread_of[activity_id], stored.get(activity_id)
        if before is None:
            new.append(Stored(activity_id, _as_told(drafts, None, set(), scope), NOT_YET, now, thread_id))
            continue
        kept = None if activity_id in anew else before.draft
        draft = _as_stored(_as_told(drafts, kept, owners.get(activity_id, set()), scope))
        after = replace(before, draft=draft, matched=NOT_YET, thread_id=thread_id)
        if draft != before.draft or after.thread_id != before.thread_id:
            changed.append((before, after))
    told = (*new, *(each for both in changed for each in both))
    saying = [*removed, *(item for item in told if item.draft.remark)]
    changed.extend(bereft(session, removed, by_activity))
    place(session, scope.organization, new=new, changed=changed, now=now)
    look_again(session, scope.organization, saying, now)


def _copy(staged: Staged, draft: Draft) -> _Copy:
    return _Copy(staged, draft, stable_id(draft.dedupe_key))


def _as_told(drafts: Sequence[Draft], kept: Draft | None, owners: Set[int], scope: Scope) -> Draft:
    """The mail as its copies tell it, with what is kept of other ones, which may have been read under other people of ours."""
    if kept is None and len(drafts) == 1:
        return drafts[0]
    return joined(drafts, kept, {*owners, scope.owner.user_id}, scope.organization)


def _may_leave(
    session: Session, present: Sequence[Staged], stored: Mapping[int, Stored], scope: Scope
) -> list[Staged]:
    """The items that may show no more what they showed before: those not admitted now, and those whose identity is, or was,
    made of what they say. A Message-ID that makes way for another one is another mail in the place of one that was deleted."""
    before = captured_as(session, scope.channel_id, [item.entry.source_id for item in present])
    known = {**stored, **activities.load(session, set(before.values()) - stored.keys())}
    derived = {key for key, item in known.items() if is_derived(item.draft.dedupe_key)}
    return [
        item
        for item in present
        if item.draft is None
        or is_derived(item.draft.dedupe_key)
        or before.get(item.entry.source_id) in derived
    ]


def _shown_by_refused(
    session: Session, staged: Sequence[Staged], present: Collection[int], scope: Scope
) -> dict[int, Verdict]:
    """The stored mails, but those `present`, that items which are to be told to nobody are copies of, and why those are."""
    why = refused(staged)
    if not why:
        return {}
    copies = [_copy(item, draft) for item, draft, _ in why]
    keys = {copy.own for copy in copies}
    same = activities.aliases(session, keys)
    stored = activities.load(session, {*keys, *same.values()})
    same |= _rewritten(session, copies, stored, same, scope)
    found: dict[int, Verdict] = {}
    for (_, draft, own), (_, _, verdict) in zip(copies, why, strict=True):
        shown = same.get(own, own)
        if shown == own and own in stored and conflicts(stored[own].draft, draft):
            shown = stable_id(own_key(draft))
        found[shown] = verdict
    return {shown: verdict for shown, verdict in found.items() if shown not in present}


def bereft(
    session: Session, removed: Sequence[Stored], present: Collection[int]
) -> list[tuple[Stored, Stored]]:
    """One activity of each thread that lost a member: storing it has its thread matched anew."""
    threads_left = {item.thread_id for item in removed if item.thread_id is not None}
    remaining = activities.load_group(session, "thread_id", threads_left)
    one_each = {item.thread_id: item for item in remaining.values() if item.activity_id not in present}
    return [(item, item) for item in one_each.values()]


def _identify(
    session: Session,
    copies: Sequence[_Copy],
    stored: dict[int, Stored],
    anew: Set[int],
    scope: Scope,
) -> list[_Identified]:
    """The activity of each copy. Loads into `stored` what turns out to be concerned. Of those in `anew` the stored form is
    the very item's own old one."""
    claims = Counter([copy.own for copy in copies])
    aliases = activities.aliases(session, claims.keys() - stored.keys())
    rewritten = _rewritten(session, copies, stored, aliases, scope)
    insert_missing(
        session,
        ActivityAlias,
        [{"key": key, "activity_id": activity_id} for key, activity_id in rewritten.items()],
    )
    aliases |= rewritten
    stored.update(activities.load(session, set(aliases.values()) - stored.keys()))
    result: list[_Identified] = []
    first: dict[int, Draft] = {}
    for item, draft, own in copies:
        activity_id = aliases.get(own, own)
        known = stored[activity_id].draft if activity_id in stored else first.setdefault(activity_id, draft)
        itself = own in anew and claims[own] == 1
        if activity_id == own and not itself and conflicts(known, draft):
            draft = replace(draft, dedupe_key=own_key(draft))
            activity_id = stable_id(draft.dedupe_key)
            stored.update(activities.load(session, {activity_id} - stored.keys()))
        result.append(_Identified(item, draft, activity_id))
    return result


def _rewritten(
    session: Session,
    copies: Sequence[_Copy],
    stored: dict[int, Stored],
    aliases: dict[int, int],
    scope: Scope,
) -> dict[int, int]:
    """Unknown ids that are copies of a stored email from another account whose Message-ID differs."""
    unknown = {copy.own: copy.draft for copy in copies if copy.own not in stored and copy.own not in aliases}
    prints = {draft.fingerprint for draft in unknown.values() if draft.fingerprint is not None}
    candidates = activities.with_fingerprints(session, prints)
    if not candidates:
        return {}
    loaded = activities.load(session, {i for ids in candidates.values() for i in ids})
    elsewhere = loaded.keys() - _seen_in_account(session, loaded.keys(), scope.account_id)
    found: dict[int, int] = {}
    for key, draft in unknown.items():
        for candidate in sorted(candidates.get(draft.fingerprint or 0, ())):
            if candidate in elsewhere and is_same_rewritten(loaded[candidate].draft, draft):
                found[key] = candidate
                break
    return found


def _seen_in_account(session: Session, activity_ids: Iterable[int], account_id: int) -> set[int]:
    return {activity_id for (activity_id,) in _SEEN(session, ids=activity_ids, of=account_id)}


def _threads(session: Session, by_activity: dict[int, list[Draft]], scope: Scope) -> dict[int, int]:
    keys: list[list[int]] = []
    for activity_id, drafts in by_activity.items():
        tied = {activity_id: None}  # in order, each once: most mails are tied to nothing but themselves
        for draft in drafts:
            tied.update(dict.fromkeys(map(stable_id, draft.thread_keys)))
            if draft.provider_thread:  # a provider's thread id means something within one account only
                tied[stable_id(f"{scope.account_id}:{draft.provider_thread}")] = None
        keys.append([*tied])
    return dict(zip(by_activity, threads.assign(session, keys), strict=True))


def _as_stored(draft: Draft) -> Draft:
    """A draft as `activities.load` gives it back: thread keys are kept elsewhere."""
    return replace(draft, thread_keys=(), provider_thread=None)
