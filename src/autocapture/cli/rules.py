"""`rules`: what changed rules would change, applying them to the whole history, taking that back."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autocapture.cli.application import open_application, organization_zone
from autocapture.cli.output import Format, FormatOption, emit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

    from autocapture.application import Application
    from autocapture.measure.fiscal_calendar import FiscalCalendar
    from autocapture.workflows.rules_apply import Applied
    from autocapture.workflows.rules_in_force import Rules

_SHOWN = 40


class DiffFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE...]",
        help="A matching file, a never-log list, or both. Default: those that the settings name.",
    ),
]
ByOption = Annotated[
    str | None, typer.Option("--as", metavar="EMAIL", help="Who does it. Default: who runs the service.")
]


def register(app: typer.Typer) -> None:
    rules = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="See what changed rules would change, and apply them.",
    )
    rules.command("check")(check)
    rules.command("diff")(diff)
    rules.command("apply")(apply)
    rules.command("undo")(undo)
    rules.command("list")(list_)
    app.add_typer(rules, name="rules")


def check(files: FilesArgument = None, fmt: FormatOption = Format.TABLE) -> None:
    """Judge rules by the cases that they must satisfy.

    These are the shipped ones, and those of capture.cases_file. Ends with 1 where a case fails.
    """
    from autocapture.errors import InputError
    from autocapture.workflows.rules_cases import cases_of, failing

    app = open_application()
    rules = _proposed(app, files)
    cases = cases_of(app)
    failed = failing(cases, rules)
    if failed or fmt is not Format.TABLE:
        emit(({"case": each.name, "wanted": each.wanted, "given": each.given} for each in failed), fmt)
    if failed:
        raise InputError(f"{len(failed)} of {len(cases)} cases fail")
    typer.echo(f"all {len(cases)} cases hold", err=fmt is not Format.TABLE)


def diff(
    files: FilesArgument = None,
    fmt: Annotated[
        DiffFormat, typer.Option("--format", help="How it is written.", show_default=True)
    ] = DiffFormat.TEXT,
) -> None:
    """Show what changed rules would change, over the whole history.

    Which activities would be matched otherwise, set aside or come back, and whose quota numbers would change. Nothing is
    written.
    """
    import json

    from autocapture.workflows.rules_diff import as_data, rules_diff

    app = open_application()
    told = as_data(rules_diff(app, _proposed(app, files), _progress()))
    for one in _examples(told):
        one["url"] = f"{app.settings.web.address}/activities/{one['activity']}"
    if fmt is DiffFormat.JSON:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for line in _in_words(told, organization_zone(app), app.fiscal_calendar):
        typer.echo(line)


def apply(
    by: ByOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
) -> None:
    """Apply the rules of the files to everything stored, as one batch.

    What people said stays as they said it. `rules undo` takes the batch back. Stopped in the middle, the same command goes on.
    """
    from autocapture.workflows.people_access import user_id_of
    from autocapture.workflows.rollups import refresh_rollups
    from autocapture.workflows.rules_apply import apply_rules

    app = open_application()
    who = None if by is None else user_id_of(app, by)
    if not yes:
        typer.confirm(
            "Everything stored is matched anew by these rules (see `autocapture rules diff`). Go on?",
            abort=True,
        )
    done = apply_rules(app, who, _progress())
    refresh_rollups(app)
    typer.echo(f"batch {done.batch_id} is applied{_went_on(done)}: {_matched(done.changed)}")


def undo(by: ByOption = None) -> None:
    """Take back the rules that were applied last.

    The rules of before are in force again, and everything stored is matched by them. Stopped in the middle, the same command
    goes on.
    """
    from autocapture.workflows.people_access import user_id_of
    from autocapture.workflows.rollups import refresh_rollups
    from autocapture.workflows.rules_apply import undo_rules

    app = open_application()
    done = undo_rules(app, None if by is None else user_id_of(app, by), _progress())
    refresh_rollups(app)
    typer.echo(f"batch {done.batch_id} is taken back{_went_on(done)}: {_matched(done.changed)}")


def list_(fmt: FormatOption = Format.TABLE) -> None:
    """List the batches of rules, with what each changed."""
    from sqlmodel import select

    from autocapture.cli.values import moment
    from autocapture.model.organization import User
    from autocapture.store.engine import reading
    from autocapture.workflows.rules_apply import listed

    app = open_application()
    zone = organization_zone(app)
    with reading(app.engine) as session:
        names = dict(session.exec(select(User.id, User.name)).all())
    emit(
        (
            {
                "batch": one.id,
                "state": one.state,
                "matching": f"{one.before['matching']['version']} → {one.matching_version}",
                "never_log": f"{one.before['exclusions']['version']} → {one.exclusions_version}",
                "changed": one.changed,
                "quotas": len(one.told["quotas"]),
                "at": moment(one.begun_at, zone) if fmt is Format.TABLE else one.begun_at,
                "by": names.get(one.begun_by),
                "undone_at": moment(one.undone_at, zone)
                if fmt is Format.TABLE and one.undone_at
                else one.undone_at,
                "undone_by": names.get(one.undone_by),
            }
            for one in listed(app)
        ),
        fmt,
    )


def _proposed(app: Application, files: list[Path] | None) -> Rules:
    """The rules of these files, and of the settings' what they do not name."""
    import tomllib
    from dataclasses import replace

    from autocapture.errors import InputError
    from autocapture.workflows.exclusions import load_exclusions
    from autocapture.workflows.matching_rules import load_matching_rules
    from autocapture.workflows.rules_in_force import rules_of_files

    rules = rules_of_files(app)
    named = set()
    for path in files or []:
        try:
            is_matching = "weights" in tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            is_matching = True  # which says what is wrong with it
        if is_matching in named:
            raise InputError(
                f"rules: {path} is the second of its kind; name one matching file and one never-log list"
            )
        named.add(is_matching)
        if is_matching:
            rules = replace(rules, matching=load_matching_rules(path))
        else:
            rules = replace(rules, exclusions=load_exclusions(path))
    return rules


