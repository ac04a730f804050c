"""The deals that a team won in a week, and who contributed to them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlmodel import Session, col, func, select

from autocapture.measure.query import TracedRow
from autocapture.model.activities import Match, Participation
from autocapture.model.crm import Company, Deal
from autocapture.model.organization import User
from autocapture.report.summary import Contributor, Win


def wins(session: Session, won: Sequence[TracedRow], revenue: Sequence[TracedRow]) -> tuple[Win, ...]:
    """`won` are the rows of `deals_won`, `revenue` those of `revenue_won` in the same slice; the largest win comes first."""
    amounts = {row.id: (Decimal(row.contribution), row.currency) for row in revenue}
    ids = {row.id for row in won}
    found = session.exec(
        select(Deal, Company, User)
        .outerjoin(Company, col(Company.id) == col(Deal.company_id))
        .outerjoin(User, col(User.id) == col(Deal.owner_id))
        .where(col(Deal.id).in_(ids))
    ).all()
    told = [_win(session, deal, company, owner, amounts) for deal, company, owner in found]
    return tuple(sorted(told, key=lambda win: (-(win.amount or Decimal(0)), win.deal_id)))


def _win(
    session: Session,
    deal: Deal,
    company: Company | None,
    owner: User | None,
    amounts: dict[int, tuple[Decimal, str | None]],
) -> Win:
    assert deal.id is not None  # noqa: S101  a stored row has its key
    assert deal.closed_on is not None  # noqa: S101  a won deal has its day
    amount, currency = amounts.get(deal.id, (None, None))
    return Win(
        deal_id=deal.id,
        deal=deal.name,
        company=company.name if company else None,
        owner=owner.name if owner else "nobody",
        amount=amount if deal.amount_minor is not None else None,
        currency=currency,
        closed_on=deal.closed_on,
        cycle_days=(deal.closed_on - deal.created_on).days,
        contributors=contributors_of(session, deal.id),
    )


def contributors_of(session: Session, deal_id: int) -> tuple[Contributor, ...]:
    """Our people whose activities are matched to the deal, most active first."""
    times = func.count(func.distinct(col(Participation.activity_id)))
    rows = session.exec(
        select(User.name, times)
        .join(Participation, col(Participation.user_id) == col(User.id))
        .join(Match, col(Match.activity_id) == col(Participation.activity_id))
        .where(Match.target == "deal", Match.target_id == deal_id, col(Participation.counts).is_(True))
        .group_by(col(User.id), User.name)
        .order_by(times.desc(), col(User.name))
    ).all()
    return tuple(Contributor(name, number) for name, number in rows)
