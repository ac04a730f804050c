"""The figures: what counts as right, intervals, calibration, precision at a coverage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autocapture.evaluate.answers import NOT_ADMITTED, Answer
from autocapture.evaluate.figures import Judged, Rate, figures_of, precision_at
from autocapture.evaluate.world import ACCOUNT_ONLY, AMBIGUOUS, Activity, Truth

AT = datetime(2026, 3, 2, tzinfo=UTC)


def judged(
    deal: str, said: dict[str, float] | None, certainty: float = 1.0, *, single: bool = False
) -> Judged:
    activity = Activity("a", "email", AT, "rep@ours.example")
    answer = Answer(people=frozenset(), companies=frozenset(), deals=said, certainty=certainty)
    return Judged(activity, Truth("a", deal=deal), answer, single)


def test_wilsons_interval_is_that_of_the_books() -> None:
    low, high = Rate(8, 10).interval or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)  # Newcombe 1998, method 3
    assert Rate(0, 0).interval is None
    assert Rate(0, 0).value is None
    assert Rate(20, 20).interval == pytest.approx((0.8389, 1.0), abs=1e-4)


def test_each_kind_of_truth_has_its_own_rate() -> None:
    found = figures_of(
        [
            judged("D1", {"D1": 1.0}, single=True),
            judged("D1", {"D2": 1.0}),
            judged("D1", None),
            judged(AMBIGUOUS, None),
            judged(AMBIGUOUS, {"D1": 1.0}),
            judged(ACCOUNT_ONLY, None),
        ]
    )
    assert (found.precision, found.coverage) == (Rate(1, 3), Rate(2, 3))
    assert (found.abstained, found.account_only) == (Rate(1, 2), Rate(1, 1))
    assert found.wrong == Rate(2, 6)
    assert found.single_deal == Rate(1, 1)


def test_an_activity_on_several_deals_is_right_by_its_share() -> None:
    found = figures_of([judged("D1", {"D1": 0.5, "D2": 0.5}), judged("D1", {"D1": 0.6, "D2": 0.4})])
    assert found.precision.right == pytest.approx(1.1)
    assert found.wrong.right == pytest.approx(0.9)


def test_what_should_not_be_admitted_counts_for_admission_and_where_it_is_put_on_a_deal() -> None:
    newsletter = Judged(
        Activity("a", "email", AT, "rep@ours.example"), Truth("a", admitted=False), NOT_ADMITTED, False
    )
    taken = Judged(newsletter.activity, newsletter.truth, Answer(deals={"D1": 1.0}), False)
    found = figures_of([newsletter, taken, judged("D1", {"D1": 1.0})])
    assert found.admission == Rate(2, 3)
    assert found.precision == Rate(1, 2)
    assert found.wrong == Rate(1, 1)
    assert found.coverage == Rate(1, 1)


def test_calibration_compares_what_was_promised_with_what_came_true() -> None:
    promised = [judged("D1", {"D1": 1.0}, 0.95) for _ in range(9)] + [judged("D1", {"D2": 1.0}, 0.95)]
    assert figures_of(promised).calibration_error == pytest.approx(0.05)
    assert figures_of([judged("D1", None)]).calibration_error is None


def test_precision_at_a_coverage_takes_the_most_certain_first() -> None:
    answers = [judged("D1", {"D1": 1.0}, 0.9) for _ in range(5)]
    answers += [judged("D1", {"D1": 1.0}, 0.5), judged("D1", {"D2": 1.0}, 0.5)]
    answers += [judged("D1", {"D2": 1.0}, 0.1)] + [judged("D1", None)] * 2
    assert precision_at(answers, 0.5) == 1.0
    assert precision_at(answers, 0.6) == pytest.approx(5.5 / 6)  # half of those that are equally certain
    assert precision_at(answers, 0.7) == pytest.approx(6 / 7)
    assert precision_at(answers, 0.8) == pytest.approx(6 / 8)
    assert precision_at(answers, 0.81) is None


def test_what_is_put_on_a_deal_without_being_about_one_lowers_precision_and_covers_nothing() -> None:
    answers = [judged("D1", {"D1": 1.0}), judged(ACCOUNT_ONLY, {"D1": 1.0}), judged("D2", None)]
    assert precision_at(answers, 0.5) == 0.5
