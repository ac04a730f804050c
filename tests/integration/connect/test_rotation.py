"""Rotating the vault's key, killed at every statement; and no secret anywhere in plain text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import event, select, update
from sqlmodel import SQLModel, col
from tests.integration.capture.deployment import deploy
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.cli.app import app as command
from autocapture.connect.credentials import StoredGrant, open_credential, seal_credential
from autocapture.connect.keys import create_key
from autocapture.connector import PasswordCredential
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.model.accounts import Credential as SealedCredential
from autocapture.sections import VaultSettings
from autocapture.service.logs import configure_logs
from autocapture.store.engine import reading, writing
from autocapture.workflows import rotate_keys
from autocapture.workflows.kept_keys import kept_key
from autocapture.workflows.rotate_keys import Rotated

ACCOUNTS = 7
CANARY = "canary-9d41c0ffee"


class Died(BaseException):
    """The process ends here."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    """An application with sealed credentials under its first key."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    app = deploy(tmp_path / "home", url=url)
    seal_accounts(app, ACCOUNTS)
    kept_key(app, "ledger")
    yield app
    app.engine.dispose()


def seal_accounts(app: Application, count: int) -> None:
    with writing(app.engine) as session:
        for number in range(1, count + 1):
            session.add(
                Account(
                    id=number,
                    user_id=1,
                    connector="imap",
                    subject=str(number),
                    options={},
                    created_at=LONG_AGO,
                )
            )
            session.flush()
            sealed = seal_credential(app.vault, number, secret(number))
            session.add(SealedCredential(account_id=number, sealed=sealed, updated_at=LONG_AGO))


def secret(number: int) -> PasswordCredential | StoredGrant:
    if number % 2:
        return PasswordCredential("rep@ours.example", f"{CANARY}-{number}")
    return StoredGrant(
        "google",
        f"s{number}",
        "rep@ours.example",
        frozenset({"mail"}),
        "now",
        refresh_token=f"{CANARY}-{number}",
    )


def with_new_key(app: Application, folder: Path) -> Application:
    new = folder / "new.key"
    if not new.exists():
        create_key(new)
    vault = VaultSettings(old_key_files=(app.settings.key_file,))
    return build(app.settings.model_copy(update={"key_file": new, "vault": vault}), app.clock)


def assert_all_open(app: Application) -> None:
    with reading(app.engine) as session:
        rows = session.execute(select(col(SealedCredential.account_id), col(SealedCredential.sealed))).all()
    assert {key: open_credential(app.vault, key, sealed) for key, sealed in rows} == {
        number: secret(number) for number in range(1, ACCOUNTS + 1)
    }
    assert len(kept_key(app, "ledger")) == 32


def test_a_rotation_leaves_nothing_under_the_old_key_and_every_kept_key_as_it_was(
    before: Application, tmp_path: Path
) -> None:
    ledger = kept_key(before, "ledger")
    app = with_new_key(before, tmp_path)
    assert_all_open(app)
    done = {one.table: one for one in rotate_keys.rotate_keys(app)}
    assert done["credential"] == Rotated("credential", wrapped_anew=ACCOUNTS)
    assert done["kept_key"] == Rotated("kept_key", wrapped_anew=1)
    alone = build(app.settings.model_copy(update={"vault": VaultSettings()}), app.clock)
    assert_all_open(alone)
    assert kept_key(alone, "ledger") == ledger
    again = {one.table: one for one in rotate_keys.rotate_keys(app)}
    assert again["credential"] == Rotated("credential", as_they_were=ACCOUNTS)
    for one in (app, alone):
        one.engine.dispose()


