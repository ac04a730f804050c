from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from autocapture.admit.exclusions import Exclusions, parse_exclusions
from autocapture.errors import SetupError


def test_the_list_is_read_in_canonical_form() -> None:
    read = parse_exclusions(
        {
            "addresses": ["Dr@Clinic.Example"],
            "numbers": ["+4930123456"],
            "domains": ["@Bücher.example"],
            "when": "all",
        }
    )
    assert read == Exclusions(
        frozenset({"dr@clinic.example", "+4930123456"}), frozenset({"xn--bcher-kva.example"}), "all"
    )


def test_the_documented_default_excludes_nobody() -> None:
    settings = tomllib.loads(Path("config/exclusions.toml").read_text("utf-8"))
    assert parse_exclusions(settings) == Exclusions()


@pytest.mark.parametrize(
    "settings",
    [
        {"adresses": []},
        {"when": "some"},
        {"addresses": ["clinic"]},
        {"numbers": ["030 123"]},
        {"domains": "x.example"},
    ],
)
def test_a_wrong_list_is_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(SetupError, match="exclusions"):
        parse_exclusions(settings)
