"""Connecting by consent from the command line: a browser on this machine, a code on another screen, an organisation's grant."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlmodel import SQLModel, func, select
from structlog.testing import capture_logs
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.integration.connect.organization import has_an_account
from tests.integration.web.granting import GoogleWorld, google_world, with_google
from tests.peers.entra import entra
from tests.peers.ports import free_port
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.cli.app import app as commands
from autocapture.cli.consenting import by_device
from autocapture.cli.loopback import Loopback
from autocapture.clock import FixedClock, SystemClock
from autocapture.connect.redirects import PORT, loopback_address
from autocapture.errors import InputError, SetupError
from autocapture.model.accounts import Account, Credential
from autocapture.model.sign_in import AuditEntry
from autocapture.sections import MicrosoftSettings
from autocapture.store.engine import reading
from autocapture.testing.fakes.authorization_server import RedirectMismatch
from autocapture.testing.fakes.entra_server import EntraServer
from autocapture.testing.fakes.microsoft import FakeGraph, message
from autocapture.workflows.capture import capture_account
from autocapture.workflows.delegation_checks import delegation_checks
from autocapture.workflows.granting import Wanted, answered, connect_delegated, question

REP = PEOPLE[0]
OTHER = "ceo@ours.example"
WEB = "https://autocapture.example.com/connect/google/callback"
GUIDES = Path(__file__).parents[3] / "docs"


def stored(app: Application, table: type[SQLModel]) -> int:
    with reading(app.engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def google(tmp_path: Path, port: int) -> Iterator[GoogleWorld]:
    """The operator has one client at Google, of type Web application, with the addresses that the guide says."""
    with google_world(deploy(tmp_path / "other", clock=SystemClock())) as world:
        world.server.person.address = REP
        world.server.redirect_uris = {WEB, loopback_address(port)}
        world.services.add_user(REP)
        yield world


@pytest.fixture
def home(tmp_path: Path, google: GoogleWorld) -> Path:
    """A home whose settings name the operator's client."""
    app = deploy(tmp_path / "home", clock=SystemClock())
    section = with_google(app, google, tmp_path).settings.google.model_dump(
        mode="json", exclude_defaults=True
    )
    lines = ["[google]", *(f"{name} = {json.dumps(value)}" for name, value in section.items())]
    (app.settings.home / "autocapture.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    app.engine.dispose()
    return app.settings.home


@contextmanager
def command(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "autocapture", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AUTOCAPTURE_HOME": str(home)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def printed_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line.strip() for line in process.stdout if line.startswith("http"))


def agreed(url: str) -> str:
    """Where the consent page leads who agrees."""
    found = re.search(r'href="([^"]+)"', requests.get(url, timeout=20).text)
    assert found is not None
    return unescape(found[1])


def test_a_browser_on_this_machine_brings_the_answer_back(home: Path, google: GoogleWorld, port: int) -> None:
    with command(home, "connect", "google", "--user", REP, "--redirect-port", str(port)) as process:
        url = printed_address(process)
        asked = parse_qs(urlsplit(url).query)
        [redirect_uri] = asked["redirect_uri"]
        assert redirect_uri == f"http://127.0.0.1:{port}"
        assert asked["code_challenge_method"] == ["S256"]
        assert requests.get(f"{redirect_uri}/?state=guessed&code=stolen", timeout=20).status_code == 404
        assert requests.get(f"{redirect_uri}/favicon.ico", timeout=20).status_code == 404
        answer = requests.get(agreed(url), timeout=30)
        assert answer.status_code == 200
        assert "You can close this page" in answer.text
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "account 1 connected" in said
    assert "Gmail" in said
    listed = CliRunner().invoke(
        commands, ["accounts", "--format", "json"], env={"AUTOCAPTURE_HOME": str(home)}
    )
    began = SystemClock().now().date() - timedelta(days=90)
    assert json.loads(listed.stdout)[0]["since"] in {str(began), str(began - timedelta(days=1))}


def test_google_sends_nobody_back_to_a_port_that_is_not_registered(
    home: Path, google: GoogleWorld, port: int
) -> None:
    google.server.redirect_uris = {WEB, loopback_address()}
    with command(home, "connect", "google", "--user", REP, "--redirect-port", str(port)) as process:
        answer = requests.get(printed_address(process), timeout=20)
    assert (answer.status_code, "redirect_uri_mismatch" in answer.text) == (400, True)
    assert google.server._codes == {}


def test_the_port_that_is_registered_is_the_one_that_is_listened_on_unless_told_otherwise() -> None:
    said = CliRunner().invoke(commands, ["connect", "google", "--help"], terminal_width=200).stdout
    assert f"[default: {PORT}" in " ".join(said.split())
    for guide in ("providers/google.md", "how-to/connect-google-and-microsoft.md"):
        assert loopback_address() in (GUIDES / guide).read_text(encoding="utf-8"), guide


def test_a_port_on_which_something_else_listens_is_told() -> None:
    with (
        Loopback[str](SystemClock(), 0) as there,
        pytest.raises(
            InputError, match=f"port {there.server_port} of 127.0.0.1 is not to be had.*--redirect-port"
        ),
    ):
        Loopback[str](SystemClock(), there.server_port)


def test_a_wrong_mailbox_is_told_in_the_browser_and_in_the_terminal(
    home: Path, google: GoogleWorld, port: int
) -> None:
    google.server.person.address = "stranger@evil.example"
    with command(home, "connect", "google", "--user", REP, "--redirect-port", str(port)) as process:
        answer = requests.get(agreed(printed_address(process)), timeout=30)
        _said, errors = process.communicate(timeout=60)
    assert answer.status_code == 403
    assert "not known to be an address of ruth@ours.example" in answer.text
    assert process.returncode == 1
    assert errors.startswith("autocapture: stranger@evil.example is not known")
    assert google.server._grants == {}, "what was granted for it is given back"


def test_nobody_who_comes_back_is_not_waited_for_for_ever() -> None:
    with Loopback[str](SystemClock(), 0) as loopback, pytest.raises(InputError, match="nobody came back"):
        loopback.wait("state", lambda _query: "", within=timedelta(seconds=0.2))


def test_an_answer_is_taken_once() -> None:
    with Loopback[str](SystemClock(), 0) as loopback:
        loopback._state, loopback._take = "state", lambda query: query["code"]
        assert loopback.answer("/?state=state&code=1")[0] == 200
        assert loopback.answer("/?state=state&code=1")[0] == 410
        assert loopback.answer("/?state=state&state=state&code=1")[0] == 404


def test_google_grants_no_mail_by_a_code_and_that_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(home))
    result = CliRunner().invoke(commands, ["connect", "google", "--user", REP, "--device"])
    assert result.exit_code == 1
    assert "Google grants neither mail nor calendars by a code" in result.stderr


def test_where_nothing_is_set_up_one_line_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(home))
    result = CliRunner().invoke(commands, ["connect", "microsoft", "--user", REP])
    assert result.exit_code == 1
    assert "an administrator registers an application in Entra" in result.stderr
    assert "docs/providers/microsoft.md" in result.stderr


