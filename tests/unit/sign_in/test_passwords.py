"""Which passwords are taken, and what is kept of them."""

from __future__ import annotations

import pytest

from autocapture.workflows.passwords import agrees, is_outdated, make_hash, trouble

RITA = ("rita.ep@hoekstra-staal.example", "Rita Ep")


@pytest.mark.parametrize(
    "password",
    [
        "seven unlikely herons",
        "correct horse battery staple",
        "kuqmwzvhtbxd",
        "839205716402",
        "vier Ärgernisse!",
        "十二個漢字的密碼要夠長才行",
        "            seven  ",
        "пять зелёных раков",
    ],
)
def test_long_and_unrelated_is_enough(password: str) -> None:
    assert trouble(password, RITA) is None


@pytest.mark.parametrize("password", ["", "short", "elevenchars", "ſ" * 5, "x" * 257])
def test_too_short_and_too_long_are_refused(password: str) -> None:
    assert "characters" in (trouble(password, RITA) or "")


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Passwort12345!", "P@ssw0rd2026!", "qwertyuiop12", "1234567890123", "abcdefghijkl", "aaaaaaaaaaaaaa",
        "iloveyou12345", "Welcome2026!!", "Summer2026!!!", "adminadminadmin", "letmeinletmein", "qwertyqwerty", "zxcvbnmasdfg",
        "987654321098", "autocapture2026", "mysecretpassword", "!!!!!!!!!!!!!", "            ", "trustno1trustno1",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert "guessed first" in (trouble(password, RITA) or "")


@pytest.mark.parametrize(
    "password", ["rita.ep@hoekstra-staal.example", "rita-hoekstra1", "HoekstraStaal2026", "RitaRitaRita1!"]
)
def test_what_is_known_of_its_owner_is_refused(password: str) -> None:
    assert "guessed first" in (trouble(password, RITA) or "")


def test_a_hash_tells_nothing_and_agrees_with_its_password_alone() -> None:
    kept = make_hash("seven unlikely herons")
    assert kept.startswith("$argon2id$")
    assert "herons" not in kept
    assert kept != make_hash("seven unlikely herons")
    assert agrees(kept, "seven unlikely herons")
    assert not agrees(kept, "seven unlikely heron")
    assert not is_outdated(kept)


def test_nobodys_password_never_agrees() -> None:
    assert not agrees(None, "nobody's password")
    assert not agrees("no hash at all", "seven unlikely herons")


def test_the_same_letters_agree_however_they_were_typed() -> None:
    assert agrees(
        make_hash("vier A\N{COMBINING DIAERESIS}rgernisse"),
        "vier \N{LATIN CAPITAL LETTER A WITH DIAERESIS}rgernisse",
    )


def test_other_parameters_are_outdated() -> None:
    weaker = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$1111111111111111111111"
    assert is_outdated(weaker)
