"""`eval`: how often matching is right, on worlds whose truth is known."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from autocapture.cli.application import organization_zone
from autocapture.cli.output import print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autocapture.application import Application
    from autocapture.cli.tables import Table
    from autocapture.connector import CaptureLevel
    from autocapture.evaluate.figures import Judged
    from autocapture.evaluate.report import Evaluation
    from autocapture.evaluate.world import World


_WORDS = frozenset({"who", "level", "kind", "baseline", "case"})
_RATES = (
    "precision",
    "interval",
    "coverage",
    "wrong",
    "abstained",
    "no deal",
    "one deal",
    "admitted",
    "people",
    "companies",
)
_FIELDS = {
    "n": "activities",
    "no deal": "account_only",
    "one deal": "single_deal",
    "admitted": "admission",
    "calibration": "calibration_error",
    "autocapture": "precision",
    "of baseline": "baseline_precision",
    "of baseline at 0.80": "baseline_precision_at_80",
}
"""What a column shows, where its title is another word."""


class ReportFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


class Level(StrEnum):
    METADATA = "metadata"
    SUBJECT = "subject"
    FULL = "full"


def register(app: typer.Typer) -> None:
    evaluation = typer.Typer(no_args_is_help=True, help="Measure how often matching is right.")
    evaluation.command("world")(world)
    evaluation.command("match")(match)
    evaluation.command("fit")(fit)
    evaluation.command("live")(live)
    app.add_typer(evaluation, name="eval")


def world(
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder that is new or empty.")],
) -> None:
    """Write a world whose truth is known, hard cases in it.

    It holds half a year of mail, meetings and calls, in three languages.
    """
    from autocapture.errors import InputError
    from autocapture.evaluate.write import write_world
    from autocapture.testing.world.hard import generate_hard

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists and is not empty; name another folder")
    made = generate_hard(seed)
    write_world(made, out)
    typer.echo(
        f"{out}: {len(made.companies)} companies, {len(made.deals)} deals, {len(made.activities)} activities"
    )


def match(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="WORLD", help="Folders of worlds (docs/reference/worlds.md), judged together."
        ),
    ],
    level: Annotated[
        list[Level] | None,
        typer.Option("--level", help="What is kept of mail; may be repeated. Default: full and subject."),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(
            "--items",
            metavar="FILE",
            help="Where each activity is written: truth, answer, verdict and explanation, a line of JSON each.",
        ),
    ] = None,
    fmt: Annotated[
        ReportFormat, typer.Option("--format", help="How the figures are written.")
    ] = ReportFormat.TABLE,
) -> None:
    """Judge matching by worlds whose truth is known.

    Beside it stand five public baselines.
    """
    from autocapture.errors import InputError
    from autocapture.evaluate.read import read_world
    from autocapture.evaluate.report import LEVELS, evaluate
    from autocapture.service.logs import configure_logs

    configure_logs()
    levels: Sequence[CaptureLevel] = tuple(each.value for each in level or ()) or LEVELS
    worlds = map(read_world, folders)
    if items is None:
        found = evaluate(worlds, levels)
    elif items.exists():
        raise InputError(f"{items} exists; name a new file")
    else:
        with items.open("w", encoding="utf-8") as lines:
            found = evaluate(worlds, levels, partial(_write_items, lines))
    if fmt is ReportFormat.JSON:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    for number, table in enumerate(_tables(found)):
        if number:
            typer.echo()
        print_table(table)


def fit(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="WORLD", help="Folders of worlds (docs/reference/worlds.md) to fit to."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the rules are written.")],
    base: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Rules to begin with. Default: those that are shipped."),
    ] = None,
) -> None:
    """Fit the weights of matching to worlds whose truth is known.

    Judge what comes out on other worlds: name it in capture.matching_file.
    """
    from autocapture.errors import InputError
    from autocapture.evaluate.examples import examples_of
    from autocapture.evaluate.fit import fitted, outlook
    from autocapture.evaluate.read import read_world
    from autocapture.evaluate.report import LEVELS
    from autocapture.match.rules import shipped_text, written
    from autocapture.service.logs import configure_logs
    from autocapture.workflows.matching_rules import load_matching_rules

    configure_logs()
    if out.exists():
        raise InputError(f"{out} exists; name a new file")
    rules, text = load_matching_rules(base), base.read_text(encoding="utf-8") if base else shipped_text()
    worlds = [read_world(folder) for folder in folders]
    sets = [[each for world in worlds for each in examples_of(world, level)] for level in LEVELS]
    found = fitted(sets, rules)
    out.write_text(written(found, text), encoding="utf-8")
    for level, examples in zip(LEVELS, sets, strict=True):
        precision, coverage = outlook(examples, found)
        typer.echo(f"{level}: {len(examples)} matters, precision {precision:.3f}, coverage {coverage:.3f}")
    typer.echo(f"{out}: version {found.version}, attach {found.attach:g}")


def live(
    days: Annotated[
        int, typer.Option("--days", min=1, max=3_660, help="Of what was said in so many days.")
    ] = 90,
    team: Annotated[
        str, typer.Option("--team", metavar="NAME", help="Of one team's people. Default: everybody's.")
    ] = "",
    fmt: Annotated[
        ReportFormat, typer.Option("--format", help="How the figures are written.")
    ] = ReportFormat.TABLE,
) -> None:
    """Tell how often matching is right here, by what people said of it.

    Judged are spot checks, which `review checks` and the page Review ask; what people corrected unasked is counted beside.
    """
    from autocapture.cli.application import open_application
    from autocapture.report.precision import live_precision, verdicts
    from autocapture.report.reader import Reader
    from autocapture.report.sentences import precision_note
    from autocapture.report.tallies import plain
    from autocapture.report.wording import precision
    from autocapture.store.engine import reading

    app = open_application()
    users, now = _reps(app, team), app.clock.now()
    with reading(app.engine) as session:
        told = live_precision(session, now, users, days)
        found = list(verdicts(session, now, users, days))
    if fmt is ReportFormat.TABLE:
        typer.echo(precision(told, Reader()))
        typer.echo(plain(precision_note(told, Reader())))
        return
    low, high = told.interval or (None, None)
    data = {
        "days": told.days,
        "n": told.n,
        "right": float(told.right),
        "precision": None if told.share is None else float(told.share),
        "precision_low": low,
        "precision_high": high,
        "enough": told.is_enough,
        "links": told.links,
        "corrected_unasked": told.corrected,
        "verdicts": [
            {
                "correction": each.correction_id,
                "activity": str(each.activity_id),
                "at": each.said_at.isoformat(),
                "spot_check": each.asked,
                "right": float(each.right),
            }
            for each in found
        ],
    }
    typer.echo(json.dumps(data, indent=2))


def _write_items(
    lines: TextIO, app: Application, world: World, level: CaptureLevel, judged: Sequence[Judged]
) -> None:
    from autocapture.cli.explaining import told
    from autocapture.evaluate.items import items_of
    from autocapture.workflows.explaining import explained

    for item in items_of(app, world, level, judged):
        why = list(told(item.known_as, explained(app, item.known_as, None), organization_zone(app)))
        lines.write(json.dumps({**item.row, "explained": why}, ensure_ascii=False) + "\n")


def _reps(app: Application, team: str) -> list[int] | None:
    """The people of a team now; None for everybody. Raises InputError for a team that there is not."""
    from autocapture.errors import InputError
    from autocapture.report.team import roster, team_named
    from autocapture.store.engine import reading

    if not team:
        return None
    today = app.clock.now().date()
    with reading(app.engine) as session:
        found = team_named(session, team)
        if found is None:
            raise InputError(f"there is no team {team!r}")
        return [rep.id for rep in roster(session, found, today, today).reps if rep.id is not None]


def _tables(found: Evaluation) -> Iterable[Table]:
    yield _table(
        "Precision: of what was put on a deal, the right one (95 % interval). Coverage: of what is about a deal, put on one.",
        found.figures(),
        ("who", "level", "kind", "n", *_RATES, "calibration"),
    )
    yield _table(
        "At equal coverage: autocapture beside each baseline, the most certain answers of both.",
        found.comparisons(),
        ("level", "baseline", "coverage", "autocapture", "of baseline", "of baseline at 0.80"),
    )
    yield _table("By what is hard about them.", found.cases(), ("case", "level", "n", *_RATES))


def _table(caption: str, rows: Iterable[Mapping[str, object]], titles: tuple[str, ...]) -> Table:
    from autocapture.cli.tables import Column, Table

    columns = tuple(Column(title, right=title not in _WORDS) for title in titles)
    return Table(
        columns, [[_cell(row, _FIELDS.get(title, title)) for title in titles] for row in rows], caption
    )


def _cell(row: Mapping[str, object], name: str) -> str:
    if name == "interval":
        low, high = row["precision_low"], row["precision_high"]
        return "" if low is None else f"{low:.3f}–{high:.3f}"
    value = row[name]
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