def test_an_account_of_the_command_line_may_wait_for_the_choice_too(
    home: Path, google: GoogleWorld, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with command(
        home, "connect", "google", "--user", REP, "--preview", "--redirect-port", str(port)
    ) as process:
        requests.get(agreed(printed_address(process)), timeout=30)
        said, _errors = process.communicate(timeout=60)
    assert "nothing is captured yet" in said
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(home))

    def run(*words: str) -> str:
        result = CliRunner().invoke(commands, list(words))
        assert result.exit_code == 0, result.output
        return str(result.output)

    assert "pending" in run("accounts", "--format", "csv")
    assert "Gmail" in run("accounts", "preview", "1", "--format", "csv")
    assert "captures metadata since 2026-11-01" in run(
        "accounts", "scope", "1", "--since", "2026-11-01", "--level", "metadata", "--leave-out", REP
    )
    assert "active" in run("accounts", "--format", "csv")
    assert "no, left out" in run("accounts", "preview", "1", "--format", "csv")
    wrong = CliRunner().invoke(commands, ["accounts", "scope", "1", "--leave-out", "Nowhere"])
    assert "has no channel 'Nowhere'" in wrong.stderr


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(SystemClock().now())


@pytest.fixture
def graph(clock: FixedClock) -> Iterator[FakeGraph]:
    with FakeGraph(clock) as graph:
        for address in (REP, OTHER):
            graph.add_mailbox(address).add(message(1), "inbox")
        yield graph


