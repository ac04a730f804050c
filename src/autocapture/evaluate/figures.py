"""How often somebody is right: rates with their intervals, over any part of a world's activities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from autocapture.evaluate.answers import Answer
from autocapture.evaluate.world import AMBIGUOUS, Activity, Truth, World
from autocapture.measure.interval import wilson

_BINS = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """`right` of `of`; an activity that is put down to k deals counts 1/k for the one that is right."""

    right: float
    of: int

    @property
    def value(self) -> float | None:
        return self.right / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval, which holds the true rate in 95 of 100 cases (Wilson 1927); None of nothing."""
        return wilson(self.right, self.of)


@dataclass(frozen=True, slots=True)
class Judged:
    """One activity, what is so, and what somebody says."""

    activity: Activity
    truth: Truth
    answer: Answer
    is_single: bool
    """Whether its company has one deal and no other."""

    @property
    def right(self) -> float:
        return self.answer.share_of(self.truth.deal) if self.truth.has_deal else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """`precision`: of what was put on a deal, the right deal. `coverage`: of what is about a deal, put on one. `wrong`: of all
    that is to be admitted, put on a deal it is not about. `abstained`: of what nobody can tell, left open. `account_only`: of
    what is about no deal, put on none. `single_deal`: precision at companies with one deal. `admission`: admitted or not, as
    it should. `people`, `companies`: all of them and nobody else. `calibration_error`: how far the named probabilities lie from
    what came true, in ten bins, weighted by their size.
    """

    activities: int
    precision: Rate
    coverage: Rate
    wrong: Rate
    abstained: Rate
    account_only: Rate
    single_deal: Rate
    admission: Rate
    people: Rate
    companies: Rate
    calibration_error: float | None


def judge(world: World, answers: Mapping[str, Answer]) -> list[Judged]:
    """Every activity of the world with its truth and its answer."""
    deals: dict[str, int] = defaultdict(int)
    for deal in world.deals:
        deals[deal.company] += 1
    truth = {each.activity: each for each in world.truth}
    return [
        Judged(activity, found, answers[activity.id], sum(deals[key] for key in found.company) == 1)
        for activity in world.activities
        if (found := truth[activity.id])
    ]


def figures_of(judged: Collection[Judged]) -> Figures:
    due = [each for each in judged if each.truth.admitted]
    attached = [each for each in judged if each.answer.attached]
    about = [each for each in due if each.truth.has_deal]
    open_ = [each for each in due if each.truth.deal == AMBIGUOUS]
    account = [each for each in due if not each.truth.has_deal and each.truth.deal != AMBIGUOUS]
    single = [each for each in attached if each.is_single]
    right = sum(each.right for each in attached)
    named = [each for each in due if each.answer.people is not None]
    placed = [each for each in due if each.answer.companies is not None]
    return Figures(
        activities=len(judged),
        precision=Rate(right, len(attached)),
        coverage=Rate(sum(each.answer.attached for each in about), len(about)),
        wrong=Rate(len(attached) - right, len(due)),
        abstained=Rate(sum(not each.answer.attached for each in open_), len(open_)),
        account_only=Rate(sum(not each.answer.attached for each in account), len(account)),
        single_deal=Rate(sum(each.right for each in single), len(single)),
        admission=Rate(sum(each.answer.admitted == each.truth.admitted for each in judged), len(judged)),
        people=Rate(sum(each.answer.people == frozenset(each.truth.people) for each in named), len(named)),
        companies=Rate(
            sum(each.answer.companies == frozenset(each.truth.company) for each in placed), len(placed)
        ),
        calibration_error=_calibration_error(attached),
    )


def _calibration_error(attached: Sequence[Judged]) -> float | None:
    """The expected calibration error (Naeini and others, 2015)."""
    bins: dict[int, list[Judged]] = defaultdict(list)
    for each in attached:
        bins[min(_BINS - 1, int(each.answer.certainty * _BINS))].append(each)
    if not attached:
        return None
    gaps = (abs(sum(each.right - each.answer.certainty for each in held)) for held in bins.values())
    return sum(gaps) / len(attached)


def precision_at(judged: Collection[Judged], coverage: float) -> float | None:
    """The precision when only the most certain answers are taken, as many as cover this share of what is about a deal.

    None where all answers together cover less. Of answers that are equally certain an even part is taken.
    """
    wanted = coverage * sum(each.truth.has_deal for each in judged)
    attached = sorted((each for each in judged if each.answer.attached), key=_certainty, reverse=True)
    taken = right = covered = 0.0
    for _, group in groupby(attached, key=_certainty):
        held = list(group)
        more = sum(each.truth.has_deal for each in held)
        part = min(1.0, (wanted - covered) / more) if more else 1.0
        taken, right = taken + part * len(held), right + part * sum(each.right for each in held)
        covered += part * more
        if covered >= wanted - 1e-9:
            return right / taken if taken else None
    return None


def _certainty(judged: Judged) -> float:
    return judged.answer.certainty
