"""`rules diff`: what the rules as their files say them would change of the whole history, before anything does."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from autocapture.admit.reasons import EXCLUDED as KEPT_OUT
from autocapture.application import Application
from autocapture.model.crm import Company, Deal
from autocapture.model.directory import Organization
from autocapture.model.draft import Matched
from autocapture.model.ledger import SKIPPED, LedgerEntry
from autocapture.store.activities import Stored
from autocapture.store.engine import reading
from autocapture.workflows.people import judged_by, our_people_as_known
from autocapture.workflows.rules_changes import (
    CHANGES,
    GROUNDS,
    Progress,
    batches,
    compared,
    heads,
    may_move_numbers,
)
from autocapture.workflows.rules_in_force import Rules, rules_in_force
from autocapture.workflows.rules_quotas import QuotaChange, quota_changes

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One activity that changes: what it is matched to now, and by the other rules."""

    activity_id: int
    kind: str
    at: datetime
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Group:
    """Activities of which the same changes; `change` is a key of `CHANGES`."""

    change: str
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """What changes, over `looked_at` activities. `left` have links that rest on texts which are not kept any more: they stay.
    `spoken_for` are named by the never-log list, and stay since somebody said what they are about. `never_read` items were left
    out by the list before anything of them was stored: nothing here can tell whether they would be now."""

    before: Rules
    after: Rules
    looked_at: int
    groups: tuple[Group, ...]
    quotas: tuple[QuotaChange, ...]
    left: int
    spoken_for: int
    never_read: int

    @property
    def changed(self) -> int:
        """How many are matched differently: on other grounds alone is not."""
        return sum(group.count for group in self.groups if group.change != GROUNDS)

    @property
    def is_same(self) -> bool:
        """Whether the files say what is applied."""
        return self.before == self.after


@dataclass(slots=True)
class _Found:
    looked_at: int = 0
    left: int = 0
    spoken_for: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[Stored, Matched]]] = field(default_factory=lambda: defaultdict(list))
    moving: array[int] = field(default_factory=lambda: array("q"))


def rules_diff(app: Application, proposed: Rules, progress: Progress) -> RulesDiff:
    """What `proposed` would change of everything that is stored. Nothing is written."""
    in_force = rules_in_force(app, keep=False)
    people = our_people_as_known(app)
    before, after = judged_by(people, in_force), judged_by(people, proposed)
    with reading(app.engine) as session:
        pending = heads(session)
    found = _Found()
    for chunk in batches(pending, progress):
        with reading(app.engine) as session:
            _add(found, session, before, after, chunk)
    quotas = quota_changes(app, before, after, found.moving)
    with reading(app.engine) as session:
        groups = tuple(
            Group(change, found.counts[change], _examples(session, found.examples[change]))
            for change in CHANGES
            if found.counts[change]
        )
        never_read = _never_read(session) if in_force.exclusions != proposed.exclusions else 0
    return RulesDiff(
        in_force, proposed, found.looked_at, groups, quotas, found.left, found.spoken_for, never_read
    )


def _add(
    found: _Found, session: Session, before: Organization, after: Organization, ids: Collection[int]
) -> None:
    each = compared(session, before, after, list(ids))
    found.looked_at += each.looked_at
    found.left += len(each.left)
    found.spoken_for += len(each.spoken_for)
    for item, matched, change in each.changed:
        found.counts[change] += 1
        if len(found.examples[change]) < EXAMPLES:
            found.examples[change].append((item, matched))
        if may_move_numbers(item.matched, matched):
            found.moving.append(item.activity_id)


def _examples(session: Session, found: list[tuple[Stored, Matched]]) -> tuple[Example, ...]:
    links = [link for item, now in found for link in (*item.matched.links, *now.links)]
    deals = _names(session, Deal, {link.target_id for link in links if link.target == "deal"})
    companies = _names(session, Company, {link.target_id for link in links if link.target == "company"})
    return tuple(
        Example(
            item.activity_id,
            item.draft.kind,
            item.draft.occurred_at,
            _told(item.matched, deals, companies),
            _told(now, deals, companies),
        )
        for item, now in found
    )


def _names(session: Session, model: type[Deal] | type[Company], ids: Collection[int]) -> dict[int, str]:
    rows = session.exec(select(model.id, model.name).where(col(model.id).in_(ids)))
    return {number: name for number, name in rows if number is not None}


def _told(matched: Matched, deals: Mapping[int, str], companies: Mapping[int, str]) -> str:
    """What it is matched to, in a few words."""
    if not matched.business:
        return "set aside"
    on = [deals.get(link.target_id, "a deal") for link in matched.links if link.target == "deal"]
    if on:
        return " and ".join(on)
    at = [companies.get(link.target_id, "a company") for link in matched.links if link.target == "company"]
    where = f"{' and '.join(at)}, no deal" if at else "nothing"
    return f"{where} (asked about)" if matched.review is not None else where


def _never_read(session: Session) -> int:
    return session.exec(
        select(func.count())
        .select_from(LedgerEntry)
        .where(
            LedgerEntry.outcome == SKIPPED, LedgerEntry.reason == KEPT_OUT, col(LedgerEntry.gone_at).is_(None)
        )
    ).one()


def as_data(diff: RulesDiff) -> dict[str, Any]:
    """What a batch keeps of it, and what `--format json` writes."""
    return {
        "matching_version": {"before": diff.before.matching.version, "after": diff.after.matching.version},
        "exclusions_version": {
            "before": diff.before.exclusions.version,
            "after": diff.after.exclusions.version,
        },
        "same_rules": diff.is_same,
        "looked_at": diff.looked_at,
        "changed": diff.changed,
        "changes": [
            {
                "change": group.change,
                "count": group.count,
                "examples": [
                    {
                        "activity": str(each.activity_id),
                        "kind": each.kind,
                        "at": each.at.isoformat(),
                        "before": each.before,
                        "after": each.after,
                    }
                    for each in group.examples
                ],
            }
            for group in diff.groups
        ],
        "quotas": [_quota_data(each) for each in diff.quotas],
        "texts_not_kept": diff.left,
        "said_by_people": diff.spoken_for,
        "never_read": diff.never_read,
    }


def _quota_data(each: QuotaChange) -> dict[str, Any]:
    def number(value: object) -> str | None:
        return None if value is None else format(value, "f") if hasattr(value, "as_tuple") else str(value)

    return {
        "metric": each.metric,
        "scope_type": each.scope_type,
        "scope": each.scope,
        "period_start": each.period_start.isoformat(),
        "period_end": each.period_end.isoformat(),
        "currency": each.currency,
        "quota": number(each.quota),
        "before": number(each.before),
        "after": number(each.after),
    }
