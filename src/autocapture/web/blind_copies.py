"""Who was copied blindly on a mail is told to its sender, to themselves, and to who sees all of theirs; to nobody else.

Only the sender's own copy names them. Whoever else took part must not learn of them from this program either: not from the list
of who took part, nor from what was matched because of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, or_, select

from autocapture.formats.domains import organization_domains
from autocapture.model.activities import Match, Participant, Participation
from autocapture.model.crm import CompanyDomain, Contact
from autocapture.web.ownership import Sight, within

_LONGEST_WAY_BACK = 50
"""From reply to reply; what began further back is not told where somebody was hidden there."""


def named_openly(sight: Sight) -> ColumnElement[bool]:
    """The condition that a participant was not copied blindly, as far as those seen can tell."""
    if sight.people is None:
        return true()
    theirs = select(Participation.activity_id).where(
        col(Participation.activity_id) == col(Participant.activity_id),
        col(Participation.role) == "sender",
        within(Participation.user_id, sight),
    )
    return or_(
        col(Participant.role) != "bcc",
        within(Participant.user_id, sight),
        theirs.correlate(Participant).exists(),
    )


@dataclass(frozen=True, slots=True)
class Parties:
    """Addresses and contacts of those whom a reader may see, and of those whom they must not."""

    seen: frozenset[str]
    seen_contacts: frozenset[int]
    hidden: frozenset[str] = frozenset()
    hidden_contacts: frozenset[int] = frozenset()


def parties_of(session: Session, sight: Sight, activity_id: int) -> Parties:
    rows = session.exec(
        select(Participant.address, Participant.contact_id, named_openly(sight)).where(
            Participant.activity_id == activity_id
        )
    ).all()
    seen = frozenset(address for address, _, openly in rows if openly)
    contacts = frozenset(contact for _, contact, openly in rows if openly and contact is not None)
    return Parties(
        seen,
        contacts,
        frozenset(address for address, _, openly in rows if not openly) - seen,
        frozenset(contact for _, contact, openly in rows if not openly and contact is not None) - contacts,
    )


def told_matches(
    session: Session, sight: Sight, matches: Sequence[Match], parties: Parties
) -> list[tuple[Match, Mapping[str, Any]]]:
    """Each match that something else than hidden parties speaks for, of this activity or of the one before it from which it was
    taken over; with the evidence without those."""
    companies = {
        match.target_id
        for match in matches
        if match.target == "company"
        and not (_is_told_of(session, match, parties) and _is_told_before(session, sight, match))
    }
    deals = {
        match.target_id
        for match in matches
        if match.target == "deal"
        and (
            match.evidence.get("company") in companies
            or _names_only_hidden(match, parties)
            or not _is_told_before(session, sight, match)
        )
    }
    return [
        (match, _told(match.evidence, parties))
        for match in matches
        if not (match.target == "deal" and match.target_id in deals)
        and not (match.target == "company" and (match.target_id in companies or _is_of(match, deals)))
    ]


def _is_told_before(session: Session, sight: Sight, match: Match) -> bool:
    """Whether a match that was taken over from an earlier activity is told there. True of any other."""
    origin: Match | None = match
    for _ in range(_LONGEST_WAY_BACK):
        if origin is None or "precedent" not in origin.evidence:
            break
        key = (int(origin.evidence["precedent"]), match.target, match.target_id)
        origin = session.get(Match, key)
    if origin is None or origin.activity_id == match.activity_id:
        return True
    parties = parties_of(session, sight, origin.activity_id)
    if not parties.hidden or "precedent" in origin.evidence:
        return not parties.hidden
    there = session.exec(select(Match).where(Match.activity_id == origin.activity_id)).all()
    return any(
        (told.target, told.target_id) == (match.target, match.target_id)
        for told, _ in told_matches(session, sight, there, parties)
    )


def _is_told_of(session: Session, match: Match, parties: Parties) -> bool:
    """Whether a company is known by somebody who may be seen, or by something else than who took part."""
    by = str(match.evidence.get("by", ""))
    by_domain = match.method in ("domain", "learned_domain") and any(
        by in _domains(address) for address in parties.hidden
    )
    if by not in parties.hidden and not by_domain:
        return True
    contacts = select(Contact.id).where(
        col(Contact.id).in_(parties.seen_contacts), Contact.company_id == match.target_id
    )
    domains = {domain for address in parties.seen for domain in _domains(address)}
    of_seen = select(CompanyDomain.domain).where(
        col(CompanyDomain.domain).in_(domains), CompanyDomain.company_id == match.target_id
    )
    return session.exec(contacts).first() is not None or session.exec(of_seen).first() is not None


def _names_only_hidden(match: Match, parties: Parties) -> bool:
    contacts = match.evidence.get("contacts")
    return bool(contacts) and parties.hidden_contacts.issuperset(contacts or ())


def _is_of(match: Match, deals: Set[int]) -> bool:
    """Whether the company is known as that of one of these deals."""
    return match.method == "deal" and str(match.evidence.get("by")) in {str(each) for each in deals}


def _told(evidence: Mapping[str, Any], parties: Parties) -> dict[str, Any]:
    told = {key: value for key, value in evidence.items() if key != "by" or value not in parties.hidden}
    if "contacts" in told:
        told["contacts"] = [each for each in told["contacts"] if each not in parties.hidden_contacts]
    return told


def _domains(address: str) -> tuple[str, ...]:
    return tuple(organization_domains(address.rpartition("@")[2])) if "@" in address else ()
