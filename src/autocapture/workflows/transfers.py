"""Legs of one call that their telephone systems did not tell as one: a call that was passed on, or that two logs hold.

What is joined stays one call: the keys of its legs become aliases of it. An activity that is stored keeps its id, whichever leg
came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from autocapture.model.draft import Draft
from autocapture.normalize.call import continues, merge_calls, outside_numbers
from autocapture.store import activities, call_legs
from autocapture.store.activities import Stored

_LONGEST = timedelta(hours=4)
"""A leg of a longer call is not looked for."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The drafts of each call, in order. `moved`: stored calls by what they are now legs of; they are in `stored` and to be
    removed. `aliases`: keys of legs by call, to be kept once that is stored."""

    found: Mapping[int, list[Draft]]
    moved: Mapping[int, int]
    aliases: Mapping[int, int]


def join_legs(
    session: Session, found: Mapping[int, list[Draft]], stored: dict[int, Stored], anew: Collection[int]
) -> Joined:
    """`found` are the drafts of one page by activity; loads into `stored` what turns out to be concerned."""
    heads = {
        key: merge_calls([stored[key].draft, *drafts] if key in stored and key not in anew else drafts)
        for key, drafts in found.items()
    }
    near = _near(session, heads)
    stored.update(activities.load(session, near - stored.keys()))
    nodes = {key: stored[key].draft for key in near - heads.keys() if key in stored} | heads
    head_of: dict[int, int] = {}
    for group in _groups(nodes, heads):
        head = min(group, key=lambda key: (key not in stored, nodes[key].occurred_at, key))
        head_of |= dict.fromkeys(group - {head}, head)
    if not head_of:
        return Joined(found, {}, {})
    together: dict[int, list[Draft]] = defaultdict(list)
    for key, drafts in found.items():
        together[head_of.get(key, key)] += drafts
    moved = {key: head for key, head in head_of.items() if key in stored}
    for key, head in moved.items():
        if key not in anew:
            together[head].append(stored[key].draft)
    aliases = {**head_of, **{key: moved[old] for key, old in call_legs.aliases_of(session, moved).items()}}
    in_order = {
        key: sorted(drafts, key=lambda draft: (draft.occurred_at, draft.dedupe_key))
        for key, drafts in together.items()
    }
    return Joined(in_order, moved, aliases)


def _near(session: Session, heads: Mapping[int, Draft]) -> set[int]:
    """The stored calls that may be legs of these."""
    if not heads:
        return set()
    numbers: dict[str, list[Draft]] = defaultdict(list)
    for draft in heads.values():
        for number in outside_numbers(draft):
            numbers[number].append(draft)
    first = min(draft.occurred_at for draft in heads.values()) - _LONGEST
    last = max(draft.occurred_at for draft in heads.values()) + _LONGEST
    return {
        each.activity_id
        for each in call_legs.with_numbers(session, numbers, first, last)
        if any(abs(draft.occurred_at - each.starts_at) <= _LONGEST for draft in numbers[each.number])
    }


def _groups(nodes: Mapping[int, Draft], heads: Collection[int]) -> Iterable[set[int]]:
    """The calls that are one, two or more of them, each joined through one that is told now."""
    by_number: dict[str, list[int]] = defaultdict(list)
    for key in sorted(nodes, key=lambda key: (nodes[key].occurred_at, key)):
        for number in outside_numbers(nodes[key]):
            by_number[number].append(key)
    groups: dict[int, set[int]] = {}
    for one, other in _pairs(by_number.values(), nodes):
        if (one in heads or other in heads) and continues(nodes[one], nodes[other]):
            joined = groups.get(one, {one}) | groups.get(other, {other})
            groups.update(dict.fromkeys(joined, joined))
    return {id(group): group for group in groups.values()}.values()


def _pairs(rows: Iterable[Sequence[int]], nodes: Mapping[int, Draft]) -> Iterable[tuple[int, int]]:
    for keys in rows:
        for place, one in enumerate(keys):
            for other in keys[place + 1 :]:
                if nodes[other].occurred_at - nodes[one].occurred_at > _LONGEST:
                    break
                yield one, other
