"""Stored activities that the never-log list names which was applied to history: they count nothing and are matched to nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from autocapture.model.directory import Directory, Organization
from autocapture.model.draft import Draft, Matched, Party
from autocapture.store.activities import Stored

_SPEAKS = ("deal", "no_deal")


def without_kept_out(
    items: Iterable[Stored], results: dict[int, Matched], directory: Directory
) -> dict[int, Matched]:
    """The answers, those aside of which the list names somebody: these are as if somebody had said that they are no business.
    What a person said a deal, or none, of is left as it was said."""
    return {
        item.activity_id: (
            _set_aside(results[item.activity_id])
            if is_kept_out(item.draft, directory.organization)
            and not is_spoken_for(item.activity_id, results[item.activity_id], directory)
            else results[item.activity_id]
        )
        for item in items
    }


def is_kept_out(draft: Draft, organization: Organization) -> bool:
    """Whether the list that was applied names who takes part."""
    if organization.keeps_out is None:
        return False
    inside, outside = _sides(draft.parties, organization)
    return organization.keeps_out(inside, outside)


def is_spoken_for(activity_id: int, matched: Matched, directory: Directory) -> bool:
    """Whether somebody said what it is about."""
    said = directory.locks.of_activity.get(activity_id, ())
    return any(lock.said in _SPEAKS and not lock.is_lost for lock in said) or any(
        link.method == "correction" for link in matched.links
    )


def _sides(parties: Collection[Party], organization: Organization) -> tuple[list[str], list[str]]:
    inside: list[str] = []
    outside: list[str] = []
    for party in parties:
        if not party.resource:
            ours = party.user_id is not None or organization.is_inside(party.address)
            (inside if ours else outside).append(party.address)
    return inside, outside


def _set_aside(matched: Matched) -> Matched:
    unnamed = tuple(
        Party(each.role, each.address, each.name, each.response, each.resource, each.user_id)
        for each in matched.parties
    )
    return Matched(unnamed, business=False)
