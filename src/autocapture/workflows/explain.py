"""Why an activity is here, what it was matched to and how that came about, what else it could have been, and what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from autocapture.match.locks import people_said, who_said, word_on
from autocapture.match.people import known_person, outside_handles
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Match, Participant
from autocapture.model.crm import Company, Contact, ContactHandle
from autocapture.model.directory import Organization
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.workflows.alternatives import NONE, Alternatives, Considered, alternatives, consider
from autocapture.workflows.corrections_told import Told, said_of
from autocapture.workflows.kept_out import is_kept_out
from autocapture.workflows.links_told import LinkTold, links_told


@dataclass(frozen=True, slots=True)
class Seen:
    """One copy: in whose account and channel, since when, and by which rule it was admitted."""

    user_id: int
    owner: str
    account_id: int
    connector: str
    channel: str
    source_id: str
    rule: str
    at: datetime
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who took part, in which role, and who they are to us."""

    role: str
    name: str
    address: str
    known_as: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to say of one activity. `holds` are the corrections among `said` that decide it now; `kept_out`: it counts
    nothing because the never-log list names who takes part."""

    activity: Activity
    seen: tuple[Seen, ...]
    who: tuple[Who, ...]
    links: tuple[LinkTold, ...]
    alternatives: Alternatives
    said: tuple[Told, ...]
    holds: frozenset[int]
    kept_out: bool = False


def explain(session: Session, organization: Organization, activity_id: int) -> Explanation | None:
    """None where there is no such activity. Who may be told how much of it is the caller's to know."""
    activity = session.get(Activity, activity_id)
    if activity is None:
        return None
    considered = consider(session, organization, [activity_id])
    holds = holding(considered, activity_id)
    matches = session.exec(
        select(Match)
        .where(Match.activity_id == activity_id)
        .order_by(col(Match.target), col(Match.target_id))
    ).all()
    return Explanation(
        activity=activity,
        seen=_seen(session, activity),
        who=_who(session, activity_id),
        links=links_told(session, matches),
        alternatives=alternatives(session, considered).get(activity_id, NONE),
        said=tuple(said_of(session, activity_id, holds)),
        holds=holds,
        kept_out=not activity.business and is_kept_out(considered.items[activity_id].draft, organization),
    )


def holding(considered: Considered, activity_id: int) -> frozenset[int]:
    """The corrections that decide an activity: on its deal or business, and on who takes part in it."""
    directory, item = considered.directory, considered.items[activity_id]
    handles = outside_handles(item.draft.parties, directory)
    said = people_said(activity_id, item.draft, handles, directory)
    people = [said.get(handle) or known_person(handle, directory) for handle in handles]
    word = word_on(activity_id, item.draft, people, directory)
    on_people = who_said(activity_id, item.draft, handles, directory).values()
    return frozenset(each.correction_id for each in (*word.torn, word.lock, *on_people) if each is not None)


def _seen(session: Session, activity: Activity) -> tuple[Seen, ...]:
    copies = col(LedgerEntry.activity_id) == activity.id
    if activity.series_id is not None and activity.kind == "meeting":
        copies = or_(copies, col(LedgerEntry.series_id) == activity.series_id)
    rows = session.exec(
        select(LedgerEntry, Channel, Account, User)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .join(User, col(User.id) == col(Account.user_id))
        .where(copies)
        .order_by(col(LedgerEntry.first_seen_at), col(LedgerEntry.channel_id), col(LedgerEntry.source_id))
    )
    return tuple(
        Seen(
            user_id=account.user_id,
            owner=user.name,
            account_id=account.id or 0,
            connector=account.connector,
            channel=channel.name,
            source_id=entry.source_id,
            rule=entry.rule or "",
            at=entry.first_seen_at,
            gone_at=entry.gone_at,
        )
        for entry, channel, account, user in rows
    )


def _who(session: Session, activity_id: int) -> tuple[Who, ...]:
    shared = _shared(session, activity_id)
    rows = session.exec(
        select(Participant, User.name, Contact.name, Company.name)
        .outerjoin(User, col(User.id) == col(Participant.user_id))
        .outerjoin(Contact, col(Contact.id) == col(Participant.contact_id))
        .outerjoin(Company, col(Company.id) == col(Contact.company_id))
        .where(Participant.activity_id == activity_id)
        .order_by(col(Participant.role), col(Participant.address))
    )
    return tuple(
        Who(party.role, party.name, party.address, _known_as(party, user, contact, company, shared))
        for party, user, contact, company in rows
    )


def _shared(session: Session, activity_id: int) -> dict[str, list[str]]:
    """The companies of those who have the same address or number, by each that several have."""
    rows = session.exec(
        select(ContactHandle.value, ContactHandle.contact_id, Company.name)
        .join(Participant, col(Participant.address) == col(ContactHandle.value))
        .join(Contact, col(Contact.id) == col(ContactHandle.contact_id))
        .outerjoin(Company, col(Company.id) == col(Contact.company_id))
        .where(Participant.activity_id == activity_id, col(Participant.user_id).is_(None))
        .order_by(col(Company.name), col(Contact.id))
    ).all()
    having = Counter(value for value, _, _ in rows)
    found: dict[str, list[str]] = {value: [] for value, number in having.items() if number > 1}
    for value, _, company in rows:
        if value in found and company and company not in found[value]:
            found[value].append(company)
    return found


def _known_as(
    party: Participant,
    user: str | None,
    contact: str | None,
    company: str | None,
    shared: Mapping[str, Sequence[str]],
) -> str:
    if user is not None:
        return f"{user}, one of ours"
    if party.resource:
        return "a room or thing"
    if contact is None and party.address in shared:
        what = "an address" if "@" in party.address else "a number"
        of = " and ".join(shared[party.address])
        return f"{what} that several contacts{f' of {of}' if of else ''} share"
    if contact is None:
        return "nobody in the CRM"
    return f"{contact} of {company}" if company else contact
