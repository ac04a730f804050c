"""The rules of the house, held by reading the code."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from autocapture.settings import Settings, environment_names, load_settings

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "src/autocapture/store/migrations/versions"
MODULES = sorted(
    path
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    if path.parent != MIGRATIONS
)
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
NO_NAMES = {"utils", "helpers", "common", "core", "base", "manager", "handlers", "misc"}
TELLS_TIME = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
}
BINARY = {".png", ".jpg", ".svg", ".ico", ".woff2", ".gz"}


def _ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _written() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git checkout: which files belong to the project is not known")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """By path. All modules are one test: as tests of their own they would be a third of all there are."""
    return {_ids(path): path.read_text(encoding="utf-8") for path in MODULES}


@pytest.fixture(scope="module")
def nodes(sources: dict[str, str]) -> list[tuple[str, ast.AST]]:
    return [(name, node) for name, source in sources.items() for node in ast.walk(ast.parse(source))]


def test_a_module_fits_in_the_head(sources: dict[str, str], nodes: list[tuple[str, ast.AST]]) -> None:
    lengths = {name: len(source.splitlines()) for name, source in sources.items()}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE}
    functions = {
        f"{name} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name, node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(functions) > len(sources)
    assert not {name: lines for name, lines in functions.items() if lines > LONGEST_FUNCTION}


def test_only_the_clock_tells_the_time(nodes: list[tuple[str, ast.AST]]) -> None:
    asking = [
        f"{name} line {node.lineno}"
        for name, node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (_owner(node.func.value), node.func.attr) in TELLS_TIME
    ]
    assert {each.split()[0] for each in asking} == {"src/autocapture/clock.py"}, asking


def _owner(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_a_module_is_named_after_what_it_works_on() -> None:
    assert not [path for path in MODULES if NO_NAMES & {path.stem, *path.relative_to(ROOT).parts}]


def test_nothing_is_left_undone(sources: dict[str, str]) -> None:
    assert not [name for name, source in sources.items() if re.search(r"\b(TODO|FIXME|XXX)\b", source)]
    # the shipped suite's hooks are for those who use it to fill in
    own = {name: source for name, source in sources.items() if "/testing/" not in name}
    assert not [name for name, source in own.items() if "raise NotImplementedError" in source]


def test_the_repository_names_no_machine_and_no_registry() -> None:
    forbidden = re.compile(
        r"/(?:home|Users)/\w+/|/work/|/root/|pypi\.org|pythonhosted|--index-url|--extra-index-url|registry\.npmjs"
    )
    for path in _written():
        if path.suffix in BINARY or path == Path(__file__):
            continue
        found = forbidden.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{_ids(path)}: {found.group() if found else ''}"


def test_every_locked_package_has_its_hash() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8"))
        for block in blocks:
            assert "==" in block.splitlines()[0], block
            assert "--hash=sha256:" in block, block


def _documented() -> Iterator[tuple[str, ...]]:
    """Key paths of config/autocapture.toml, commented ones included, with what it says they are by default."""
    section: tuple[str, ...] = ()
    for line in (ROOT / "config/autocapture.toml").read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = (header[1],)
        elif key := re.match(r"# (\w+) = ", line):
            yield (*section, key[1])


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    known = set(environment_names().values()) - {("home",)}
    assert sorted(_documented()) == sorted(known)


def test_the_documented_defaults_are_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / "config/autocapture.toml").read_text(encoding="utf-8")
    lines = [
        line.removeprefix("# ") if re.match(r"# \w+ = ", line) else line
        for line in text.splitlines()
        if "# default:" not in line  # these depend on the home folder; what stands there is an example
    ]
    (tmp_path / "autocapture.toml").write_text("\n".join(lines), encoding="utf-8")
    home = {"AUTOCAPTURE_HOME": str(tmp_path)}
    written = load_settings(home)
    (tmp_path / "autocapture.toml").unlink()
    assert written == load_settings(home)


def test_the_shipped_settings_file_is_valid_as_it_is() -> None:
    values = tomllib.loads((ROOT / "config/autocapture.toml").read_text(encoding="utf-8"))
    assert all(section in Settings.model_fields for section in values)
