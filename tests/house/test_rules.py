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


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_a_module_fits_in_the_head(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_only_the_clock_tells_the_time(path: Path) -> None:
    if path.name == "clock.py" and path.parent.name == "autocapture":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = (
                owner.id
                if isinstance(owner, ast.Name)
                else owner.attr
                if isinstance(owner, ast.Attribute)
                else ""
            )
            assert (name, node.func.attr) not in TELLS_TIME, f"line {node.lineno}: {name}.{node.func.attr}()"


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_a_module_is_named_after_what_it_works_on(path: Path) -> None:
    assert not NO_NAMES & {path.stem, *path.relative_to(ROOT).parts}


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_nothing_is_left_undone(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", source)
    shipped_suite = "testing" in path.parts  # its hooks are for those who use it to fill in
    assert shipped_suite or "raise NotImplementedError" not in source


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