def _progress() -> Any:
    """Tells how far it is on a terminal, in one line that is overwritten."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{done:,} of {of:,} threads and series", nl=done == of, err=True)

    return tell


def _went_on(done: Applied) -> str:
    return ", which was begun before" if done.resumed else ""


def _matched(changed: int) -> str:
    if not changed:
        return "nothing is matched differently"
    return f"{changed} {'activity is' if changed == 1 else 'activities are'} matched differently now"


def _examples(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for group in told["changes"]:
        yield from group["examples"]


def _in_words(told: Mapping[str, Any], zone: tzinfo, calendar: FiscalCalendar) -> Iterator[str]:
    from autocapture.workflows.rules_changes import CHANGES

    yield _headline(told)
    for group in told["changes"]:
        yield f"\n{group['count']:>7}  {CHANGES[group['change']]}"
        if group["change"] != "grounds":
            yield from _example_lines(group["examples"], zone)
    yield from _quota_lines(told, calendar)
    yield from _remarks(told)


def _headline(told: Mapping[str, Any]) -> str:
    if not told["changed"]:
        same = "the files say what is applied; " if told["same_rules"] else ""
        return f"{same}none of {told['looked_at']} activities would change"
    version = told["matching_version"]
    by = f"matching {version['before']} → {version['after']}" if version["before"] != version["after"] else ""
    of = told["exclusions_version"]
    by = ", ".join(
        filter(
            None,
            (by, f"never-log list {of['before']} → {of['after']}" if of["before"] != of["after"] else ""),
        )
    )
    return f"{told['changed']} of {told['looked_at']} activities would change{f' ({by})' if by else ''}; nothing is written"


def _example_lines(examples: Iterable[Mapping[str, Any]], zone: tzinfo) -> Iterator[str]:
    from datetime import datetime as instant

    for each in examples:
        at = instant.fromisoformat(each["at"]).astimezone(zone)
        yield f"           {at:%Y-%m-%d %H:%M} {each['kind']}: {each['before']} → {each['after']}"
        yield f"             {each['url']}"


def _quota_lines(told: Mapping[str, Any], calendar: FiscalCalendar) -> Iterator[str]:
    if not told["changed"]:
        return
    if not told["quotas"]:
        yield "\nno quota number would change"
        return
    yield "\nquota numbers that would change"
    for each in told["quotas"][:_SHOWN]:
        whose = each["scope"] or "the company"
        yield (
            f"  {whose}, {each['metric']}, {_period(each, calendar)}: "
            f"{_amount(each, 'before')} → {_amount(each, 'after')} of {_amount(each, 'quota')}"
        )
    if (more := len(told["quotas"]) - _SHOWN) > 0:
        yield f"  and {more} more; --format json has all of them"


def _period(each: Mapping[str, Any], calendar: FiscalCalendar) -> str:
    from autocapture.measure.period import Period

    return calendar.name(
        Period(date.fromisoformat(each["period_start"]), date.fromisoformat(each["period_end"]))
    )


def _amount(each: Mapping[str, Any], name: str) -> str:
    from autocapture.cli.values import amount
    from autocapture.measure.catalog import CATALOG

    value = each[name]
    return amount(None if value is None else Decimal(value), CATALOG[each["metric"]], each["currency"])


def _remarks(told: Mapping[str, Any]) -> Iterator[str]:
    if count := told["texts_not_kept"]:
        yield (
            f"\n{count} {'is' if count == 1 else 'are'} left as {'it is' if count == 1 else 'they are'}: what decided "
            "stood in texts that are not kept any more"
        )
    if count := told["said_by_people"]:
        yield (
            f"\n{count} that the never-log list names {'stays' if count == 1 else 'stay'}: somebody said what "
            f"{'it is' if count == 1 else 'they are'} about"
        )
    if count := told["never_read"]:
        yield (
            f"\nof {count} {'item' if count == 1 else 'items'} that the never-log list kept out nothing is stored: "
            "whether it still names them, `autocapture capture --resync` finds out"
        )
