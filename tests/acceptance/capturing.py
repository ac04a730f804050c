"""The sample organisation captured as its users would: files written, people, CRM and quotas imported, accounts captured."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from rich.console import Console
from sqlmodel import Session, select
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.connect.vault import create_key
from autocapture.model.accounts import Account
from autocapture.settings import load_settings
from autocapture.store.engine import reading
from autocapture.testing import demo
from autocapture.testing.sample.write import SamplePaths, write
from autocapture.testing.world import World, generate
from autocapture.workflows.capture import capture_account
from autocapture.workflows.meetings import settle_meetings
from autocapture.workflows.rollups import refresh_rollups

LAST_DAY = date(2026, 11, 15)
"""A Sunday: the sample's last day."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One world, where its files lie, and the application that captured them."""

    world: World
    paths: SamplePaths
    app: Application

    @property
    def now(self) -> datetime:
        return self.app.clock.now()


def write_sample(seed: int, folder: Path) -> tuple[World, SamplePaths]:
    world = generate(seed, LAST_DAY)
    return world, write(world, folder)


def captured(
    world: World,
    paths: SamplePaths,
    home: Path,
    *,
    url: str | None = None,
    backwards: bool = False,
    key: Path | None = None,
) -> Sample:
    """Imports and captures everything into a new database as of the midnight (UTC) that ends the sample's last day.

    `backwards` captures the accounts in the opposite order. `key`: the key file to copy, by default a new one.
    """
    home.mkdir(parents=True)
    environ = {"AUTOCAPTURE_HOME": str(home)} | ({"AUTOCAPTURE_DATABASE_URL": url} if url else {})
    end = datetime.combine(world.last_on + timedelta(days=1), time(), UTC)
    app = build(load_settings(environ), FixedClock(end))
    create_key(app.settings.key_file)
    if key is not None:
        shutil.copyfile(key, app.settings.key_file)
    make_tables(app.engine)
    quiet = Console(file=io.StringIO())
    demo._import(app, paths, quiet)
    accounts = demo._connect(app, paths, quiet)
    sample = Sample(world, paths, app)
    capture_again(sample, list(reversed(accounts)) if backwards else accounts)
    return sample


def capture_again(sample: Sample, accounts: list[int] | None = None) -> None:
    """One more run over every account; each must end well."""
    for account_id in accounts or account_ids(sample.app):
        report = capture_account(sample.app, account_id)
        assert report.status == "ok", (account_id, report.why)
    settle_meetings(sample.app)
    refresh_rollups(sample.app)


def account_ids(app: Application) -> list[int]:
    with reading(app.engine) as session:
        return _ids(session)


def _ids(session: Session) -> list[int]:
    return [found for found in session.exec(select(Account.id).order_by(Account.id)) if found is not None]  # type: ignore[arg-type]
