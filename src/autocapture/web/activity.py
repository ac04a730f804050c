"""One activity: who took part, what it was matched to and why, and where it was seen. Never its text."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from fastapi.responses import HTMLResponse
from sqlmodel import Session, col, or_, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.crm import Contact
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.report.numbers import RATE
from autocapture.report.reader import Reader
from autocapture.store.engine import reading
from autocapture.store.unreachable import unreachable
from autocapture.web.blind_copies import Parties, named_openly, parties_of, told_matches
from autocapture.web.correction_form import form_of, just_said, told_of
from autocapture.web.ownership import Sight, sees_activity, sight_of, within
from autocapture.web.reasons import reasons, target_name
from autocapture.web.signs import signs, whole
from autocapture.web.templating import render
from autocapture.web.visit import Visit
from autocapture.workflows.alternatives import consider
from autocapture.workflows.kept_out import is_kept_out
from autocapture.workflows.people import our_people_as_known


def page(application: Application, visit: Visit, activity_id: int, said: int | None = None) -> str:
    """`said` is the correction that was just made. Raises InputError where there is no such activity, or none that who asks can
    see."""
    return _page(application, visit, activity_id, said=said)


def shown(application: Application, visit: Visit, activity_id: int, why: str) -> HTMLResponse:
    """The page, with why nothing was corrected."""
    return HTMLResponse(_page(application, visit, activity_id, why=why), 422)


def _page(
    application: Application, visit: Visit, activity_id: int, *, said: int | None = None, why: str = ""
) -> str:
    reader = visit.reader
    organization = None if visit.user is None else our_people_as_known(application)
    with reading(application.engine) as session:
        sight = sight_of(session, visit)
        activity = session.get(Activity, activity_id)
        if activity is None or not sees_activity(session, sight, activity_id):
            raise InputError("there is no such activity")
        parties = parties_of(session, sight, activity_id)
        hidden = bool(parties.hidden)
        considered = (
            None if hidden or organization is None else consider(session, organization, [activity_id])
        )
        there = replace(reader, time_zone=_zone(session, activity_id) or reader.time_zone)
        return render(
            "activity.html",
            title=activity.kind.capitalize(),
            visit=visit,
            activity=activity,
            kept_out=considered is not None
            and organization is not None
            and is_kept_out(considered.items[activity_id].draft, organization),
            when=there.moment_full(activity.occurred_at),
            review="" if hidden else activity.review,
            participants=_participants(session, activity_id, there, sight),
            signs=signs(session, activity, sight),
            whole=whole(session, activity, sight),
            matches=_matches(session, activity_id, reader, sight, parties),
            sightings=_sightings(session, activity, reader, sight),
            form=form_of(session, visit, sight, activity, considered),
            told=[] if considered is None else told_of(session, activity_id, considered, reader),
            said=None if said is None else just_said(session, visit, said),
            why=why,
        )


def _zone(session: Session, activity_id: int) -> str | None:
    """The time zone of the rep for whom it counts, of the first of several."""
    return session.exec(
        select(User.time_zone)
        .join(Participation, col(Participation.user_id) == col(User.id))
        .where(Participation.activity_id == activity_id)
        .order_by(col(Participation.counts).desc(), col(User.id))
        .limit(1)
    ).first()


def _participants(session: Session, activity_id: int, reader: Reader, sight: Sight) -> list[dict[str, Any]]:
    rows = session.exec(
        select(Participant, User.name, Contact.name)
        .outerjoin(User, col(User.id) == col(Participant.user_id))
        .outerjoin(Contact, col(Contact.id) == col(Participant.contact_id))
        .where(Participant.activity_id == activity_id, named_openly(sight))
        .order_by(col(Participant.role), col(Participant.address))
    ).all()
    bounced = unreachable(session, {participant.address for participant, _, _ in rows})
    return [
        {
            "role": participant.role,
            "name": user or contact or participant.name,
            "address": participant.address,
            "side": "ours" if user else "known contact" if contact else "not in the CRM",
            "response": participant.response or "",
            "bounced": reader.moment(bounced[participant.address]) if participant.address in bounced else "",
        }
        for participant, user, contact in rows
    ]


def _matches(
    session: Session, activity_id: int, reader: Reader, sight: Sight, parties: Parties
) -> list[dict[str, Any]]:
    found = session.exec(
        select(Match).where(Match.activity_id == activity_id).order_by(col(Match.target))
    ).all()
    return [
        {
            "target": match.target,
            "name": target_name(session, match),
            "weight": reader.amount(Decimal(str(match.weight)), RATE),
            "method": match.method.replace("_", " "),
            "reasons": reasons(session, match, evidence, lambda other: sees_activity(session, sight, other)),
        }
        for match, evidence in told_matches(session, sight, found, parties)
    ]


def _sightings(session: Session, activity: Activity, reader: Reader, sight: Sight) -> list[dict[str, Any]]:
    seen = col(LedgerEntry.activity_id) == activity.id
    if activity.kind == "meeting" and activity.series_id is not None:
        seen = or_(seen, col(LedgerEntry.series_id) == activity.series_id)
    rows = session.exec(
        select(LedgerEntry, Channel, Account, User)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .join(User, col(User.id) == col(Account.user_id))
        .where(seen, within(Account.user_id, sight))
        .order_by(col(LedgerEntry.first_seen_at), col(LedgerEntry.channel_id))
    ).all()
    return [
        {
            "user": user.name,
            "connector": account.connector,
            "channel": channel.name,
            "source_id": entry.source_id,
            "seen": reader.moment_full(entry.first_seen_at),
            "gone": reader.moment_full(entry.gone_at) if entry.gone_at else None,
        }
        for entry, channel, account, user in rows
    ]
