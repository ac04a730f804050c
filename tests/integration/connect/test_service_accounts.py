"""What Google's refusals of a service account mean, and that the fake refuses what Google does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.integration.web.granting import at

from autocapture.clock import FixedClock
from autocapture.connect.service_accounts import assertion, refusal_of_account
from autocapture.errors import ReconnectNeeded, SetupError
from autocapture.testing.fakes.service_accounts import AssertionRefused, ServiceAccounts

ROBOT, REP, SCOPE = (
    "robot@project.example",
    "rep@ours.example",
    "https://www.googleapis.com/auth/gmail.metadata",
)
AUDIENCE = "https://oauth2.googleapis.com/token"
NOW = at("2026-11-16T09:00")


@pytest.fixture
def accounts() -> ServiceAccounts:
    made = ServiceAccounts(FixedClock(NOW))
    made.delegate(ROBOT, {SCOPE})
    return made


@pytest.fixture
def file(accounts: ServiceAccounts, tmp_path: Path) -> Path:
    (tmp_path / "key.json").write_text(json.dumps(accounts.make_key(ROBOT)), encoding="utf-8")
    return tmp_path / "key.json"


def test_what_a_registered_key_signs_for_now_is_taken(accounts: ServiceAccounts, file: Path) -> None:
    assert accounts.checked(assertion(file, REP, [SCOPE], AUDIENCE, NOW), AUDIENCE) == (REP, (SCOPE,))
    assert accounts.checked(assertion(file, "", ["any"], AUDIENCE, NOW), AUDIENCE) == ("", ("any",))


def no_key(accounts: ServiceAccounts) -> None:
    accounts.delete_keys(ROBOT)


def gone(accounts: ServiceAccounts) -> None:
    accounts.gone.add(REP)


def less(accounts: ServiceAccounts) -> None:
    accounts.delegate(ROBOT, ())


def later(accounts: ServiceAccounts) -> None:
    accounts.clock = FixedClock(NOW + timedelta(minutes=20))


def earlier(accounts: ServiceAccounts) -> None:
    accounts.clock = FixedClock(NOW - timedelta(minutes=20))


@pytest.mark.parametrize(
    ("change", "whose", "words"),
    [
        (no_key, SetupError, "does not take the service account's key"),
        (later, SetupError, "this machine's clock is wrong"),
        (earlier, SetupError, "this machine's clock is wrong"),
        (less, SetupError, "the domain-wide delegation was taken back"),
        (gone, ReconnectNeeded, "knows no such mailbox any more"),
    ],
)
def test_a_refusal_says_who_must_act(
    accounts: ServiceAccounts, file: Path, change: Callable[[ServiceAccounts], None], whose: type, words: str
) -> None:
    change(accounts)
    with pytest.raises(AssertionRefused) as refused:
        accounts.checked(assertion(file, REP, [SCOPE], AUDIENCE, NOW), AUDIENCE)
    told = {"error": refused.value.error, "error_description": refused.value.description}
    problem = refusal_of_account(told, "Google", 400)
    assert type(problem) is whose
    assert words in str(problem)
    assert told["error_description"] not in str(problem)


def test_what_another_key_signs_or_for_another_place_or_for_hours_is_refused(
    accounts: ServiceAccounts, file: Path
) -> None:
    written = json.loads(file.read_text())
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good: dict[str, Any] = {"iss": ROBOT, "sub": REP, "scope": SCOPE, "aud": AUDIENCE}
    good |= {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 600}

    def refusal(claims: dict[str, Any], key: Any = written["private_key"]) -> str:
        signed = jwt.encode(claims, key, "RS256", {"kid": written["private_key_id"]})
        with pytest.raises(AssertionRefused) as refused:
            accounts.checked(signed, AUDIENCE)
        return refused.value.description

    assert "Signature" in refusal(good, stranger)
    assert "audience" in refusal({**good, "aud": "https://elsewhere.example"})
    assert "short-lived" in refusal({**good, "exp": good["iat"] + 4000})
    assert "short-lived" in refusal({name: value for name, value in good.items() if name != "iat"})
    assert "account not found" in refusal({**good, "iss": "stranger@project.example"})
    told = {"error": "invalid_grant", "error_description": "something that nobody wrote down"}
    assert isinstance(refusal_of_account(told, "Google", 400), SetupError)
