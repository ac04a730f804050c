"""What the pages say is so: links, commands, settings, paths, examples."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from autocapture.cli.app import app
from autocapture.connect.registry import GROUP
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR
from autocapture.measure.period import iso_week
from autocapture.settings import Settings, environment_names

ROOT = Path(__file__).parents[2]
GENERATED = {ROOT / "docs/reference/commands.md"}
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - GENERATED)
TREES = ("src/", "connectors/", "tests/", "docs/", "config/")
SETTINGS = {".".join(path) for path in environment_names().values()}
SECTIONS = {name.partition(".")[0] for name in SETTINGS if "." in name}


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    language: str
    text: str


def _blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(page, language, text) for language, text in found]


def _prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _quoted(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", _prose(page))


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _slugs(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


COMMAND = typer.main.get_command(app)
pages = pytest.mark.parametrize("page", PAGES, ids=_name)


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert there.is_relative_to(ROOT), target
        assert not anchor or anchor in _slugs(there), target


def test_every_page_is_linked_from_the_index() -> None:
    linked = {
        (page.parent / target).resolve()
        for page in (ROOT / "docs/index.md", ROOT / "docs/decisions/index.md")
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    }
    assert set((ROOT / "docs").rglob("*.md")) - linked == {ROOT / "docs/index.md"}


@pages
def test_every_picture_is_small(page: Path) -> None:
    for target in re.findall(r"!\[[^]]*\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).stat().st_size < 250_000


def _typed(block: Block) -> Iterator[list[str]]:
    """The words of each `autocapture` command in a block for a shell."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\||&&|;", line.partition(" #")[0]):
            words = shlex.split(part.partition("<")[0])
            names = [n for n, word in enumerate(words[:-1]) if re.fullmatch(r"(\S*/bin/)?autocapture", word)]
            if names:
                yield words[names[-1] + 1 :]


def _leaf(words: list[str]) -> tuple[Any, Any, list[str]]:
    """The command that `words` name, its parent's context, and the words that are left for it."""
    command: Any = COMMAND
    context = command.make_context("autocapture", [], resilient_parsing=True)
    while words and hasattr(command, "get_command"):
        child = command.get_command(context, words[0])
        if child is None:
            break
        command, name, words = child, words[0], words[1:]
        if words and hasattr(command, "get_command"):
            context = command.make_context(name, [], parent=context, resilient_parsing=True)
    return command, context, words


@pages
def test_every_command_in_a_block_can_be_typed(page: Path) -> None:
    for block in _blocks(page):
        if block.language != "sh":
            continue
        for words in _typed(block):
            command, context, rest = _leaf(words)
            assert command.name != "autocapture", words
            with command.make_context(command.name, list(rest), parent=context):
                pass  # made: every argument and option is known, complete and of its type


@pages
def test_every_block_of_commands_is_marked_as_one(page: Path) -> None:
    for block in _blocks(page):
        typed = re.search(r"^([\w./]*/)?(autocapture|make|python) ", block.text, re.MULTILINE)
        assert typed is None or block.language == "sh", block.text


@pages
def test_every_period_and_week_in_a_block_is_one(page: Path) -> None:
    for block in _blocks(page):
        for option, value in re.findall(r"--(period|week) (\S+)", block.text):
            period = CALENDAR_YEAR.parse(value)
            assert option == "period" or value == iso_week(period.start)


