"""The weekly summary as data: plain frozen values that survive a round trip through JSON, as the publication stores them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from autocapture.measure.interval import wilson
from autocapture.report.numbers import Number

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PERSON_GROUPS = (
    ("Input", ("emails_sent", "calls_made", "meetings_held")),
    ("Between", ("opportunities_created", "open_pipeline_value")),
    ("Output", ("deals_won", "revenue_won")),
)
PERSON_METRICS = tuple(metric for _group, metrics in PERSON_GROUPS for metric in metrics)
"""What is told of each rep, in this order."""
ENOUGH = 30
"""So many spot checks must be answered before a share of them is told."""


@dataclass(frozen=True, slots=True)
class Attainment:
    """What of a quota is reached. `actual` is the number that opens to its rows; `rate` is actual ÷ quota; `elapsed` is the
    share of the period's available days gone by the end of the week; both 0 to 1 and beyond, None where undefined."""

    metric: str
    period_start: date
    period_end: date
    quota: Decimal
    actual: Number
    rate: Decimal | None
    elapsed: Decimal


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline number with its last thirteen weeks, oldest first; the last of them is the week itself."""

    history: tuple[Number, ...]

    @property
    def number(self) -> Number:
        return self.history[-1]

    @property
    def previous(self) -> Number:
        return self.history[-2]


@dataclass(frozen=True, slots=True)
class Person:
    """What was captured of one rep in the week, in the order of `PERSON_METRICS`."""

    user_id: int
    name: str
    attainment: Attainment | None
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """One part of a pipeline's change. `number` is never negative; `sign` says whether it raised or lowered the value."""

    part: str
    sign: int
    number: Number


@dataclass(frozen=True, slots=True)
class DealChange:
    deal_id: int
    deal: str
    company: str | None
    part: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Open pipeline of one currency: start, with every movement applied, is end."""

    currency: str
    start: Number
    movements: tuple[Movement, ...]
    end: Number
    largest: tuple[DealChange, ...]


@dataclass(frozen=True, slots=True)
class Contributor:
    name: str
    activities: int


@dataclass(frozen=True, slots=True)
class Win:
    deal_id: int
    deal: str
    company: str | None
    owner: str
    amount: Decimal | None
    currency: str | None
    closed_on: date
    cycle_days: int
    contributors: tuple[Contributor, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the team's reps have a working connection of one kind: email, event or call."""

    kind: str
    connected: int
    reps: int


@dataclass(frozen=True, slots=True)
class AccountTrouble:
    """An account from which nothing new comes. `why` is one line without content of mail."""

    user: str
    connector: str
    state: str
    why: str | None
    last_ok_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """What this summary cannot know. `unpriced` open deals have no amount, nor have `unpriced_wins` of the deals won since
    `wins_since`; amounts in `other_currencies` stand apart; of `unconnected` reps nothing is captured. Accounts of
    `stalled` reps stand still; of the items `listed` at the sources by the last censuses so many were `missing`."""

    troubles: tuple[AccountTrouble, ...]
    unmatched: int
    matchable: int
    quarantined: int
    incomplete: tuple[str, ...]
    without_quota: tuple[str, ...]
    unpriced: int
    other_currencies: tuple[str, ...]
    unpriced_wins: int = 0
    wins_since: date | None = None
    unconnected: tuple[str, ...] = ()
    stalled: tuple[str, ...] = ()
    missing: int = 0
    listed: int = 0


@dataclass(frozen=True, slots=True)
class Precision:
    """How often matching put an activity on the right deal by itself, by the spot checks that people answered in `days` up to the
    summary: `right` of `n` (of one that was split between deals, the share of the right one). `links` is how many activities of
    those days matching put on a deal, `corrected` how many people put elsewhere without being asked, which says nothing of the
    rest."""

    days: int
    right: Decimal
    n: int
    links: int
    corrected: int

    @property
    def share(self) -> Decimal | None:
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """In which the true share lies in 95 of 100 cases."""
        return wilson(float(self.right), self.n)

    @property
    def is_enough(self) -> bool:
        """Whether so many were judged that the share says something (METRICS R16)."""
        return self.n >= ENOUGH


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a published number is another one by now: `kind` is a key of `wording.CAUSES`, with how many, and what `refs` name: the
    numbers of corrections or of batches of rules. `who` said so."""

    kind: str
    count: int
    refs: tuple[int, ...] = ()
    who: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A number as it was told, and what it would be told as by now. `whose` is a rep's name, or the team's."""

    week: str
    whose: str
    before: Number
    after: Number
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """One team's ISO week as it was known at `as_of`. `sourced` is False where the team's accounts were not captured yet."""

    team_id: int
    team: str
    week: str
    period_start: date
    period_end: date
    as_of: datetime
    coverage: tuple[Coverage, ...]
    attainment: Attainment | None
    tiles: tuple[Tile, ...]
    people: tuple[Person, ...]
    pipelines: tuple[Pipeline, ...]
    wins: tuple[Win, ...]
    unknown: Unknown
    sourced: bool = True
    precision: Precision | None = None
    adjusted: tuple[Adjusted, ...] = ()
    """What became of numbers of earlier weeks since the summary before this one."""

    def numbers(self) -> tuple[Number, ...]:
        """Every number that is told, each slice once."""
        told = [number for tile in self.tiles for number in tile.history]
        told += [number for person in self.people for number in person.numbers]
        held = (self.attainment, *(person.attainment for person in self.people))
        told += [attainment.actual for attainment in held if attainment is not None]
        for pipeline in self.pipelines:
            told += [pipeline.start, *(movement.number for movement in pipeline.movements), pipeline.end]
        return tuple({(number.metric, number.cell): number for number in told}.values())


def to_data(summary: Summary) -> dict[str, Any]:
    """Values that JSON holds; money and rates as exact text."""
    data: dict[str, Any] = _adapter().dump_python(summary, mode="json")
    return data


def from_data(data: dict[str, Any]) -> Summary:
    """The inverse of `to_data`."""
    return _adapter().validate_python(data)


@cache
def _adapter() -> TypeAdapter[Summary]:
    from pydantic import TypeAdapter

    return TypeAdapter(Summary)
