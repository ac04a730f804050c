"""Words of a text: their stems, and codes that are kept whole."""

from __future__ import annotations

import pytest

from autocapture.formats.words import codes_in, stem


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("P-41", ["p41"]),
        ("la P 41 est prête", ["p41"]),
        ("T-12 interior", ["t12"]),
        ("QX-77", ["qx77"]),
        ("Lot 2 and lot 3", ["lot2", "lot3"]),
        ("Buque 512", ["buque512"]),
        ("Hall B", ["hallb"]),
        ("TO-7 jacket", ["to7"]),
        ("from Monday to 7 May", []),
        ("a plan for hall b, and what I think", []),
        ("P41", ["p41"]),
        ("order 4711000", []),
        ("", []),
    ],
)
def test_a_code_is_the_same_however_it_is_written(text: str, codes: list[str]) -> None:
    assert [each.joined for each in codes_in(text)] == codes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("serviceavtalet", "serviceavtal"),
        ("jackets", "jacket"),
        ("gotlands", "gotland"),
        ("maskinrummet", "maskinrum"),
        ("förnyelsen", "förnyelse"),
        ("torrdockan", "torrdocka"),
        ("depósitos", "depósito"),
        ("clarifiers", "clarifier"),
    ],
)
def test_endings_do_not_tell_words_apart(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("plan", "planet"), ("core", "corner"), ("scan", "scanner")])
def test_short_words_are_left_as_they_are(one: str, other: str) -> None:
    assert stem(one) == one
    assert stem(one) != stem(other)