@pytest.fixture
def microsoft(
    tmp_path: Path, clock: FixedClock, graph: FakeGraph
) -> Iterator[tuple[Application, EntraServer]]:
    """Microsoft is set up; whatever token Entra gives out, Graph knows."""
    app = deploy(tmp_path / "home", clock=clock)
    with entra(tmp_path, clock) as (server, ca_file):
        server.person.address = REP
        (tmp_path / "secret").write_text(server.client_secret, encoding="utf-8")
        settings = MicrosoftSettings(
            tenant=server.tenant,
            client_id=server.client_id,
            client_secret_file=tmp_path / "secret",
            login_url=server.url,
            graph_url=graph.url,
            mailboxes=(REP,),
            mailbox_outside=OTHER,
        )
        network = app.settings.network.model_copy(update={"ca_file": ca_file})
        made = replace(
            app, settings=app.settings.model_copy(update={"microsoft": settings, "network": network})
        )
        server.on_issue = lambda token, address, scopes: graph.accept(token, address, scopes)
        yield made, server
    app.engine.dispose()


def test_a_code_typed_in_on_another_screen_connects_microsoft(
    microsoft: tuple[Application, EntraServer], capsys: pytest.CaptureFixture[str]
) -> None:
    app, server = microsoft
    server.device_scopes = ("openid", "email", "profile", "offline_access", "User.Read", "Mail.ReadBasic")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        server.device_answer = ["authorization_pending", "slow_down", "granted"][len(waits) - 1]

    outcome = by_device(app, Wanted(REP, "microsoft"), sleep=sleep)
    assert outcome.not_granted == ("calendars",)
    assert waits == [5.0, 5.0, 10.0]
    assert "ABCD-EFGH" in capsys.readouterr().out
    assert capture_account(app, outcome.connected.account_id).status == "ok"


def test_entra_takes_any_port_of_the_machine_itself_and_no_secret_with_what_it_granted_there(
    microsoft: tuple[Application, EntraServer],
) -> None:
    app, server = microsoft
    wanted = Wanted(REP, "microsoft")
    with pytest.raises(RedirectMismatch):
        server.consent(question(app, wanted, "http://127.0.0.1:8619/elsewhere").url)
    asked = question(app, wanted, loopback_address())
    connected = answered(app, wanted, server.consent(asked.url), asked).connected
    assert capture_account(app, connected.account_id).status == "ok"
    shown = ["client_secret" in form for form in server.forms]
    assert shown[:2] == [True, False], "it was refused, and then left out"


def test_nobody_is_asked_to_consent_for_a_user_or_an_account_that_there_is_not(
    microsoft: tuple[Application, EntraServer],
) -> None:
    app, server = microsoft
    for wanted in (Wanted("rpe@ours.example", "microsoft"), Wanted(REP, "microsoft", account_id=7)):
        with pytest.raises(InputError, match=r"no user rpe@ours\.example|account 7 is not one"):
            question(app, wanted, "http://127.0.0.1")
        with pytest.raises(InputError):
            by_device(app, wanted)
    assert server.documents == 0


def test_what_becomes_of_what_was_captured_is_to_be_said_before_anybody_consents(
    microsoft: tuple[Application, EntraServer],
) -> None:
    app, server = microsoft
    server.device_answer = "granted"
    server.device_scopes = ("openid", "email", "profile", "offline_access", "Mail.ReadBasic")
    account = by_device(app, Wanted(REP, "microsoft"), sleep=lambda _: None).connected.account_id
    assert capture_account(app, account).captured
    documents, forms = server.documents, len(server.forms)
    today = app.clock.now().date()
    for less in (
        Wanted(REP, "microsoft", since=today),
        Wanted(REP, "microsoft", "metadata", account_id=account),
    ):
        with pytest.raises(InputError, match="--keep, --purge"):
            question(app, less, "http://127.0.0.1")
        with pytest.raises(InputError, match="--keep, --purge"):
            by_device(app, less)
    assert (server.documents, len(server.forms)) == (documents, forms)
    kept = by_device(app, Wanted(REP, "microsoft", since=today, purge=False), sleep=lambda _: None)
    assert (kept.connected.account_id, kept.connected.removed) == (account, 0)


