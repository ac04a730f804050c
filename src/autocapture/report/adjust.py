"""Numbers that were told and would be told otherwise by now: what would have been told then, had it been known what is known now.

Everything that goes by the clock (what was open, what had been answered) stays at the moment of the summary, so that only what
was learned since makes a difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from sqlmodel import Session, col, select

from autocapture.measure.catalog import CATALOG
from autocapture.model.measures import Adjustment, Publication, PublishedValue
from autocapture.report.causes import causes_of, from_rows, merged, to_rows
from autocapture.report.measured import Measured
from autocapture.report.numbers import Cell, Number
from autocapture.report.pipeline import is_movement
from autocapture.report.publication import is_final, summary_of
from autocapture.report.summary import Adjusted, Summary


def adjust(session: Session, publication: Publication, now: datetime) -> int:
    """Writes down which of its numbers differ from what they were last told, or found, to be; how many. Of a summary that is not
    final none does."""
    if not is_final(session, publication):
        return 0
    summary = summary_of(publication)
    measured = Measured(session, publication.as_of, known_at=now)
    kept = _kept(session, publication)
    before = _last(session, publication)
    found = 0
    for number in told_once(summary):
        known = before.get((number.metric, number.cell))
        value = number.value if known is None else _decimal(known.after)
        if kept.get((number.metric, number.cell)) != measured.fingerprint(number.metric):
            continue  # it is defined otherwise by now: that is no news of what happened
        new = measured.number(number.metric, Cell.parse(number.cell)).value
        if (value or None) == (new or None):  # nothing, and 0 of it
            continue
        since = publication.as_of if known is None else known.found_at
        causes = causes_of(session, number, Cell.parse(number.cell), _people(summary, number), since)
        session.add(
            Adjustment(
                publication_id=publication.id or 0,
                metric=number.metric,
                cell=number.cell,
                before=None if value is None else format(value, "f"),
                after=None if new is None else format(new, "f"),
                currency=number.currency,
                causes=to_rows(causes),
                found_at=now,
            )
        )
        found += 1
    return found


def told_once(summary: Summary) -> tuple[Number, ...]:
    """The numbers of the week itself, how its pipelines moved, and the numbers of quotas whose period ended in it: these are told
    in no later summary."""
    week = [tile.number for tile in summary.tiles]
    week += [movement.number for pipeline in summary.pipelines for movement in pipeline.movements]
    week += [number for person in summary.people for number in person.numbers]
    held = (summary.attainment, *(person.attainment for person in summary.people))
    week += [
        each.actual
        for each in held
        if each is not None and summary.period_start <= each.period_end <= summary.period_end
    ]
    counted = [number for number in week if number.metric in CATALOG or is_movement(number.metric)]
    return tuple({(number.metric, number.cell): number for number in counted}.values())


def adjusted(session: Session, publication: Publication) -> tuple[Adjusted, ...]:
    """What became of a summary's numbers since it was told."""
    rows = session.exec(select(Adjustment).where(Adjustment.publication_id == publication.id)).all()
    return _told(rows, summary_of(publication))


def adjusted_before(session: Session, team_id: int, week: str, as_of: datetime) -> tuple[Adjusted, ...]:
    """What was found of the numbers of earlier weeks of a team since its last summary before this week's was told, the newest
    week first."""
    earlier = session.exec(
        select(Publication)
        .where(Publication.team_id == team_id, Publication.week < week)
        .order_by(col(Publication.week).desc())
    ).all()
    if not earlier:
        return ()
    since = earlier[0].as_of
    found: list[Adjusted] = []
    for publication in earlier:
        rows = session.exec(
            select(Adjustment).where(
                Adjustment.publication_id == publication.id,
                Adjustment.found_at > since,
                Adjustment.found_at <= as_of,
            )
        ).all()
        if rows:
            found += _told(rows, summary_of(publication))
    return tuple(found)


def _told(rows: Iterable[Adjustment], summary: Summary) -> tuple[Adjusted, ...]:
    """The rows of one number as one step from the first to the last; none where they lead back."""
    places = {(number.metric, number.cell): place for place, number in enumerate(told_once(summary))}
    numbers = {(number.metric, number.cell): number for number in told_once(summary)}

    def key(row: Adjustment) -> tuple[int, int]:
        return places.get((row.metric, row.cell), -1), row.id or 0

    steps: list[Adjusted] = []
    for place, group in groupby(sorted(rows, key=key), key=lambda row: key(row)[0]):
        of = list(group)
        if place < 0 or of[0].before == of[-1].after:
            continue
        number = numbers[of[0].metric, of[0].cell]
        steps.append(
            Adjusted(
                week=summary.week,
                whose=_whose(summary, number),
                before=replace(number, value=_decimal(of[0].before)),
                after=replace(number, value=_decimal(of[-1].after)),
                causes=merged(cause for row in of for cause in from_rows(row.causes)),
            )
        )
    return tuple(steps)


def _whose(summary: Summary, number: Number) -> str:
    user = Cell.parse(number.cell).user
    return next((person.name for person in summary.people if person.user_id == user), summary.team)


def _people(summary: Summary, number: Number) -> Collection[int]:
    user = Cell.parse(number.cell).user
    return [user] if user is not None else [person.user_id for person in summary.people]


def _kept(session: Session, publication: Publication) -> dict[tuple[str, str], str]:
    rows = session.exec(
        select(PublishedValue.metric, PublishedValue.cell, PublishedValue.fingerprint).where(
            PublishedValue.publication_id == publication.id
        )
    )
    return {(metric, cell): fingerprint for metric, cell, fingerprint in rows}


def _last(session: Session, publication: Publication) -> dict[tuple[str, str], Adjustment]:
    rows: Sequence[Adjustment] = session.exec(
        select(Adjustment).where(Adjustment.publication_id == publication.id).order_by(col(Adjustment.id))
    ).all()
    return {(row.metric, row.cell): row for row in rows}


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
