"""What an activity inherits from the one it answers or repeats (hard rules H4 and H5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from autocapture.formats.subjects import base_subject
from autocapture.model.columns import stable_id
from autocapture.model.directory import Precedent
from autocapture.model.draft import Draft

LONG_PAUSE = timedelta(days=30)
"""After this much silence a changed subject means another matter."""


@dataclass(frozen=True, slots=True)
class Inheritance:
    """A precedent and, when its deals are not simply inherited, the reason why not."""

    precedent: Precedent
    method: str
    obstacle: str | None = None


class Past:
    """The precedents of a thread or series that is gone through from its oldest activity on.

    Kept is what `match` asks for: the last precedent, and one for every company that was there before. So a thread of
    thousands has about as many precedents as companies.
    """

    def __init__(self) -> None:
        self.precedents: list[Precedent] = []
        self._companies: set[int] = set()
        self._last_is_like_others = False

    def add(self, latest: Precedent) -> None:
        """`latest` happened after all that were added before, and was linked to a company or a deal."""
        if self._last_is_like_others:
            self.precedents.pop()
        self.precedents.append(latest)
        self._last_is_like_others = self._companies.issuperset(latest.companies)
        self._companies.update(latest.companies)


def nearest(draft: Draft, precedents: Sequence[Precedent]) -> Precedent | None:
    """The last matched activity of the thread or series before this one; failing that the first after it (a backfill reads
    answers before what they answer). `precedents` are oldest first; the activity itself, stored before, is none."""
    found: Precedent | None = None
    own = stable_id(draft.dedupe_key)
    for each in reversed(precedents):
        if each.activity_id != own and (each.deals or each.companies):
            found = each
            if each.occurred_at <= draft.occurred_at:
                break
    return found


def in_thread(
    draft: Draft, precedents: Sequence[Precedent], outside: Collection[str], companies: Collection[int]
) -> Inheritance | None:
    """H4: an answer inherits from its thread, unless a new company joined, nobody from outside is in both, or the subject
    changed after a long pause. A subject that was not kept counts as unchanged."""
    precedent = nearest(draft, precedents)
    if precedent is None:
        return None
    obstacle = _obstacle(precedent, outside, companies)
    if obstacle is None and _is_another_matter(draft, precedent):
        obstacle = "the subject changed after a long pause"
    return Inheritance(precedent, "thread", obstacle)


def in_series(
    draft: Draft, precedents: Sequence[Precedent], outside: Collection[str], companies: Collection[int]
) -> Inheritance | None:
    """H5: an occurrence inherits from its series under the same conditions, its title aside."""
    precedent = nearest(draft, precedents)
    if precedent is None:
        return None
    return Inheritance(precedent, "series", _obstacle(precedent, outside, companies))


def _obstacle(precedent: Precedent, outside: Collection[str], companies: Collection[int]) -> str | None:
    if not precedent.external_handles.intersection(outside):
        return "nobody from outside took part before"
    if precedent.companies and not set(companies) <= set(precedent.companies):
        return "another company joined"
    return None


def _is_another_matter(draft: Draft, precedent: Precedent) -> bool:
    if draft.subject is None or precedent.subject is None:
        return False
    if abs(draft.occurred_at - precedent.occurred_at) <= LONG_PAUSE:
        return False
    return base_subject(draft.subject) != base_subject(precedent.subject)