def reach(server: EntraServer, graph: FakeGraph, *mailboxes: str) -> None:
    """The application's permission opens these mailboxes."""
    scopes = frozenset({"Mail.ReadBasic.All", "Calendars.ReadBasic.All"})
    server.on_issue = lambda token, _address, _scopes: graph.accept(token, "", scopes, frozenset(mailboxes))


def test_a_mailbox_is_read_by_the_applications_own_permission_where_the_operator_lists_it(
    microsoft: tuple[Application, EntraServer], graph: FakeGraph
) -> None:
    app, server = microsoft
    reach(server, graph, REP)
    with capture_logs() as logs:
        outcome = connect_delegated(app, Wanted(REP, "microsoft"), REP)
        assert capture_account(app, outcome.connected.account_id).status == "ok"
    assert [line for line in logs if line["event"] == "stood_in_for_a_mailbox"]
    with pytest.raises(InputError, match="not known to be an address"):
        connect_delegated(app, Wanted(REP, "microsoft"), OTHER)
    with pytest.raises(SetupError, match=r"not listed in microsoft\.mailboxes"):
        connect_delegated(app, Wanted(REP, "microsoft", any_address=True), OTHER)
    assert (stored(app, Account), stored(app, Credential)) == (1, 1)
    with reading(app.engine) as session:
        assert "microsoft, without sign-in" in session.exec(select(AuditEntry.detail)).all()


def test_calls_are_connected_by_the_applications_permission_and_nobody_is_asked_to_sign_in(
    microsoft: tuple[Application, EntraServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, server = microsoft
    settings = app.settings.microsoft.model_dump(mode="json", exclude_defaults=True)
    lines = [f"network.ca_file = {json.dumps(str(app.settings.network.ca_file))}", "[microsoft]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (app.settings.home / "autocapture.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(app.settings.home))
    has_an_account(app, REP)
    words = ["connect", "microsoft-calls", "--user", REP, "--reps", f"aaaa-1111={REP}"]
    result = CliRunner().invoke(commands, words)
    assert result.exit_code == 0, result.output
    assert f"call   {REP}" in result.output
    helped = CliRunner().invoke(commands, ["connect", "microsoft-calls", "--help"]).output
    assert "grants the application CallRecords.Read.All" in " ".join(helped.split())
    assert "address of the admin who keeps this account" in " ".join(helped.split())
    assert "--device" not in helped
    server.client_secret = "another"
    refused = CliRunner().invoke(commands, words)
    assert refused.exit_code == 1
    assert stored(app, Account) == 2


def checked(app: Application) -> str:
    [(_name, look)] = list(delegation_checks(app))
    return look()


def test_the_set_up_fails_where_a_mailbox_outside_the_scope_opens(
    microsoft: tuple[Application, EntraServer], graph: FakeGraph
) -> None:
    app, server = microsoft
    reach(server, graph, REP, OTHER)
    with pytest.raises(SetupError, match=f"reads mail and calendars of {OTHER}"):
        checked(app)
    calendars = frozenset({"Calendars.ReadBasic.All"})
    server.on_issue = lambda token, _a, _s: graph.accept(token, "", calendars, frozenset({REP, OTHER}))
    with pytest.raises(SetupError, match=f"reads calendars of {OTHER}"):
        checked(app)
    reach(server, graph, REP)
    assert "does not open" in checked(app)


@pytest.mark.parametrize(
    ("outside", "words"),
    [("", "set microsoft.mailbox_outside"), (REP, "is one of"), ("nobody@ours.example", "proves nothing")],
)
def test_a_trial_that_proves_nothing_is_no_success(
    microsoft: tuple[Application, EntraServer], graph: FakeGraph, outside: str, words: str
) -> None:
    app, server = microsoft
    reach(server, graph, REP, "nobody@ours.example")
    changed = app.settings.microsoft.model_copy(update={"mailbox_outside": outside})
    app = replace(app, settings=app.settings.model_copy(update={"microsoft": changed}))
    with pytest.raises(SetupError, match=words):
        checked(app)
