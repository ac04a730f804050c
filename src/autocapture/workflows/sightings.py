"""Items that were read again: what they say now replaces what they said, and what none of them says any longer is removed.

An activity is kept as its copies together tell it, not copy by copy. Where one of several tells it otherwise than before, all of
them are therefore asked for again (`put_off`): the first to be read replaces what is stored, the others join it (`told_anew`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from typing import NamedTuple

from sqlmodel import Session

from autocapture.model.draft import Draft, Verdict
from autocapture.model.ledger import ASKED_AGAIN
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.sightings import Sighting, ask_again, captured_as, follow, sightings, skip
from autocapture.workflows.staging import Scope, Staged


class Told(NamedTuple):
    """`anew`: of these activities nothing stays of what is stored. `owners`: the users whose accounts showed an activity."""

    anew: Set[int]
    owners: Mapping[int, Set[int]]


def put_off(
    session: Session, staged: Sequence[Staged], scope: Scope, *, unchanged_too: bool = False
) -> list[Staged]:
    """The items that are to be stored now. One that tells an activity otherwise than before (`unchanged_too`: or was read
    again, whatever it says), which items outside this page show too, waits: all of them are asked for again.

    Nothing waits where an account that shows the activity is not captured: its copy could not be asked.
    """
    before = captured_as(
        session, scope.channel_id, [item.entry.source_id for item in staged if item.draft is not None]
    )
    if not before:
        return list(staged)
    here = {(scope.channel_id, item.entry.source_id): item.entry.version for item in staged}
    asked: list[Sighting] = []
    waiting: set[int] = set()
    for activity_id, seen in sightings(session, set(before.values())).items():
        told = [each for each in seen if each.key in here]
        elsewhere = [each for each in seen if each.live and each.key not in here]
        news = any(not each.asked and (unchanged_too or each.version != here[each.key]) for each in told)
        if news and elsewhere and all(each.reachable for each in elsewhere):
            asked.extend(elsewhere)
            waiting.add(activity_id)
    ask_again(session, asked)
    now_stored = []
    for item in staged:
        shown = before.get(item.entry.source_id) if item.draft is not None else None
        if shown in waiting:
            item.entry.activity_id, item.entry.reason = shown, ASKED_AGAIN
        else:
            now_stored.append(item)
    return now_stored


def told_anew(session: Session, stored: Collection[int], staged: Sequence[Staged], scope: Scope) -> Told:
    """How these stored activities are told by the items of this page.

    Anew are those that no other item ever showed; those that only departed items showed besides, where an item was
    corrected; and those of whose items, all asked for again, this page holds the first.
    """
    anew: set[int] = set()
    owners: dict[int, Set[int]] = {}
    if not stored:
        return Told(anew, owners)
    here = {(scope.channel_id, item.entry.source_id): item.entry.version for item in staged}
    for activity_id, seen in sightings(session, stored).items():
        owners[activity_id] = {each.user_id for each in seen}
        told = [each for each in seen if each.key in here]
        others = [each for each in seen if each.key not in here]
        live = [each for each in others if each.live]
        if not told:
            continue
        corrected = any(each.asked or each.version != here[each.key] for each in told)
        if (corrected and all(each.asked for each in live)) or not others:
            anew.add(activity_id)
    return Told(anew, owners)


def withdraw(
    session: Session, asked: Sequence[Staged], staged: Sequence[Staged], scope: Scope
) -> list[Stored]:
    """Removes the activities as which the items `asked` were captured before, where no live item shows them any longer: the
    item is not admitted now (it turned private, an exclusion names it), or became another activity. Live items that show them
    still are asked for again: what only the departed one told must not stay.

    `staged` is the whole page, its activities already named. Gives what was removed.
    """
    if not asked:
        return []
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
    remaining = {key: [each for each in seen[key] if each.live and each.key not in here] for key in last}
    ask_again(session, [each for others in remaining.values() for each in others])
    lost = [activity_id for activity_id in last if not remaining[activity_id]]
    removed = list(activities.load(session, lost).values())
    activities.remove(session, removed)
    for activity_id in lost:
        follow(session, activity_id, last[activity_id])
    return removed


def refused(staged: Sequence[Staged]) -> list[tuple[Staged, Draft, Verdict]]:
    """The mails or calls that are to be told to nobody, each as it would have been stored, and why."""
    return [
        (item, item.refused.shown, item.refused.verdict)
        for item in staged
        if item.refused is not None and isinstance(item.refused.shown, Draft)
    ]


def forget_departed(session: Session, refused: Mapping[int, Verdict]) -> list[Stored]:
    """Removes those of these activities that only departed items show; `refused` says why an item that is there, and would
    show them, is to be told to nobody. Gives what was removed."""
    seen = sightings(session, refused)
    lost = [key for key, items in seen.items() if not any(each.live for each in items)]
    removed = list(activities.load(session, lost).values())
    activities.remove(session, removed)
    for activity_id in lost:
        skip(session, activity_id, refused[activity_id])
    return removed