@pages
def test_every_command_and_flag_in_a_sentence_exists(page: Path) -> None:
    for quoted in _quoted(page):
        if not re.match(r"autocapture [a-z]", quoted):
            continue
        words = quoted.split()[1:]
        command, context, rest = _leaf(words)
        assert rest != words, quoted
        known = {name for parameter in command.get_params(context) for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, quoted


@pages
def test_every_setting_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {*environment_names(), "AUTOCAPTURE_CONFIG"}
    named = set(re.findall(r"\bAUTOCAPTURE_[A-Z_]+[A-Z]\b", text))
    assert named <= known
    for quoted in _quoted(page):
        if re.fullmatch(rf"({'|'.join(SECTIONS)})\.[a-z_]+", quoted) and not quoted.endswith((".py", ".csv")):
            assert quoted in SETTINGS


@pages
def test_every_example_of_settings_is_valid(page: Path) -> None:
    for block in _blocks(page):
        if block.language != "toml":
            continue
        values = tomllib.loads(block.text)
        if set(values) & SECTIONS:
            Settings.model_validate({"home": "var", "database_url": "sqlite://", "key_file": "key", **values})


def _exists(path: str) -> bool:
    roots = (ROOT, ROOT / "src/autocapture")
    return any(any(root.glob(path.rstrip("/"))) for root in roots)


@pages
def test_every_path_and_module_exists(page: Path) -> None:
    packages = "|".join(path.name for path in (ROOT / "src/autocapture").iterdir() if path.is_dir())
    for quoted in _quoted(page):
        if quoted.startswith(TREES) and " " not in quoted:
            assert _exists(quoted), quoted
        if re.fullmatch(rf"({packages})/[\w/]*(\.py)?", quoted):
            assert _exists(quoted), quoted
        if re.fullmatch(r"autocapture(\.\w+)+", quoted) and quoted != GROUP:
            assert _importable(quoted), quoted


def _importable(name: str) -> bool:
    owner, _, last = name.rpartition(".")
    module = importlib.util.find_spec(owner)
    if module is None or module.origin is None:
        return False
    if module.submodule_search_locations and importlib.util.find_spec(name):
        return True
    return hasattr(importlib.import_module(owner), last)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a home of its own, inside a folder of its own."""
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> Result:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done

    command("init")
    return command


def _example(page: Path, beginning: str) -> str:
    [text] = {block.text for block in _blocks(page) if block.text.startswith(beginning)}
    return text


def _write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_the_examples_of_the_readme_are_imported_whole(run: Callable[..., Result]) -> None:
    readme = ROOT / "README.md"
    users = _write("users.csv", _example(readme, "email,name,"))
    assert " 0 refused" in run("users", "import", users, "--strict").output
    quotas = _write("quotas.csv", _example(readme, "metric,scope_type,"))
    run("quotas", "check", quotas)
    assert " 0 refused" in run("import", "quotas", quotas, "--strict").output


def test_the_example_of_a_call_log_is_captured_whole(run: Callable[..., Result]) -> None:
    page = ROOT / "docs/how-to/connect-files.md"
    run("users", "import", _write("users.csv", _example(ROOT / "README.md", "email,name,")))
    calls = _write("calls.csv", _example(page, "Call ID,"))
    mapping = _write("calls.toml", _example(page, "date_format"))
    run("connect", "files", "--user", "ann@example.com", "--calls", calls, "--mapping", mapping)
    run("capture")
    rows = run("activities", "--format", "csv").output.splitlines()[1:]
    assert len(rows) == len(Path(calls).read_text(encoding="utf-8").splitlines()) - 1


def test_the_example_of_a_never_log_list_is_valid() -> None:
    from autocapture.admit.exclusions import parse_exclusions

    text = _example(ROOT / "docs/how-to/exclusions.md", "addresses")
    assert parse_exclusions(tomllib.loads(text)).handles == {"council@example.com", "+4930123456"}


def test_every_reason_is_explained() -> None:
    from autocapture.admit.reasons import REASONS

    text = (ROOT / "docs/how-to/exclusions.md").read_text(encoding="utf-8")
    for reason, meaning in REASONS.items():
        assert f"| `{reason}` | {meaning} |" in text


def test_the_changelog_tells_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_layers_of_the_architecture_page_are_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [layers] = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    held = [re.sub(r"\(\w+\) \| ", "", line) for line in layers]  # in brackets: not there yet
    [drawn] = [
        b.text for b in _blocks(ROOT / "docs/architecture.md") if b.text.startswith("__main__ | testing")
    ]
    assert [line.split("  ")[0].strip() for line in drawn.splitlines()] == held
