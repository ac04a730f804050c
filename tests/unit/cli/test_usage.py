"""Commands that were typed wrongly: one line that says what is wrong and where help is, exit code 2, never a traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autocapture.cli.app import app
from autocapture.testing.reference import commands

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a home of its own, without a terminal."""
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words), prog_name="autocapture")


def one_line_of(done: Result, code: int) -> str:
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert isinstance(done.exception, SystemExit)
    [line] = done.stderr.splitlines()
    assert line.startswith("autocapture: ")
    return line.removeprefix("autocapture: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sumary", "no such command 'sumary'; did you mean 'summary'?; see `autocapture --help`"),
        ("quotas chek x.csv", "no such command 'chek'; did you mean 'check'?; see `autocapture quotas --help`"),
        ("connect imapp", "there is no connector 'imapp'; installed: caldav, files, google, imap, microsoft, microsoft-calls; "
         "see `autocapture connect --help`"),
        ("--verson", "there is no option --verson; did you mean --version?; see `autocapture --help`"),
        ("summary --wek 1", "there is no option --wek; did you mean --week?; see `autocapture summary --help`"),
        ("metrics deals_won --perod 1",
         "there is no option --perod; did you mean --period?; see `autocapture metrics --help`"),
        ("init -n", "there is no option -n; see `autocapture init --help`"),
        ("summary", "--week is missing; see `autocapture summary --help`"),
        ("metrics deals_won", "--period is missing; see `autocapture metrics --help`"),
        ("quotas", "--period is missing, such as --period 2026-Q4; see `autocapture quotas --help`"),
        ("quotas check", "FILE.csv is missing; see `autocapture quotas check --help`"),
        ("summary --week", "--week needs a value"),
        ("capture --resync=yes", "--resync takes no value"),
        ("activities --kind chat",
         "--kind: 'chat' is not one of 'email', 'meeting', 'call'; see `autocapture activities --help`"),
        ("activities --from 2026-13-01",
         "--from: a day such as 2026-11-09 is wanted, not '2026-13-01'; see `autocapture activities --help`"),
        ("activities --to 9999-12-31",
         "--to: '9999-12-31' lies outside the years 1900 to 2999; see `autocapture activities --help`"),
        ("activities --from 0001-01-01",
         "--from: '0001-01-01' lies outside the years 1900 to 2999; see `autocapture activities --help`"),
        ("connect files --user a@example.com --level all",
         "--level: 'all' is not one of 'metadata', 'subject', 'full'; see `autocapture connect files --help`"),
        ("capture --account a", "--account: a whole number is wanted, not 'a'; see `autocapture capture --help`"),
        ("metrics --period 2026 --grain hour",
         "--grain: 'hour' is not one of 'day', 'week', 'month', 'quarter', 'year'; see `autocapture metrics --help`"),
    ],
)  # fmt: skip
def test_a_command_typed_wrongly_is_told_in_one_line(run: Run, words: str, said: str) -> None:
    assert one_line_of(run(*words.split()), 2) == said


@pytest.mark.parametrize("words", sorted(commands() - {()}), ids=" ".join)
def test_every_command_tells_an_unknown_option_in_one_line(run: Run, words: tuple[str, ...]) -> None:
    assert "there is no option --frob" in one_line_of(run(*words, "--frob"), 2)


def test_the_version_is_told(run: Run) -> None:
    done = run("--version")
    assert done.exit_code == 0
    assert re.fullmatch(r"autocapture \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words", sorted(commands()), ids=lambda words: " ".join(words) or "autocapture")
