"""`autocapture contacts`: people from outside whom the CRM does not know, and what is created of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autocapture.cli.application import open_application, organization_zone
from autocapture.cli.output import Format, FormatOption, emit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autocapture.application import Application
    from autocapture.workflows.creating import CreationReport

contacts = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List people whom the CRM lacks, and create contacts.",
)
BatchOption = Annotated[
    int | None, typer.Option("--batch", metavar="N", help="One batch, as `contacts created` numbers them.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(contacts, name="contacts")


@contacts.command()
def staged(fmt: FormatOption = Format.TABLE) -> None:
    """List the addresses and numbers from outside that no contact has.

    With what was captured of each, the company that their domain tells, and why no contact was created. Nothing of them is
    lost: once they are contacts, all of it is theirs.
    """
    from autocapture.workflows.contact_listings import staged as run

    app = open_application()
    emit(_dated(run(app), app, fmt), fmt)


@contacts.command()
def create(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ADDRESS...]", help="Of these people, whatever the thresholds say."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show whom the thresholds would create; write nothing.")
    ] = False,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Create contacts of people whom the CRM does not know.

    Companies are created with them, by the domains of their addresses.

    Without addresses: of whom the thresholds of the settings (section `contacts`) ask for, as the service does by itself.
    """
    from autocapture.errors import InputError
    from autocapture.workflows.creating import create_contacts, create_these, would_create

    if dry_run and addresses:
        raise InputError("contacts create: --dry-run is for what the thresholds ask for; name no address")
    app = open_application()
    if addresses:
        report = create_these(app, addresses)
    else:
        report = would_create(app) if dry_run else create_contacts(app)
    emit(_newcomers(report), fmt)
    if report.rematched:
        typer.echo(f"{report.rematched} stored activities are matched differently now", err=True)


@contacts.command()
def created(
    batch: BatchOption = None,
    batches: Annotated[bool, typer.Option("--batches", help="The batches, with their numbers.")] = False,
    ended: Annotated[
        bool, typer.Option("--all", help="Also what was taken back, or what the CRM brought since.")
    ] = False,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List what autocapture created, when, and why."""
    from autocapture.workflows.contact_listings import batches as all_batches
    from autocapture.workflows.contact_listings import made

    app = open_application()
    rows = all_batches(app) if batches else made(app, batch=batch, ended=ended)
    emit(_dated(rows, app, fmt), fmt)


@contacts.command()
def undo(
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ADDRESS|DOMAIN...]", help="Contacts by address, companies by domain."),
    ] = None,
    batch: BatchOption = None,
) -> None:
    """Take back what autocapture created, for good.

    Everything they took part in is matched as before, and nothing is created of them again by itself. What the CRM brought
    since is its own, and stays.
    """
    from autocapture.errors import InputError
    from autocapture.workflows.taking_back import take_back, take_back_batch

    if (batch is None) == (not values):
        raise InputError("contacts undo: name addresses and domains, or one batch with --batch")
    app = open_application()
    taken = take_back(app, values or []) if batch is None else take_back_batch(app, batch)
    typer.echo(
        f"{taken.contacts} contacts and {taken.companies} companies are taken back; "
        f"{taken.rematched} stored activities are matched differently now"
    )
    if taken.kept:
        typer.echo(f"kept, since something else refers to them: {', '.join(taken.kept)}", err=True)


@contacts.command()
def details(
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Of whom. Default: of every contact.")
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List what mails tell of contacts.

    Names from headers; title, company, numbers and links from signatures.

    Each with the mail that says so and its time. Where the CRM tells something itself, that holds.
    """
    from autocapture.formats.handles import canonical_email
    from autocapture.workflows.contact_listings import found_details

    app = open_application()
    emit(_dated(found_details(app, canonical_email(address) if address else None), app, fmt), fmt)


def _newcomers(report: CreationReport) -> Iterator[dict[str, object]]:
    from autocapture.workflows.contact_listings import REASONS

    for each in report.newcomers:
        new, known = each.belongs.new_domain, each.belongs.company_id
        yield {
            "batch": report.batch_id,
            "address": each.address,
            "name": each.name,
            "company": f"{new} (new)" if new else report.company_names.get(known or 0),
            "reason": f"{REASONS[each.reason]}{f': {each.count}' if each.count else ''}",
        }


def _dated(rows: Iterable[dict[str, object]], app: Application, fmt: Format) -> Iterator[dict[str, object]]:
    """For people, moments in the organisation's time zone."""
    from datetime import datetime as instant

    zone = organization_zone(app)

    def shown(value: object) -> object:
        if fmt is Format.TABLE and isinstance(value, instant):
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
        return value

    return ({name: shown(value) for name, value in row.items()} for row in rows)
