"""Correcting what was found out by itself: one sentence, written down for good, and everything it holds for matched anew.

A rep speaks for their own activities, whoever leads people for theirs. A correction that reaches beyond its activity holds for
those on whose behalf it was made, and not for what a colleague has with the same person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, or_, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.formats.domains import organization_domains
from autocapture.formats.handles import canonical_email
from autocapture.model.activities import Participant, ThreadKey
from autocapture.model.corrections import UNDO, Correction, Said, Scope
from autocapture.model.crm import Contact, Deal
from autocapture.model.directory import Organization
from autocapture.model.draft import Draft
from autocapture.model.organization import User
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.bulk import in_chunks
from autocapture.store.engine import take_turn, writing
from autocapture.workflows.crm_names import contact_named, deal_named
from autocapture.workflows.leading import with_those_led
from autocapture.workflows.matching import BATCH, rematch
from autocapture.workflows.people import our_people
from autocapture.workflows.spot_checks import BY_PEOPLE, group_of, is_sampled

_AUTHORS = ("from", "organizer", "caller")


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody says of an activity, as it is typed.

    `deal` is its key or name in the CRM. `handle` says who is meant, where several people from outside take part; `contact` (said
    person) who that is: a key, an address or a name in the CRM, or None for nobody there.
    """

    said: Said
    scope: Scope = "item"
    deal: str = ""
    handle: str = ""
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of it: the row, and how many activities are matched differently now."""

    correction_id: int
    changed: int


def correct(app: Application, by: int, activity_id: int, saying: Saying) -> Corrected:
    """Writes down what the user `by` says of an activity, and matches everything it holds for anew, in one transaction.

    Raises InputError for an activity that is not theirs to speak of, a deal or person that the CRM does not have, or a scope that
    this activity cannot give.
    """
    organization, now = our_people(app), app.clock.now()
    with writing(app.engine) as session:
        take_turn(session)
        stored = activities.load(session, [activity_id]).get(activity_id)
        speaker = _active(session, by)
        users = _spoken_for(session, speaker, stored)
        if stored is None or not users:
            raise InputError(f"there is no activity {activity_id} of yours, or of those whom you lead")
        if saying.said == "not_business":
            _refuse_for_colleagues(stored, users, organization)
        row = _row(session, stored, saying, organization)
        row.found, row.asked = _found(session, stored, saying), is_sampled(group_of(stored))
        row.made_at, row.made_by, row.for_users = now, by, sorted(users)
        return _written(session, organization, row, row, now)


def undo(app: Application, by: int, correction_id: int) -> Corrected:
    """Takes a correction back, and matches what it held for as if it had never been made. It stays in the log, with who took
    it back. Raises InputError for one that is not theirs to take back, or was taken back already."""
    organization, now = our_people(app), app.clock.now()
    with writing(app.engine) as session:
        take_turn(session)
        row = session.get(Correction, correction_id)
        led = with_those_led(session, _active(session, by))
        if row is None or row.said == UNDO or not (row.made_by in led or led.intersection(row.for_users)):
            raise InputError(f"there is no correction {correction_id} of yours, or of those whom you lead")
        if session.exec(select(Correction.id).where(Correction.undoes == correction_id)).first():
            raise InputError(f"correction {correction_id} was taken back already")
        taken_back = Correction(
            made_at=now,
            made_by=by,
            said=UNDO,
            activity_id=row.activity_id,
            for_users=row.for_users,
            undoes=correction_id,
        )
        return _written(session, organization, taken_back, row, now)


def _written(
    session: Session, organization: Organization, row: Correction, about: Correction, now: datetime
) -> Corrected:
    session.add(row)
    session.flush()
    changed = sum(
        rematch(session, organization, chunk, now) for chunk in in_chunks(_held_for(session, about), BATCH)
    )
    return Corrected(row.id or 0, changed)


def _active(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None or not user.active:
        raise InputError("this user is not active, and corrects nothing")
    return user


def _spoken_for(session: Session, speaker: User, stored: Stored | None) -> frozenset[int]:
    """Who took part in an activity, of the speaker and those whom they lead. What is no business is its participants' alone."""
    if stored is None:
        return frozenset()
    ours = {part.user_id for part in stored.draft.parts}
    led = with_those_led(session, speaker) if stored.matched.business else frozenset({speaker.id or 0})
    return led & ours


def _refuse_for_colleagues(stored: Stored, users: Collection[int], organization: Organization) -> None:
    others = sorted({part.user_id for part in stored.draft.parts if part.counts} - set(users))
    if others:
        names = " and ".join(organization.colleagues[each].name for each in others)
        raise InputError(
            f"it counts for {names} as well; only who leads all of you can say it is no business"
        )


