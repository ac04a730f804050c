"""The product put to a world: imported and captured by the real workflows in a home of its own, then read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.connect.vault import create_key
from autocapture.connector import CaptureLevel
from autocapture.errors import InputError
from autocapture.evaluate.answers import Answer, read_answers
from autocapture.evaluate.mapping import MAPPING, PRODUCTS
from autocapture.evaluate.sheets import USERS
from autocapture.evaluate.source import NAME, WorldRegistry
from autocapture.evaluate.world import World
from autocapture.evaluate.write import write_crm, write_sheet
from autocapture.settings import load_settings
from autocapture.store import schema
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.import_crm import import_crm
from autocapture.workflows.import_report import ImportReport
from autocapture.workflows.import_users import import_users
from autocapture.workflows.matching import rematch_everything
from autocapture.workflows.meetings import settle_meetings


def answers_of_product(world: World, level: CaptureLevel) -> dict[str, Answer]:
    """What the product says of each activity, by its id, when it keeps as much as `level` lets it."""
    with lived(world, level) as app:
        return read_answers(app.engine, world)


@contextmanager
def lived(world: World, level: CaptureLevel) -> Iterator[Application]:
    """A deployment that captured the world.

    As it goes in a life: when half of the activities have happened, the CRM of that moment is imported and they are captured;
    at the end the CRM of then is imported, what is stored is matched anew, and the rest is captured.
    """
    with _deployment(world) as (app, clock, folder):
        _accept(import_users(app.engine, clock, folder / USERS.file))
        _import(app, world.crm_at(clock.now()), folder)
        accounts = [
            connect_account(
                app, Login(user.email, NAME, {"mailbox": user.email}, capture_level=level)
            ).account_id
            for user in world.users
        ]
        _capture(app, accounts)
        clock.advance(world.end - clock.now())
        _import(app, world, folder)
        rematch_everything(app)
        settle_meetings(app, whole_calendar=True)
        _capture(app, accounts)
        settle_meetings(app)
        yield app


@contextmanager
def _deployment(world: World) -> Iterator[tuple[Application, FixedClock, Path]]:
    """A home with users' file, where it is the middle of the world's time."""
    with TemporaryDirectory(prefix="autocapture-eval-") as name:
        home = Path(name)
        clock = FixedClock(world.middle)
        built = build(load_settings({"AUTOCAPTURE_HOME": name}))
        app = replace(built, clock=clock, registry=WorldRegistry(world), start_reader=None)
        create_key(home / "keys" / "master.key")
        schema.upgrade(app.engine)
        write_sheet(home, USERS, world.users)
        try:
            yield app, clock, home
        finally:
            app.engine.dispose()


def _import(app: Application, world: World, folder: Path) -> None:
    write_crm(world, folder)
    products = sorted({product for deal in world.deals for product in deal.products})
    (folder / PRODUCTS).write_text("".join(f"{line}\n" for line in ("name", *products)), encoding="utf-8")
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    _accept(import_crm(app.engine, app.clock, mapping=mapping))


def _accept(report: ImportReport) -> None:
    if report.refused:
        first = report.refused[0]
        raise InputError(f"{first.place}: {first.reason}")


def _capture(app: Application, accounts: list[int]) -> None:
    for account_id in accounts:
        report = capture_account(app, account_id)
        if report.status != "ok":
            raise InputError(f"the world cannot be captured: {report.why or report.status}")