def test_help_begins_with_what_the_command_does(run: Run, words: tuple[str, ...]) -> None:
    shown = run(*words, "--help").stdout
    first = shown.split("\n\n")[1].strip()
    assert re.match(r"[A-Z][a-z]+,? ", first) or not words
    assert re.search(r"\w\.(\s|$)", first), first
    assert "..." not in shown.partition("Commands:")[2]  # nothing is cut off


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["--version", "metrics list --format json", "metrics explain deals_won"])
def test_a_full_disk_is_told_in_one_line(words: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "autocapture", *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode != 0
    assert done.stderr == "autocapture: No space left on device\n"


def test_no_password_is_told_in_one_line(run: Run) -> None:
    words = "connect imap --user a@example.com --host imap.example.com --username a --password-stdin"
    assert one_line_of(run(*words.split()), 1) == "the password is empty"


def test_a_password_is_not_read_aloud_where_there_is_no_terminal(run: Run, tmp_path: Path) -> None:
    words = "connect imap --user a@example.com --host imap.example.com --username a"
    done = subprocess.run(
        [sys.executable, "-m", "autocapture", *words.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,  # nor is there one behind it
    )
    assert done.returncode == 1
    assert "Warning" not in done.stderr
    assert done.stderr.endswith("there is no terminal to ask for the password; use --password-stdin\n")


@pytest.mark.parametrize("week", ["2026-46", "2026-W54", "2026-11", "46", "2026-w46", "", "0000-W10"])
def test_a_wrong_week_names_the_form_that_is_right(run: Run, week: str) -> None:
    _with_a_team(run)
    told = one_line_of(run("summary", "--week", week), 1)
    assert told == f"there is no ISO week {week!r}; write it like 2026-W46"


@pytest.mark.parametrize("words", ["metrics", "metrics trace deals_won", "quotas"])
@pytest.mark.parametrize("period", ["2026-46", "2026-W54", "W46", "2026-11-31..2026-12-01", "last week"])
def test_a_wrong_period_names_the_forms_that_are_right(run: Run, words: str, period: str) -> None:
    assert run("init").exit_code == 0
    told = one_line_of(run(*words.split(), "--period", period), 1)
    assert repr(period) in told
    assert "write 2026-W46, 2026-11, 2026-Q4, 2026 or 2026-11-01..2026-11-15" in told


@pytest.mark.parametrize(
    "url", ["postgresql://a:secret@127.0.0.1:notaport/d", "sqlite:////proc/none/x.db", "frob"]
)
@pytest.mark.parametrize("words", ["accounts", "init", "database upgrade", "metrics --period 2026"])
def test_a_database_that_cannot_be_is_told_in_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_DATABASE_URL", url)
    assert "secret" not in one_line_of(run(*words.split()), 1)


def _files(folder: Path) -> dict[str, Path]:
    """Paths of which none can be imported."""
    kinds = {
        "empty": b"",
        "binary": bytes(range(256)) * 20,
        "text": "Ä;\nx,y\n".encode("latin-1"),
        "nul": b"a,b\n\x00,\x00\n",
    }
    for name, content in kinds.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in kinds} | {"missing": folder / "missing", "folder": folder}


@pytest.mark.parametrize("kind", ["empty", "binary", "text", "nul", "missing", "folder"])
@pytest.mark.parametrize("words", ["users import", "import quotas", "import crm --mapping", "quotas check"])
def test_a_file_that_cannot_be_imported_is_told_in_one_line(
    run: Run, tmp_path: Path, words: str, kind: str
) -> None:
    assert run("init").exit_code == 0
    one_line_of(run(*words.split(), str(_files(tmp_path)[kind])), 1)


def test_a_home_that_cannot_be_made_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder", encoding="utf-8")
    assert str(tmp_path) in one_line_of(run("init"), 1)


def _with_a_team(run: Run) -> None:
    Path("users.csv").write_text("email,name,team\nann@example.com,Ann,North\n", encoding="utf-8")
    assert run("init").exit_code == 0
    assert run("users", "import", "users.csv").exit_code == 0


def test_an_address_that_is_none_is_told_before_a_password_is_asked_for(run: Run) -> None:
    done = run("connect", "caldav", "--user", "a@example.com", "--username", "a", "--url", "notaurl")
    assert one_line_of(done, 1) == "connect caldav: --url: must begin with https:// and a host"
