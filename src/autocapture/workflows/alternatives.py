"""What an activity could be about: the deals that were live then, how likely each is, and why.

Worked out when somebody asks, by the matching that would decide today, so that it never lags behind the CRM.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from autocapture.match import judged
from autocapture.match.matters import Matter
from autocapture.match.named import is_thread_only
from autocapture.match.reasons import in_words
from autocapture.match.rules import rules_of
from autocapture.model.crm import Deal
from autocapture.model.directory import Directory, Organization
from autocapture.model.matching import Occurrence, Option
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.workflows.matching import groups_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deal that an activity could be about. `p` is its probability; `reasons` the weightiest first."""

    deal_id: int
    key: str
    name: str
    company: str
    owner: str
    created_at: datetime
    closed_at: datetime | None
    outcome: str
    p: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The likeliest first. `no_deal` is the probability of none of them, and why; `with_it` are the other activities of the
    same matter; `held_back` names the deals that were live and are meant only where they are named. `closed` tells of the last
    deal where none was live."""

    deals: tuple[Candidate, ...] = ()
    no_deal: float | None = None
    why_none: tuple[str, ...] = ()
    with_it: tuple[int, ...] = ()
    held_back: tuple[str, ...] = ()
    closed: str = ""


NONE = Alternatives()
"""Where there is no deal to choose."""


@dataclass(frozen=True, slots=True)
class Considered:
    """Stored activities, with everything of their threads and series, as matching looks at them."""

    items: Mapping[int, Stored]
    groups: Sequence[Sequence[Occurrence]]
    directory: Directory


def consider(session: Session, organization: Organization, activity_ids: Collection[int]) -> Considered:
    """Loads what matching would look at to decide on these activities."""
    asked = activities.load(session, activity_ids)
    threads = {item.thread_id for item in asked.values() if item.thread_id is not None}
    series = {item.series_id for item in asked.values() if item.series_id is not None}
    items = {
        **activities.load_group(session, "thread_id", threads),
        **activities.load_group(session, "series_id", series),
        **asked,
    }
    return Considered(items, *groups_of(session, organization, list(items.values())))


def alternatives(session: Session, considered: Considered) -> dict[int, Alternatives]:
    """What each of the activities could be about, also where a person has decided it."""
    directory = considered.directory
    decisions = [found for group in considered.groups for found in judged(group, directory)]
    ids = {each.deal_id for _, decision in decisions for each in decision.options if each.deal_id is not None}
    keys = dict(session.exec(select(Deal.id, Deal.source_id).where(col(Deal.id).in_(ids))).all())
    found: dict[int, Alternatives] = {}
    for matter, decision in decisions:
        held_back = _held_back(matter, directory)
        members = [each.occurrence.activity_id for each in matter.members]
        deals = tuple(
            _candidate(each, keys, directory) for each in decision.options if each.deal_id is not None
        )
        none = next((each for each in decision.options if each.deal_id is None), None)
        for member in members:
            found[member] = Alternatives(
                deals,
                None if none is None else none.p,
                () if none is None else in_words(none.evidence),
                tuple(each for each in members if each != member),
                held_back,
                "" if decision.options else _closed(matter, directory),
            )
    return found


def _closed(matter: Matter, directory: Directory) -> str:
    """``“Lift Plön” was won on 2026-10-09``, of the deal that was closed last before."""
    lives = [life.deal for member in matter.members for life in member.cast.lives]
    at = matter.members[0].at
    ended = [deal for deal in lives if deal.closed_at is not None and deal.closed_at < at]
    if not ended:
        return ""
    last = max(ended, key=lambda deal: (deal.closed_at or at, deal.deal_id))
    return f"“{last.name}” was {last.outcome} on {last.closed_at:%Y-%m-%d}, and none was live then"


def _held_back(matter: Matter, directory: Directory) -> tuple[str, ...]:
    """The deals that were live at some time of the matter, must be named, and are not."""
    rules = rules_of(directory)
    return tuple(
        sorted(
            {
                life.deal.name
                for member in matter.members
                for life in member.cast.lives
                if life.holds(member.at)
                and is_thread_only(life.deal, rules)
                and life.deal.deal_id not in matter.candidates
            }
        )
    )


def _candidate(option: Option, keys: Mapping[int | None, str], directory: Directory) -> Candidate:
    deal = directory.deals[option.deal_id or 0]
    owner = directory.organization.colleagues.get(deal.owner_id or 0)
    return Candidate(
        deal_id=deal.deal_id,
        key=keys.get(deal.deal_id, ""),
        name=deal.name,
        company=directory.company_names.get(deal.company_id or 0, ""),
        owner="" if owner is None else owner.name,
        created_at=deal.created_at,
        closed_at=deal.closed_at,
        outcome=deal.outcome,
        p=option.p,
        reasons=in_words(option.evidence),
    )