def _row(session: Session, stored: Stored, saying: Saying, organization: Organization) -> Correction:
    """The row, without who makes it when."""
    group = stored.thread_id or stored.series_id
    scope = "item" if saying.scope == "thread" and group is None else saying.scope
    row = Correction(
        made_at=stored.draft.occurred_at,
        made_by=0,
        said=saying.said,
        scope=scope,
        activity_id=stored.activity_id,
    )
    if scope == "thread":
        row.thread_key = group
    if saying.said == "deal":
        deal = deal_named(session, saying.deal)
        row.deal = deal.source_id
        if scope in ("person", "domain") and deal.closed_at and deal.closed_at < stored.draft.occurred_at:
            raise InputError(f"{deal.name} closed before this; say it of this item or its thread alone")
    if saying.said == "person":
        if scope == "domain":
            raise InputError("who somebody is cannot be said of a whole domain")
        row.handle = _person_meant(stored.draft, saying.handle, organization)
        row.contact = None if saying.contact is None else contact_named(session, saying.contact).source_id
    elif scope in ("person", "domain"):
        handle = _person_meant(stored.draft, saying.handle, organization)
        row.since = None if saying.said == "not_business" else stored.draft.occurred_at
        if scope == "domain":
            row.domain = _domain_of(handle)
        else:
            row.handle, row.contact = handle, _contact_of(session, stored, handle)
    return row


def _found(session: Session, stored: Stored, saying: Saying) -> dict[str, float] | None:
    """The deals on which matching put it by itself, by their keys in the CRM, where this judges that."""
    weights = {link.target_id: link.weight for link in stored.matched.links if link.target == "deal"}
    said_before = any(link.method == BY_PEOPLE for link in stored.matched.links)
    if saying.said == "person" or said_before or not weights:
        return None
    keys = session.exec(select(Deal.source_id, Deal.id).where(col(Deal.id).in_(weights)))
    return {key: weights[number] for key, number in keys if number is not None}


def _person_meant(draft: Draft, handle: str, organization: Organization) -> str:
    """The one from outside who is meant: who is named, else the only one, else who wrote, invited or called."""
    outside = [
        party
        for party in draft.parties
        if party.user_id is None and not party.resource and not organization.is_inside(party.address)
    ]
    addresses = list(dict.fromkeys(party.address for party in outside))
    openly = list(dict.fromkeys(party.address for party in outside if party.role != "bcc"))
    if handle:
        meant = canonical_email(handle) if "@" in handle else handle.strip()
        if meant not in addresses:
            raise InputError(f"{handle} does not take part from outside; {_listed(openly)} do")
        return meant
    authors = [party.address for party in outside if party.role in _AUTHORS]
    if len(addresses) == 1 or authors:
        return (authors or addresses)[0]
    if not addresses:
        raise InputError("nobody from outside takes part")
    raise InputError(f"say whom you mean: {_listed(openly)} take part")


def _listed(addresses: Collection[str]) -> str:
    return ", ".join(addresses) or "nobody"


def _domain_of(handle: str) -> str:
    domains = organization_domains(handle.rpartition("@")[2]) if "@" in handle else ()
    if not domains:
        raise InputError(f"{handle} has no domain that names an organisation; say it of the person")
    return domains[-1]


def _contact_of(session: Session, stored: Stored, handle: str) -> str | None:
    contact_id = next((each.contact_id for each in stored.matched.parties if each.address == handle), None)
    if contact_id is None:
        return None
    return session.exec(select(Contact.source_id).where(Contact.id == contact_id)).first()


def _held_for(session: Session, row: Correction) -> list[int]:
    """The activities for which a correction may hold, by a member of each thread and series; its own first."""
    found: list[int] = [row.activity_id]
    if row.scope == "thread" and row.thread_key is not None:
        found += _of_thread(session, row.thread_key)
    if row.scope == "person" and row.handle is not None:
        theirs = [_is_handle(row.handle)]
        if row.said != "person" and row.contact is not None:
            contact = select(Contact.id).where(Contact.source_id == row.contact)
            theirs.append(col(Participant.contact_id).in_(contact))
        found += _outside(session, or_(*theirs))
    if row.scope == "domain" and row.domain is not None:
        address = col(Participant.address)
        on_domain = (address.endswith(f"{before}{row.domain}", autoescape=True) for before in "@.")
        found += _outside(session, or_(*on_domain))
    return list(dict.fromkeys(found))


def _outside(session: Session, condition: ColumnElement[bool]) -> Sequence[int]:
    outside = select(Participant.activity_id).where(condition, col(Participant.user_id).is_(None))
    return session.exec(outside.distinct()).all()


def _is_handle(handle: str) -> ColumnElement[bool]:
    """The condition that a participant has this handle, with or without a tag."""
    address = col(Participant.address)
    local, at, domain = handle.partition("@")
    if not at:
        return address == handle
    tagged = and_(
        address.startswith(f"{local}+", autoescape=True), address.endswith(f"@{domain}", autoescape=True)
    )
    return or_(address == handle, tagged)


def _of_thread(session: Session, key: int) -> list[int]:
    """One activity of the thread or series to which a key belongs now."""
    thread_id = session.exec(select(ThreadKey.thread_id).where(ThreadKey.key == key)).first()
    found = activities.load_group(
        session, "series_id" if thread_id is None else "thread_id", [thread_id or key]
    )
    return list(found)[:1]
