"""A deal of which a summary tells: how it stood from day to day, and the activities that are matched to it."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, func, or_, select

from autocapture.errors import InputError
from autocapture.measure.money import from_minor
from autocapture.model.activities import Match
from autocapture.model.crm import Deal, DealState
from autocapture.model.measures import Publication
from autocapture.model.organization import User
from autocapture.report.numbers import MONEY
from autocapture.report.reader import Reader
from autocapture.report.summary import Contributor, Summary, Win
from autocapture.report.tallies import told_of
from autocapture.report.wins import contributors_of
from autocapture.report.wording import contributors, count
from autocapture.web.activity_rows import shown
from autocapture.web.below import below
from autocapture.web.ownership import sight_of
from autocapture.web.templating import render
from autocapture.web.visit import Visit


def page(
    session: Session, visit: Visit, publication: Publication, summary: Summary, deal_id: str, page_number: int
) -> str:
    """Of a summary that who asks may read. Raises InputError for a deal of which it does not tell. Activities that they may not
    see are counted, and not told."""
    number = int(deal_id) if deal_id.isdecimal() and deal_id.isascii() and len(deal_id) < 19 else -1
    told = list(told_of(summary, number))
    deal = session.get(Deal, number) if told else None
    if deal is None:
        raise InputError("this number was not published")
    win = next((one for one in told if isinstance(one, Win)), None)
    ids = session.exec(
        select(Match.activity_id).where(Match.target == "deal", Match.target_id == number).distinct()
    ).all()
    found = shown(session, sight_of(session, visit), ids, visit.reader, page_number)
    return render(
        "deal.html",
        title=told[0].deal,
        visit=visit,
        deal=told[0].deal,
        company=told[0].company or "",
        created=visit.reader.day(deal.created_on),
        told=_told(win, contributors_of(session, number)),
        states=_states(session, publication, deal, visit.reader),
        counted=count(len(ids), "activity is matched to it", "activities are matched to it"),
        **found.told,
        **below(publication, summary, visit.reader),
    )


def _told(win: Win | None, now: tuple[Contributor, ...]) -> str:
    """Who contributed to a won deal, as it was published and as it is."""
    if win is None:
        return ""
    said = f"Who contributed: {contributors(win.contributors)}."
    return said if now == win.contributors else f"{said} By now: {contributors(now)}."


def _states(session: Session, publication: Publication, deal: Deal, reader: Reader) -> list[dict[str, Any]]:
    """How the deal stood, as it was known when the summary was published; the newest first."""
    as_of = publication.as_of
    rows = session.exec(
        select(DealState, func.coalesce(User.name, ""))
        .outerjoin(User, col(User.id) == col(DealState.owner_id))
        .where(
            DealState.deal_id == deal.id,
            DealState.valid_from <= as_of,
            DealState.known_from <= as_of,
            or_(col(DealState.known_to).is_(None), col(DealState.known_to) > as_of),
        )
        .order_by(col(DealState.valid_from).desc(), col(DealState.id).desc())
    ).all()
    return [
        {
            "since": reader.moment_full(state.valid_from),
            "stage": state.stage or "",
            "outcome": state.outcome,
            "amount": _amount(state, reader),
            "owner": owner,
        }
        for state, owner in rows
    ]


def _amount(state: DealState, reader: Reader) -> str:
    if state.amount_minor is None:
        return "no amount"
    currency = state.currency
    if currency is None:
        return f"{state.amount_minor} in no currency"
    return reader.amount(from_minor(state.amount_minor, currency), MONEY, currency)
