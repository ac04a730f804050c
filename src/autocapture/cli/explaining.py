"""`explain`: why an activity is here and what it was matched to, or why an item is not here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autocapture.cli.application import open_application, organization_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from autocapture.workflows.alternatives import Alternatives, Candidate
    from autocapture.workflows.corrections_told import Told
    from autocapture.workflows.explain import Explanation
    from autocapture.workflows.explain_item import Line, Source
    from autocapture.workflows.explaining import Explained
    from autocapture.workflows.links_told import LinkTold, Other


_CERTAIN = 0.9995


class ExplainFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    item: Annotated[
        str,
        typer.Argument(
            metavar="ITEM",
            help="An activity's number, a mail's Message-ID, or the id of an item at its source.",
        ),
    ],
    speaker: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", help="As far as it is theirs to know. Default: everything."),
    ] = None,
    fmt: Annotated[ExplainFormat, typer.Option("--format", help="How it is told.")] = ExplainFormat.TEXT,
) -> None:
    """Tell why something is here and matched so, or not here.

    Of what was left out nothing is kept but a row of the ledger: where, when, why, and by which rule.
    """
    from autocapture.workflows.explaining import explained
    from autocapture.workflows.people_access import user_id_of

    app = open_application()
    found = explained(app, item, None if speaker is None else user_id_of(app, speaker))
    if fmt is ExplainFormat.JSON:
        typer.echo(json.dumps(_as_json(found), default=_plain, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(told(item, found, organization_zone(app))))
    if not found.activities and not found.lines:
        raise typer.Exit(1)


def headline(kind: str, at: datetime, subject: str | None, zone: ZoneInfo) -> str:
    """``Email of 2026-11-02 10:00: The offer``."""
    from autocapture.cli.values import moment

    what = "" if kind == "call" and not subject else f": {subject or 'subject not kept'}"
    return _printable(f"{kind.capitalize()} of {moment(at, zone)}{what}")


def choices(found: Alternatives, *, most: int | None = None) -> Iterator[str]:
    """The deals that there were, numbered, the likeliest first, and none of them."""
    for number, each in enumerate(found.deals[:most], 1):
        yield _printable(f"  {number}. {_candidate(each)}")
    if found.deals and found.no_deal is not None:
        why = f": {'; '.join(found.why_none)}" if found.why_none else ""
        yield f"  none of them, {_likely(found.no_deal)}{why}"
    for name in found.held_back:
        yield _printable(f"  not {name}: it counts only where its key or the number of its quote is given")


def told(item: str, found: Explained, zone: ZoneInfo) -> Iterator[str]:
    """Line by line, as the command prints it. `item` is what was asked for."""
    for number, each in enumerate(found.activities):
        if number:
            yield ""
        yield from _of_activity(each, zone)
    left_out = [line for line in found.lines if not line.activity_ids]
    if left_out and found.activities:
        yield ""
    for line in left_out:
        yield from _of_line(line, zone)
    if not found.activities and not found.lines:
        yield from _nowhere(item, found.sources, zone)


def _of_activity(one: Explanation, zone: ZoneInfo) -> Iterator[str]:
    from autocapture.cli.values import moment

    activity = one.activity
    yield headline(activity.kind, activity.occurred_at, activity.subject, zone)
    yield f"  number {activity.id}; {activity.direction}, {activity.nature}" + (
        f", {activity.status.replace('_', ' ')}" if activity.status else ""
    )
    yield "Why it is here"
    for seen in one.seen:
        gone = f", left there on {moment(seen.gone_at, zone)}" if seen.gone_at else ""
        yield _printable(
            f"  seen in {seen.owner}'s account {seen.account_id} ({seen.connector}), {seen.channel}, as {seen.source_id}, "
            f"on {moment(seen.at, zone)}; admitted by rule {seen.rule or 'of an earlier release'}{gone}"
        )
    if not one.seen:
        yield "  it was seen in an account that is connected no more"
    if one.who:
        yield "Who took part"
        for who in one.who:
            yield _printable(
                f"  {who.role}: {f'{who.name} <{who.address}>' if who.name else who.address}, {who.known_as}"
            )
    yield "What it was matched to"
    yield from _links(one, zone)
    if one.alternatives.deals or one.alternatives.held_back:
        yield "What it could have been about"
        yield from choices(one.alternatives)
    if one.said:
        yield "What was said of it"
        for said in one.said:
            yield _printable(f"  {_said(said, said.correction_id in one.holds, zone)}")


def _links(one: Explanation, zone: ZoneInfo) -> Iterator[str]:
    if not one.activity.business:
        why = (
            "the never-log list names who takes part"
            if one.kept_out
            else "somebody said that it is not business"
        )
        yield f"  nothing: {why}"
        return
    for link in one.links:
        yield _printable(f"  {_link(link, zone)}")
    if one.alternatives.closed:
        yield _printable(f"  no deal: {one.alternatives.closed}")
    if not one.links and not one.activity.review:
        yield "  nothing: nobody outside is known, nor their domain"
    if one.activity.review:
        yield _printable(f"  the deal is undecided: {one.activity.review}")


def _link(link: LinkTold, zone: ZoneInfo) -> str:
    share = f" ({_percent(link.weight)} of it)" if link.weight < 1 else ""
    told = f"{link.target} {link.name}{share}: {link.how}"
    if link.contacts:
        told += f": {', '.join(link.contacts)}"
    if link.goes_on_with is not None:
        told += f", {_other(link.goes_on_with, zone)}"
    if link.p is not None:
        told += f"; {_likely(link.p)} likely"
    if link.reasons:
        told += f": {'; '.join(link.reasons)}"
    if link.said_in is not None:
        told += f"; it is named in {_other(link.said_in, zone)}"
    return f"{told} [rules {link.rule_version}]"


def _other(other: Other, zone: ZoneInfo) -> str:
    from autocapture.cli.values import moment

    what = "mail" if other.kind == "email" else other.kind
    return f"{'a later' if other.is_later else 'an earlier'} {what}, of {moment(other.at, zone)}"


def _likely(p: float) -> str:
    """A probability; nothing is certain."""
    if p >= _CERTAIN:
        return "more than 99.9%"
    return "less than 0.1%" if p <= 1 - _CERTAIN else _percent(p)


def _said(told: Told, holds: bool, zone: ZoneInfo) -> str:
    from autocapture.cli.values import moment

    state = "this holds" if holds else "another word holds"
    if told.undone_at is not None:
        state = f"taken back by {told.undone_by} on {moment(told.undone_at, zone)}"
    return f"{told.by} on {moment(told.at, zone)}: {told.whole} (correction {told.correction_id}; {state})"


def _candidate(each: Candidate) -> str:
    closed = f", {each.outcome} {each.closed_at:%Y-%m-%d}" if each.closed_at else ""
    owner = f", of {each.owner}" if each.owner else ""
    return f"{each.name} ({each.key}{owner}{closed}), {_likely(each.p)}: {'; '.join(each.reasons) or 'nothing speaks for it'}"


def _of_line(line: Line, zone: ZoneInfo) -> Iterator[str]:
    from autocapture.cli.values import moment

    yield _printable(
        f"{line.owner}'s account {line.account_id} ({line.connector}), {line.channel}: {line.sentence}."
    )
    when = f"of {moment(line.at, zone)}, " if line.at else ""
    gone = f"; it left there on {moment(line.gone_at, zone)}" if line.gone_at else ""
    rule = line.rule or "of an earlier release"
    yield _printable(
        f"  {when}judged on {moment(line.judged_at, zone)} by rule {rule}, as {line.source_id}{gone}"
    )


def _nowhere(item: str, sources: tuple[Source, ...], zone: ZoneInfo) -> Iterator[str]:
    from autocapture.cli.values import moment

    yield _printable(f"Nothing with the id {item} was ever seen in these accounts:")
    for each in sources:
        last = (
            f"captured last on {moment(each.last_ok_at, zone)}" if each.last_ok_at else "never captured yet"
        )
        yield f"  {each.owner}'s account {each.account_id} ({each.connector}), {each.state}: from {each.since} on, {last}"
    if not sources:
        yield "  none is connected"
    yield "`autocapture census` compares what is at the sources with what is here, item by item."


def _percent(share: float) -> str:
    from autocapture.cli.values import percent

    return percent(share)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _as_json(found: Explained) -> dict[str, Any]:
    return {
        "activities": [
            {
                "activity": {
                    **each.activity.model_dump(exclude={"fingerprint", "thread_id", "series_id"}),
                    "id": str(each.activity.id),
                },
                **{
                    name: [asdict(one) for one in getattr(each, name)]
                    for name in ("seen", "who", "links", "said")
                },
                "alternatives": asdict(each.alternatives),
                "holds": sorted(each.holds),
            }
            for each in found.activities
        ],
        "ledger": [asdict(each) for each in found.lines],
        "sources": [asdict(each) for each in found.sources],
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
