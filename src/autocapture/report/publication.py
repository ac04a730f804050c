"""Publishing: a summary stored once, each of its numbers with the hash of the rows it was counted from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col, select

from autocapture.model.measures import Delivery, Publication, PublishedValue
from autocapture.report.measured import Measured, agree
from autocapture.report.numbers import Number, row_hash
from autocapture.report.summary import Summary, from_data, to_data
from autocapture.store.engine import insert_for


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept of a published number besides its value: its definition and the hash of its rows."""

    number: Number
    fingerprint: str
    row_hash: str


def prove(session: Session, summary: Summary) -> tuple[Proof, ...]:
    """Traces every number of `summary` in the session that counted it. Raises AssertionError where rows and number differ."""
    measured = Measured(session, summary.as_of)
    return tuple(_proof(measured, number) for number in summary.numbers())


def _proof(measured: Measured, number: Number) -> Proof:
    rows = measured.behind(number)
    if not agree(number, rows):
        raise AssertionError(f"the rows of {number.metric} in {number.cell} do not add up to it")
    return Proof(number, measured.fingerprint(number.metric), row_hash(rows))


def stored(session: Session, team_id: int, week: str) -> Publication | None:
    return session.exec(
        select(Publication).where(Publication.team_id == team_id, Publication.week == week)
    ).first()


def is_final(session: Session, publication: Publication) -> bool:
    """Whether it stays as it is: it was made from captured accounts, or somebody was mailed of it."""
    if publication.data.get("sourced", True):
        return True
    mailed = select(Delivery.id).where(Delivery.publication_id == publication.id).limit(1)
    return session.exec(mailed).first() is not None


def store(session: Session, summary: Summary, proofs: tuple[Proof, ...]) -> Publication:
    """Keeps `summary` unless its team and week already have a final one; returns what is kept. The unique row decides."""
    insert = insert_for(session)
    row = {
        "team_id": summary.team_id,
        "week": summary.week,
        "as_of": summary.as_of,
        "data": to_data(summary),
    }
    told = session.execute(
        insert(Publication).values(row).on_conflict_do_nothing().returning(col(Publication.id))
    )
    publication_id = told.scalar_one_or_none() or _renewed(session, summary)
    if publication_id is not None:
        session.add_all(_value(publication_id, proof) for proof in proofs)
        session.flush()
    publication = stored(session, summary.team_id, summary.week)
    assert publication is not None  # noqa: S101  it was inserted here or by another before
    return publication


def _renewed(session: Session, summary: Summary) -> int | None:
    """Puts `summary` in the place of an earlier one that is not final; None where it is. The lock keeps a mail from being
    claimed meanwhile."""
    kept = session.exec(
        select(Publication)
        .where(Publication.team_id == summary.team_id, Publication.week == summary.week)
        .with_for_update()
    ).one()
    if is_final(session, kept) or kept.as_of >= summary.as_of:
        return None
    session.execute(delete(PublishedValue).where(col(PublishedValue.publication_id) == kept.id))
    kept.as_of, kept.data = summary.as_of, to_data(summary)
    return kept.id


def summary_of(publication: Publication) -> Summary:
    return from_data(publication.data)


def _value(publication_id: int, proof: Proof) -> PublishedValue:
    number = proof.number
    return PublishedValue(
        publication_id=publication_id,
        metric=number.metric,
        cell=number.cell,
        fingerprint=proof.fingerprint,
        value=None if number.value is None else format(number.value, "f"),
        numerator=None if number.numerator is None else format(number.numerator, "f"),
        denominator=None if number.denominator is None else format(number.denominator, "f"),
        n=number.n,
        row_hash=proof.row_hash,
    )
