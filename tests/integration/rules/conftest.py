"""A home in which Ruth exchanged mails with one customer that has two deals, and rules that can be changed."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.integration.capture.deployment import application, deploy, message
from tests.integration.corrections.matter import captured, furnish, reply
from tests.integration.service.conftest import home, run  # noqa: F401

from autocapture.application import Application
from autocapture.match.rules import shipped_text
from autocapture.model.measures import Quota
from autocapture.store.engine import writing

SETTINGS = """[capture]
matching_file = "{home}/matching.toml"
exclusions_file = "{home}/exclusions.toml"
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thread about Pumps, a mail that names neither deal, one of each kind with a quota on them; files as they are shipped."""
    folder = tmp_path_factory.mktemp("rules")
    home = folder / "home"  # noqa: F811
    furnish(deploy(home))
    furnish_files(home)
    app = application(home)
    mails = [
        message(1, subject="Pumps"),
        reply(2, to=1, subject="Re: Pumps"),
        message(3, subject="Tomorrow"),
        message(4, subject="Lease", author="Olga <olga@other.example>"),
        message(5, subject="Lease", author="Ruth <ruth@ours.example>", to="olga@other.example"),
    ]
    captured(app, folder / "mail", *mails)
    with writing(app.engine) as session:
        session.add(
            Quota(
                metric="emails_sent",
                scope_type="user",
                scope="ruth@ours.example",
                period_start=date(2026, 10, 1),
                period_end=date(2026, 12, 31),
                value=Decimal(10),
            )
        )
    app.engine.dispose()
    return home


@pytest.fixture
def app(home: Path, written: Path) -> Application:  # noqa: F811
    """A copy of it in the test's home."""
    shutil.copytree(written, home)
    furnish_files(home)
    return application(home)


def furnish_files(home: Path) -> None:  # noqa: F811
    """Settings that name the rules, and the rules as they are shipped."""
    (home / "autocapture.toml").write_text(SETTINGS.format(home=home), encoding="utf-8")
    write_rules(home)
    write_list(home)


def write_rules(home: Path, version: int = 1, *, common: str = "", **changed: str) -> None:  # noqa: F811
    """The shipped matching rules of this version, with values of keys changed and one more word that tells deals not apart."""
    shipped = shipped_text().replace("common = [", f'common = ["{common or "and"}",')
    lines = shipped.replace("version = 1", f"version = {version}").splitlines(keepends=True)
    text = "".join(
        f"{name} = {changed[name]}\n" if (name := line.partition(" = ")[0]) in changed else line
        for line in lines
    )
    (home / "matching.toml").write_text(text, encoding="utf-8")


def write_list(home: Path, *domains: str, version: int = 1) -> None:  # noqa: F811
    listed = ", ".join(f'"{each}"' for each in domains)
    (home / "exclusions.toml").write_text(f"version = {version}\ndomains = [{listed}]\n", encoding="utf-8")
