from __future__ import annotations

from autocapture.match.reasons import in_words
from autocapture.match.rules import EVIDENCE

_BY_ITSELF = {"no deal", "mute"}
"""What every option begins with, and what says nothing."""


def test_every_evidence_has_words_of_its_own() -> None:
    told = {name: in_words({name: 1.0}) for name in EVIDENCE}
    assert {name for name, words in told.items() if not words} == _BY_ITSELF
    assert all(words != (name,) for name, words in told.items())
    assert len(set(told.values())) == len(EVIDENCE) - len(_BY_ITSELF) + 1


def test_the_weightiest_is_told_first_and_what_hardly_counts_is_left_out() -> None:
    assert in_words({"owner": 2.0, "words": 3.0, "weeks before": -0.01}) == (
        "its name or products are mentioned",
        "its owner takes part",
    )