def test_killed_at_any_statement_every_value_opens_and_the_next_run_finishes(
    before: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate_keys, "BATCH", 2)
    killed = 0
    for nth in range(1, 100):
        app = with_new_key(before, tmp_path)
        left = [nth]

        def die(_connection: Any, _cursor: Any, statement: str, *_rest: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Died

        event.listen(app.engine, "after_cursor_execute", die)
        try:
            list(rotate_keys.rotate_keys(app))
        except Died:
            killed += 1
        event.remove(app.engine, "after_cursor_execute", die)
        assert_all_open(app)
        finished = left[0] > 0
        if not finished:
            list(rotate_keys.rotate_keys(app))
            assert sum(one.wrapped_anew + one.unopened for one in rotate_keys.rotate_keys(app)) == 0
            assert_all_open(app)
            _undo(before, app)
        app.engine.dispose()
        if finished:
            break
    assert killed >= 12


def _undo(before: Application, app: Application) -> None:
    """Everything under the first key again, for the next kill."""
    back = build(
        before.settings.model_copy(update={"vault": VaultSettings(old_key_files=(app.settings.key_file,))}),
        app.clock,
    )
    list(rotate_keys.rotate_keys(back))
    back.engine.dispose()


def test_a_value_replaced_during_the_rotation_stays_replaced(before: Application, tmp_path: Path) -> None:
    app = with_new_key(before, tmp_path)
    newer = seal_credential(app.vault, 1, PasswordCredential("rep@ours.example", "newer"))
    replaced: list[bool] = []

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT credential") and not replaced:
            replaced.append(True)
            with writing(before.engine) as session:
                session.execute(
                    update(SealedCredential).where(col(SealedCredential.account_id) == 1).values(sealed=newer)
                )

    event.listen(app.engine, "after_cursor_execute", meanwhile)
    list(rotate_keys.rotate_keys(app))
    with reading(app.engine) as session:
        assert session.get_one(SealedCredential, 1).sealed == newer
    app.engine.dispose()


def test_every_table_with_sealed_values_is_rotated() -> None:
    sealed = {table.name for table in SQLModel.metadata.tables.values() if "sealed" in table.columns}
    assert {kind.table.name for kind in rotate_keys._kinds()} == sealed


def test_the_commands_make_a_key_and_say_what_they_did(tmp_path: Path) -> None:
    app = deploy(tmp_path / "home")
    with writing(app.engine) as session:
        session.add(Account(id=1, user_id=1, connector="imap", subject="1", options={}, created_at=LONG_AGO))
        session.flush()
        session.add(
            SealedCredential(
                account_id=1, sealed=seal_credential(app.vault, 1, secret(1)), updated_at=LONG_AGO
            )
        )
    app.engine.dispose()
    home, new = {"AUTOCAPTURE_HOME": str(tmp_path / "home")}, tmp_path / "new.key"
    made = CliRunner().invoke(command, ["keys", "make", str(new)], env=home)
    assert made.exit_code == 0
    assert str(app.settings.key_file) in made.stdout
    both = {
        **home,
        "AUTOCAPTURE_KEY_FILE": str(new),
        "AUTOCAPTURE_VAULT_OLD_KEY_FILES": str(app.settings.key_file),
    }
    rotated = CliRunner().invoke(command, ["keys", "rotate", "--format", "json"], env=both)
    assert rotated.exit_code == 0, rotated.output
    assert {"sealed": "credential", "wrapped_anew": 1, "as_they_were": 0, "unopened": 0} in json.loads(
        rotated.stdout
    )
    create_key(tmp_path / "stranger.key")
    lost = CliRunner().invoke(
        command, ["keys", "rotate"], env={**home, "AUTOCAPTURE_KEY_FILE": str(tmp_path / "stranger.key")}
    )
    assert lost.exit_code == 1
    assert "keep the old keys" in lost.stderr


def test_no_secret_is_in_the_database_its_log_or_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Passwords and refresh tokens, through sealing, rotating, failing and being shown, with everything logged."""
    caplog.set_level(logging.DEBUG)
    lines = StringIO()
    configure_logs(lines, least=logging.DEBUG)
    app = deploy(tmp_path / "home")
    seal_accounts(app, 2)
    new = with_new_key(app, tmp_path)
    list(rotate_keys.rotate_keys(new))
    told = [repr(secret(1)), repr(secret(2)), repr(new.settings)]
    with reading(new.engine) as session:
        rows = session.execute(select(SealedCredential)).scalars().all()
        told += [repr(row) for row in rows]
        for row in rows:
            for wrong in (row.account_id + 1, row.account_id):
                try:
                    told.append(repr(open_credential(app.vault, wrong, row.sealed)))
                except Exception as problem:
                    told.append(repr(problem))
        files = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    structlog.get_logger().error("canary check", error="ValueError", secret=f"{CANARY}-1")
    structlog.reset_defaults()
    for engine in (app.engine, new.engine):
        engine.dispose()
    assert len(files) >= 3  # the database, its write-ahead log, the key
    assert not any(CANARY.encode() in content for content in files)
    assert CANARY not in "".join(told) + caplog.text + lines.getvalue()
