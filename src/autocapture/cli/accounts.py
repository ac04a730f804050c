"""Connected accounts: which there are, how much each holds, and what of it is captured."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autocapture.cli.application import open_application, organization_zone
from autocapture.cli.output import Format, FormatOption, emit, print_table
from autocapture.cli.usage import day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autocapture.workflows.preview import Preview

Id = Annotated[int, typer.Argument(metavar="ID", help="The account's number, as `accounts` lists it.")]
_COLUMNS = (
    "id", "user", "connector", "subject", "address", "state", "last_ok_at", "captured", "skipped", "quarantined", "why",
    "coverage", "counted_at", "fresh_items", "fresh_p50_s", "fresh_p95_s", "fresh_p99_s", "alerts",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(accounts)
    group.command()(preview)
    group.command()(scope)
    group.command()(pause)
    group.command()(resume)
    group.command()(disconnect)
    app.add_typer(group, name="accounts")


def accounts(ctx: typer.Context, fmt: FormatOption = Format.TABLE) -> None:
    """List the connected accounts with their state and counts."""
    from autocapture.workflows.listings import list_accounts

    if ctx.invoked_subcommand is not None:
        return
    app = open_application()
    rows = list_accounts(app)
    if fmt is Format.TABLE:
        from autocapture.cli.sheets import accounts_table

        print_table(accounts_table(rows, organization_zone(app)))
    else:
        emit(rows, fmt, _COLUMNS)


def preview(
    account_id: Id,
    since: Annotated[
        date | None,
        typer.Option(
            "--since", metavar="DATE", parser=day, help="From when on. Default: as the account is set."
        ),
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Count what an account holds, before anything is imported.

    By channel and year, with how long an import would take.
    """
    from autocapture.model.accounts import Account
    from autocapture.store.engine import reading
    from autocapture.workflows.preview import estimate, in_words, take_preview

    app = open_application()
    found = take_preview(app, account_id)
    with reading(app.engine) as session:
        account = session.get_one(Account, account_id)
        start, left_out = since or account.since, account.left_out
    emit(_counted(found, left_out), fmt)
    limits = app.settings.rate_limits
    expected = estimate(found, start, left_out, limits)
    since_words = f"since {start}" if start else "of all time"
    if expected.items is None or expected.lasts is None:
        typer.echo(f"{since_words}: how much that is cannot be told before it is read", err=True)
        return
    bound = "" if expected.dated else "at most "
    lasts, with_texts = in_words(expected), in_words(estimate(found, start, left_out, limits, "full"))
    besides = f"; at level full, with texts, {with_texts}" if with_texts != lasts else ""
    typer.echo(f"{since_words}: {bound}{expected.items} items, {lasts}{besides}", err=True)


def _counted(found: Preview, left_out: list[str]) -> Iterator[dict[str, Any]]:
    blank: dict[str, Any] = dict.fromkeys(map(str, found.years))
    for each in found.channels:
        years: dict[str, Any] = {str(year): each.by_year.get(year, 0) for year in found.years}
        captured = "no, left out" if each.id in left_out else "yes"
        told = {"kind": each.kind, "captured": captured}
        yield {"channel": each.name, **told, "total": each.total, **years}
        for name, held in each.folders.items():
            yield {"channel": f"{each.name}: {name}", **told, "total": held, **blank}
    for name, why in found.left_out.items():
        yield {"channel": name, "kind": None, "captured": f"no: {why}", "total": None, **blank}


def scope(
    account_id: Id,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="From when on, or `all`. Default: as it is."),
    ] = None,
    level: Annotated[
        Literal["metadata", "subject", "full"] | None,
        typer.Option("--level", help="What is stored; full is the text too. Default: as it is."),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out", metavar="CHANNEL", help="A folder or calendar not to capture, by its name."
        ),
    ] = None,
    take_in: Annotated[
        list[str] | None,
        typer.Option("--take-in", metavar="CHANNEL", help="One that was left out, to capture again."),
    ] = None,
    purge: Annotated[
        bool | None,
        typer.Option(
            "--purge/--keep",
            help="What becomes of what was captured and is no longer in scope. Must be said then; "
            "--purge also finds what was kept before.",
        ),
    ] = None,
) -> None:
    """Change what of an account is captured. A pending account begins with it."""
    from autocapture.workflows.change_scope import Scope, change_scope, channel_ids, scope_of

    app = open_application()
    present = scope_of(app, account_id)
    left_out = present.left_out | channel_ids(app, account_id, leave_out or ())
    wanted = Scope(
        since=present.since if since is None else None if since == "all" else day(since),
        level=level or present.level,
        left_out=left_out - channel_ids(app, account_id, take_in or ()),
    )
    changed = change_scope(app, account_id, wanted, purge=purge, start=True)
    typer.echo(f"account {account_id} captures {wanted.level} since {wanted.since or 'the beginning'}")
    if wanted.left_out:
        typer.echo(f"  {len(wanted.left_out)} channels are left out")
    if purge:
        typer.echo(f"  {changed.removed} items were taken out of the database")


def pause(account_id: Id) -> None:
    """Capture nothing of an account until it is resumed. What was captured stays."""
    from autocapture.workflows import pausing

    pausing.pause(open_application(), account_id)
    typer.echo(f"account {account_id} is paused")


def resume(account_id: Id) -> None:
    """Capture a paused account again, with what came in meanwhile."""
    from autocapture.workflows import pausing

    pausing.resume(open_application(), account_id)
    typer.echo(f"account {account_id} is captured again")


def disconnect(
    account_id: Id,
    purge: Annotated[
        bool | None,
        typer.Option(
            "--purge/--keep",
            help="What becomes of what was captured. Must be said where there is anything; --purge also finds what was "
            "kept when it was disconnected.",
        ),
    ] = None,
) -> None:
    """Forget the sign-in of an account, here and at its provider.

    Its row and its ledger stay. Connected again, it is the same account.
    """
    from autocapture.workflows import disconnecting

    done = disconnecting.disconnect(open_application(), account_id, purge=purge)
    typer.echo(f"account {account_id} is disconnected")
    if purge:
        typer.echo(f"  {done.removed} items were taken out of the database")
    if done.stays:
        typer.echo(f"  {done.stays}")
