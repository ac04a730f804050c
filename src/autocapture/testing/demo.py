"""The sample organisation, live: written once, captured through the real connectors, and told of on the screen.

Behind ``autocapture serve --sample``. A second run finds the same files, and captures what is new in them: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlmodel import select

from autocapture.application import Application
from autocapture.model.accounts import Account
from autocapture.model.organization import User
from autocapture.store.engine import reading
from autocapture.testing.sample import SamplePaths, ensure_sample
from autocapture.testing.sample.settings import ensure_settings
from autocapture.testing.tally import show_tally
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.import_crm import import_crm
from autocapture.workflows.import_quotas import import_quotas
from autocapture.workflows.import_users import import_users
from autocapture.workflows.meetings import settle_meetings
from autocapture.workflows.rollups import refresh_rollups

Stopping = Callable[[], bool]


def show_sample(app: Application, should_stop: Stopping, console: Console | None = None) -> None:
    """Brings the sample organisation up to date and prints what became of it.

    Does nothing where somebody's own accounts are connected. `should_stop` ends it after the page that is under way.
    """
    console = console or Console(highlight=False)
    directory = app.settings.home / "sample"
    if not directory.exists() and _connected(app):
        console.print("Accounts are connected, so no sample organisation is written.")
        return
    with console.status("Writing the sample organisation …"):
        paths = ensure_sample(directory, app.clock)
    _import(app, paths, console)
    account_ids = _connect(app, paths, console)
    _capture(app, account_ids, should_stop, console)
    if should_stop():
        return
    with console.status("Counting …"):
        settle_meetings(app)
        refresh_rollups(app)
    show_tally(app, paths.anchor.end, console)


def settle_sample(app: Application) -> bool:
    """Gives a home in which nothing is connected yet the sample's settings; whether they must be read anew."""
    directory = app.settings.home / "sample"
    return not directory.exists() and not _connected(app) and ensure_settings(app.settings.home)


def _connected(app: Application) -> dict[str, int]:
    """Account ids by the user's address."""
    with reading(app.engine) as session:
        found = session.exec(select(User.email, Account.id).join(Account)).all()
    return {email: account_id for email, account_id in found if account_id is not None}


def _import(app: Application, paths: SamplePaths, console: Console) -> None:
    with console.status("Importing people, CRM and quotas …"):
        reports = {
            "users": import_users(app.engine, app.clock, paths.users),
            "CRM": import_crm(app.engine, app.clock, mapping=paths.crm_mapping),
            "quotas": import_quotas(app.engine, app.clock, paths.quotas),
        }
    for name, report in reports.items():
        created, updated = sum(report.created.values()), sum(report.updated.values())
        why = ", wrong on purpose:" if report.refused else ""
        console.print(f"{name}: {created} created, {updated} updated, {len(report.refused)} refused{why}")
        for remark in report.refused:
            console.print(f"  refused: {remark.place}: {remark.reason}", markup=False)


def _connect(app: Application, paths: SamplePaths, console: Console) -> list[int]:
    connected = _connected(app)
    for email in paths.maildirs:
        if email not in connected:
            login = Login(user_email=email, connector="files", options=_files_of(paths, email))
            connected[email] = connect_account(app, login).account_id
    console.print(
        f"accounts: {len(connected)} connected, each a Maildir, a calendar and, for reps, a call log"
    )
    return sorted(connected.values())


def _files_of(paths: SamplePaths, email: str) -> Mapping[str, Path]:
    options = {"maildir": paths.maildirs[email].absolute(), "ics": paths.calendars[email].absolute()}
    log = paths.calls.get(email)
    if log is not None:
        options["calls"] = log.path.absolute()
        if log.mapping is not None:
            options["mapping"] = log.mapping.absolute()
    return options


def _capture(app: Application, account_ids: Sequence[int], should_stop: Stopping, console: Console) -> None:
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("accounts, {task.fields[items]} items"),
        TimeElapsedColumn(),
        console=console,
    )
    with bars:
        bar = bars.add_task("Capturing", total=len(account_ids), items=0)
        items = 0

        def progress(_channel: str, count: int) -> None:
            nonlocal items
            items += count
            bars.update(bar, items=items)

        for account_id in account_ids:
            if should_stop():
                return
            report = capture_account(app, account_id, progress=progress, should_stop=should_stop)
            if report.status == "stopped":
                return
            bars.advance(bar)
            if report.status != "ok":
                console.print(f"account {account_id}: {report.status}: {report.why}")
