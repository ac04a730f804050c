"""How a deal stood when: intervals from its present row, its stage changes and what earlier imports knew. Pure.

Stages skipped and back moves are what the changes say (METRICS R4); a closed deal that was reopened has one interval for each
outcome (R3). Amount, owner and expected day hold for the whole history until an import saw another: then from that import on
(R8, R18).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from autocapture.crm.rows import State, Values
from autocapture.model.crm import OPEN


class Entered(NamedTuple):
    """The deal entered `stage` at `at`."""

    at: datetime
    stage: str | None
    outcome: str = OPEN


def states_of(
    deal: Values,
    changes: Sequence[tuple[datetime, str]],
    outcomes: Mapping[str, str],
    earlier: Sequence[State],
    now: datetime,
) -> tuple[State, ...]:
    """The intervals of one deal from its creation on, the last one open-ended; no gaps, neighbours differ.

    `deal` holds its present columns, `changes` (at, stage) in order, `outcomes` what closed stages mean, `earlier` the
    intervals as the last import left them.
    """
    created_at = _instant(deal["created_at"])
    stages = _stages(deal, changes, outcomes, earlier, now)
    facts = _facts(deal, earlier, now)
    cuts = sorted(
        {at for at, *_ in stages} | {fact.valid_from for fact in facts if fact.valid_from > created_at}
    )
    found: list[State] = []
    for start in cuts:
        entered = stages[bisect_right([item.at for item in stages], start) - 1]
        fact = facts[max(bisect_right([item.valid_from for item in facts], start) - 1, 0)]
        state = replace(fact, valid_from=start, valid_to=None, stage=entered.stage, outcome=entered.outcome)
        if found and replace(found[-1], valid_from=start) == state:
            continue
        if found:
            found[-1] = replace(found[-1], valid_to=start)
        found.append(state)
    return tuple(found)


def moved_away(
    stored: Sequence[tuple[datetime, str]], listed: Sequence[tuple[datetime, str]]
) -> list[tuple[datetime, str]]:
    """The stored changes (at, stage) of a deal that a file, which lists some of its changes, has no more: within the time of
    which it tells, and after that those of a stage that it dates anew. An export may begin late, and lag behind."""
    first, last = min(at for at, _ in listed), max(at for at, _ in listed)
    known = set(stored)
    dated_anew = {stage for at, stage in listed if (at, stage) not in known}
    return [
        (at, stage)
        for at, stage in stored
        if (at, stage) not in listed and (first <= at <= last or (at > last and stage in dated_anew))
    ]


def unseen_changes(
    known: Values | None, deal: Values, changes: Sequence[tuple[datetime, str]], now: datetime
) -> tuple[tuple[datetime, str], ...]:
    """The changes that only the comparison with the last import shows: dated at the closing, else at this import.

    Where the deal has no history yet, the stage in which it stood so far begins it.
    """
    stage = deal.get("stage")
    if (
        known is None
        or stage is None
        or known.get("stage") in (None, stage)
        or (changes and changes[-1][1] == stage)
    ):
        return ()
    closed_at = deal.get("closed_at")
    at = closed_at if isinstance(closed_at, datetime) else now
    if changes:
        return ((max(at, changes[-1][0]), str(stage)),)
    began = _instant(known.get("closed_at") or known["created_at"])
    return ((began, str(known["stage"])), (max(at, began), str(stage)))


def _stages(
    deal: Values,
    changes: Sequence[tuple[datetime, str]],
    outcomes: Mapping[str, str],
    earlier: Sequence[State],
    now: datetime,
) -> list[Entered]:
    """The stages in order, beginning at the creation; of several at one instant the last counts."""
    created_at, closed_at = _instant(deal["created_at"]), deal.get("closed_at")
    present = Entered(created_at, _text(deal.get("stage")), str(deal.get("outcome") or OPEN))
    events = {created_at: Entered(created_at, None)}
    for at, stage in changes:
        at = max(at, created_at)
        events[at] = Entered(at, stage, outcomes.get(stage, OPEN))
    if isinstance(closed_at, datetime):
        events = _until_close(events, closed_at, present)
        events[closed_at] = present._replace(at=closed_at)
    elif not changes:
        events = {created_at: present}
    elif present.stage is not None:
        last = max(events)
        at = last if events[last].stage == present.stage else _seen_since(present, earlier, last, now)
        events[at] = present._replace(at=at)
    return [events[at] for at in sorted(events)]


def _until_close(
    events: Mapping[datetime, Entered], closed_at: datetime, present: Entered
) -> dict[datetime, Entered]:
    """The changes before the close. The last of them, where the deal is closed by it as it is closed now, is the same close: the
    CRM dates it otherwise by now."""
    before = sorted(at for at in events if at < closed_at)
    while len(before) > 1 and events[before[-1]]._replace(at=present.at) == present:
        before.pop()
    return {at: events[at] for at in before}


def _seen_since(present: Entered, earlier: Sequence[State], after: datetime, now: datetime) -> datetime:
    """Since when the deal stands where its changes do not lead: as an earlier import found, else since now."""
    since = None
    for state in reversed(earlier):
        if (state.stage, state.outcome) != (present.stage, present.outcome):
            break
        since = state.valid_from
    return max(since or now, after)


def _facts(deal: Values, earlier: Sequence[State], now: datetime) -> list[State]:
    """Amount, currency, owner, expected day and pipeline over time; only `valid_from` and those columns count."""
    created_at = _instant(deal["created_at"])
    expected = deal.get("expected_close_on")
    amount = deal.get("amount_minor")
    present = State(
        valid_from=created_at,
        valid_to=None,
        stage=None,
        outcome=OPEN,
        owner=_text(deal.get("owner")),
        amount_minor=amount if isinstance(amount, int) else None,
        currency=_text(deal.get("currency")),
        expected_close_on=expected if isinstance(expected, date) else None,
        pipeline=_text(deal.get("pipeline")) or "default",
    )
    facts = [replace(state, valid_to=None, stage=None, outcome=OPEN) for state in earlier]
    if not facts:
        return [present]
    facts = [replace(fact, valid_from=max(fact.valid_from, created_at)) for fact in facts]
    facts[0] = replace(facts[0], valid_from=created_at)
    if replace(facts[-1], valid_from=created_at) != present:
        facts.append(replace(present, valid_from=max(now, facts[-1].valid_from)))
    return facts


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"a deal's time must be an instant, not {type(value).__name__}")
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
