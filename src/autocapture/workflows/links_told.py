"""How each link of an activity came about, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from autocapture.match.reasons import in_words
from autocapture.model.activities import Activity, Match
from autocapture.model.crm import Company, Contact, Deal, DealContact

GONE = "no longer in the CRM"
_HOW = {
    "role": "{by} is the address of somebody with a role on its deals alone",
    "national_number": "{by} ends as a number of its contact",
    "switchboard": "{by} is a number that several of its people share",
    "contact": "{by} is the address or number of its contact",
    "domain": "{by} is its domain",
    "learned_domain": "contacts of it write from {by}",
    "number_block": "{by} are numbers of its people",
    "name": "whoever wrote signs with the name of {by}",
    "thread": "so is what it goes on with",
    "series": "so is an earlier meeting of the series",
    "deal": "it is the company of the deal",
    "correction": "somebody said so",
    "key": "{by} gives its key in the CRM",
    "contact_role": "who takes part has a role on it",
    "owner": "its owner takes part",
    "words": "its name or products are mentioned",
    "reference": "the number of its quote or order is mentioned",
    "only_live_deal": "nothing else was live then that it could be about",
}
"""By method; `by` is what it was found by."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another activity of the same thread or series. `is_later` than the one that is spoken of."""

    kind: str
    at: datetime
    is_later: bool


@dataclass(frozen=True, slots=True)
class LinkTold:
    """A link: to what, with which share, how it came about, and how likely it was where that was weighed. `goes_on_with` is the
    activity of the number `precedent`; `said_in` the one that names what this one does not."""

    target: str
    name: str
    key: str
    weight: float
    method: str
    how: str
    p: float | None
    reasons: tuple[str, ...]
    contacts: tuple[str, ...]
    precedent: int | None
    rule_version: int
    goes_on_with: Other | None = None
    said_in: Other | None = None


def links_told(session: Session, matches: Sequence[Match]) -> tuple[LinkTold, ...]:
    """The links in words, in their order."""
    return tuple(_told(session, match) for match in matches)


def how(match: Match) -> str:
    """How a link came about, as the end of a sentence that begins with what it is to."""
    words = _HOW.get(match.method, match.method.replace("_", " "))
    return words.format(by=match.evidence.get("by", "it"))


def _told(session: Session, match: Match) -> LinkTold:
    target: Company | Deal | None = (
        session.get(Company, match.target_id)
        if match.target == "company"
        else session.get(Deal, match.target_id)
    )
    evidence = match.evidence
    precedent = evidence.get("precedent")
    return LinkTold(
        target=match.target,
        name=GONE if target is None else target.name,
        key="" if target is None else target.source_id,
        weight=match.weight,
        method=match.method,
        how=how(match),
        p=evidence.get("p"),
        reasons=in_words(evidence.get("weights") or {}, evidence.get("named") or ()),
        contacts=_contacts(session, match, evidence.get("contacts") or ()),
        precedent=precedent if isinstance(precedent, int) else None,
        rule_version=match.rule_version,
        goes_on_with=_other(session, match, precedent),
        said_in=_other(session, match, evidence.get("said_in")),
    )


def _other(session: Session, match: Match, activity_id: object) -> Other | None:
    found = session.get(Activity, activity_id) if isinstance(activity_id, int) else None
    if found is None:
        return None
    return Other(
        found.kind,
        found.occurred_at,
        found.occurred_at > session.get_one(Activity, match.activity_id).occurred_at,
    )


def _contacts(session: Session, match: Match, ids: Collection[int]) -> tuple[str, ...]:
    """Their names, with their roles on the deal."""
    rows = session.exec(
        select(Contact.name, DealContact.role)
        .outerjoin(
            DealContact,
            (col(DealContact.contact_id) == col(Contact.id)) & (col(DealContact.deal_id) == match.target_id),
        )
        .where(col(Contact.id).in_(ids))
        .order_by(col(Contact.name))
    )
    return tuple(f"{name} ({role.replace('_', ' ')})" if role else name for name, role in rows)
