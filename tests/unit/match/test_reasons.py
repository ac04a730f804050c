from __future__ import annotations

from autocapture.match.reasons import in_words
from autocapture.match.rules import EVIDENCE

_BY_ITSELF = {"no deal", "mute"}
"""What every option begins with, and what says nothing."""


def test_every_evidence_has_words_of_its_own() -> None:
    told = {name: in_words({name: 1.0}) for name in EVIDENCE}
    assert {name for name, words in told.items() if not words} == _BY_ITSELF
    assert all(words != (name,) for name, words in told.items())
    assert len(set(told.values())) == len(EVIDENCE) - len(_BY_ITSELF) + 1, "and of no other"


def test_what_speaks_for_it_comes_first_then_what_speaks_against_it() -> None:
    found = in_words({"others have roles": -4.0, "owner": 2.0, "words": 3.0, "weeks before": -0.01})
    assert found == (
        "its name or products are mentioned",
        "its owner takes part",
        "but none of its contacts takes part",
    )
    assert in_words({"others have roles": -4.0}) == ("none of its contacts takes part",)


def test_nothing_is_said_twice() -> None:
    assert in_words({"words": 3.0, "own words": 2.0}) == ("words that are its own are mentioned",)


def test_the_words_that_stand_in_the_subject_are_told() -> None:
    found = in_words({"words": 3.0, "own words": 2.0, "owner": 1.0}, ["Lot 2", "Clarifier"])
    assert found == (
        "words that are its own are mentioned: “Lot 2”, “Clarifier” in the subject",
        "its owner takes part",
    )
