"""The vault opens what it sealed, where it was sealed, under the same key, and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.connect.credentials import open_credential, seal_credential
from autocapture.connect.vault import Place, Vault, VaultError, create_key, read_key
from autocapture.connector import PasswordCredential
from autocapture.errors import SetupError

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
    for bad in (b"", sealed[:-1], b"\x02" + sealed[1:], sealed[:40] + b"\0" + sealed[41:]):
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


def test_derived_keys_differ_by_purpose_and_stay_the_same(vault: Vault, key_file: Path) -> None:
    assert vault.derived_key("ledger") == Vault(key_file).derived_key("ledger")
    assert vault.derived_key("ledger") != vault.derived_key("other")
    assert vault.derived_key("ledger") != read_key(key_file)


def test_a_credential_opens_for_its_account_only(vault: Vault) -> None:
    credential = PasswordCredential("erika@example.com", "pass wörd")
    sealed = seal_credential(vault, 3, credential)
    assert open_credential(vault, 3, sealed) == credential
    with pytest.raises(VaultError):
        open_credential(vault, 4, sealed)


def test_a_credential_never_shows_its_password() -> None:
    assert "hidden" not in repr(PasswordCredential("erika", "hidden"))
