"""The vault opens what it sealed, where it was sealed, under the same key, and nothing else."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from autocapture.clock import FixedClock
from autocapture.connect.credentials import open_credential, seal_credential
from autocapture.connect.keys import LocalKey, ServiceKey, WrongKey
from autocapture.connect.vault import Place, Vault, VaultError, create_key, read_key
from autocapture.connector import PasswordCredential
from autocapture.errors import SetupError, Unreachable
from autocapture.sections import VaultSettings
from autocapture.settings import load_settings

PLACE = Place("credential", 7, "sealed")
SECRET = b"correct horse battery staple"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "master.key"
    create_key(path)
    return path


@pytest.fixture(scope="module")
def vault(key_file: Path) -> Vault:
    return Vault(key_file)


def test_what_was_sealed_opens_at_its_place(vault: Vault) -> None:
    assert vault.open(vault.seal(SECRET, PLACE), PLACE) == SECRET


@given(secret=st.binary(max_size=2_000))
def test_any_bytes_survive(vault: Vault, secret: bytes) -> None:
    assert vault.open(vault.seal(secret, PLACE), PLACE) == secret


def test_sealing_twice_gives_different_bytes(vault: Vault) -> None:
    assert vault.seal(SECRET, PLACE) != vault.seal(SECRET, PLACE)


def test_the_secret_is_not_in_what_is_stored(vault: Vault) -> None:
    assert SECRET not in vault.seal(SECRET, PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [Place("credential", 8, "sealed"), Place("credential", 7, "other"), Place("account", 7, "sealed")],
    ids=["another row", "another column", "another table"],
)
def test_a_sealed_value_moved_elsewhere_does_not_open(vault: Vault, elsewhere: Place) -> None:
    with pytest.raises(VaultError):
        vault.open(vault.seal(SECRET, PLACE), elsewhere)


def test_no_shortened_value_opens(vault: Vault) -> None:
    sealed = vault.seal(SECRET, PLACE)
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            vault.open(sealed[:length], PLACE)


def test_no_value_with_a_changed_byte_opens(vault: Vault) -> None:
    sealed = vault.seal(SECRET, PLACE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 0x40
        with pytest.raises(VaultError):
            vault.open(bytes(changed), PLACE)


def test_another_key_does_not_open_it(vault: Vault, tmp_path: Path) -> None:
    create_key(tmp_path / "other.key")
    with pytest.raises(VaultError):
        Vault(tmp_path / "other.key").open(vault.seal(SECRET, PLACE), PLACE)


def test_a_refusal_says_neither_why_nor_what(vault: Vault) -> None:
    sealed = vault.seal(SECRET, PLACE)
    messages = set()
    for bad in (b"", sealed[:-1], b"\x01" + sealed[1:], sealed[:40] + b"\0" + sealed[41:]):
        with pytest.raises(VaultError) as refusal:
            vault.open(bad, PLACE)
        messages.add(str(refusal.value))
    assert len(messages) == 1
    assert "horse" not in messages.pop()


def test_a_new_key_is_readable_by_its_owner_alone(key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert len(read_key(key_file)) == 32


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(SetupError, match="never overwritten"):
        create_key(key_file)
    assert key_file.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(SetupError, match="chmod 600"):
        Vault(path).check()


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31, "é" * 64])
def test_a_malformed_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SetupError):
        Vault(path).check()


def test_a_missing_key_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="autocapture init"):
        Vault(tmp_path / "none.key").check()


def test_wrapping_anew_changes_the_key_and_not_the_secret(
    key_file: Path, vault: Vault, tmp_path: Path
) -> None:
    create_key(tmp_path / "new.key")
    rotating = Vault(tmp_path / "new.key", VaultSettings(old_key_files=(key_file,)))
    sealed = vault.seal(SECRET, PLACE)
    anew = rotating.wrap_anew(sealed, PLACE)
    assert (
        anew[-len(SECRET) - 28 :] == sealed[-len(SECRET) - 28 :]
    )  # nonce, secret and tag: not opened for it
    assert rotating.open(sealed, PLACE) == rotating.open(anew, PLACE) == SECRET
    assert Vault(tmp_path / "new.key").open(anew, PLACE) == SECRET
    assert not rotating.is_sealed_under_key_in_force(sealed)
    assert rotating.is_sealed_under_key_in_force(anew)
    for closed in (lambda: vault.open(anew, PLACE), lambda: Vault(tmp_path / "new.key").open(sealed, PLACE)):
        with pytest.raises(VaultError):
            closed()


def test_wrapping_anew_at_another_place_is_refused(key_file: Path, vault: Vault, tmp_path: Path) -> None:
    create_key(tmp_path / "new.key")
    rotating = Vault(tmp_path / "new.key", VaultSettings(old_key_files=(key_file,)))
    with pytest.raises(VaultError):
        rotating.wrap_anew(vault.seal(SECRET, PLACE), Place("credential", 8, "sealed"))


def test_a_key_may_come_from_the_environment(tmp_path: Path) -> None:
    settings = load_settings({"AUTOCAPTURE_HOME": str(tmp_path), "AUTOCAPTURE_VAULT_KEY": "0f" * 32})
    assert "0f0f" not in repr(settings)
    assert (
        Vault(settings.key_file, settings.vault).open(
            Vault(settings.key_file, settings.vault).seal(SECRET, PLACE), PLACE
        )
        == SECRET
    )
    with pytest.raises(SetupError, match=r"vault\.key"):
        Vault(tmp_path, VaultSettings(key=SecretStr("short"))).check()


def test_a_key_may_be_passed_on_by_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_key(tmp_path / "credentials" / "autocapture.key")
    (tmp_path / "credentials" / "autocapture.key").chmod(0o440)  # as an access list shows
    home = {
        "AUTOCAPTURE_HOME": str(tmp_path / "home"),
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
    }
    key_file = load_settings(home).key_file
    assert key_file == tmp_path / "credentials" / "autocapture.key"
    with pytest.raises(SetupError, match="chmod"):
        Vault(key_file).check()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    Vault(key_file).check()


class Service:
    """A key management service that can be away."""

    def __init__(self) -> None:
        self.key = AESGCM.generate_key(256)
        self.calls = 0
        self.away: Exception | None = None

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        return b"in a service's own form:" + LocalKey(self.key).wrap(key, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        self.calls += 1
        if self.away is not None:
            raise self.away
        try:
            return LocalKey(self.key).unwrap(wrapped.removeprefix(b"in a service's own form:"), associated)
        except WrongKey:
            raise ValueError from None


def test_a_key_management_service_wraps_and_nothing_is_sealed_without_it(tmp_path: Path) -> None:
    service, clock = Service(), FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
    vault = Vault(tmp_path / "none")
    vault.__dict__["_key"] = ServiceKey("company", service, clock)
    sealed = vault.seal(SECRET, PLACE)
    assert [vault.open(sealed, PLACE) for _ in range(5)] == [SECRET] * 5
    assert service.calls == 1
    with pytest.raises(VaultError):
        vault.open(sealed, Place("credential", 8, "sealed"))
    service.away = OSError("canary")
    assert vault.open(sealed, PLACE) == SECRET  # remembered for ten minutes
    clock.advance(timedelta(minutes=11))
    with pytest.raises(Unreachable) as told:
        vault.open(sealed, PLACE)
    assert "canary" not in str(told.value)
    service.away = None
    assert vault.open(sealed, PLACE) == SECRET


def test_a_key_service_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no key service 'nowhere'"):
        Vault(tmp_path, VaultSettings(kms="nowhere")).check()


def test_a_credential_opens_for_its_account_only(vault: Vault) -> None:
    credential = PasswordCredential("erika@example.com", "pass wörd")
    sealed = seal_credential(vault, 3, credential)
    assert open_credential(vault, 3, sealed) == credential
    with pytest.raises(VaultError):
        open_credential(vault, 4, sealed)


def test_a_credential_never_shows_its_password() -> None:
    assert "hidden" not in repr(PasswordCredential("erika", "hidden"))
