"""`autocapture metrics`: values, the list of metrics, what one means, and the rows behind a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from autocapture.cli.output import Format, FormatOption, emit, print_table

if TYPE_CHECKING:
    from autocapture.application import Application
    from autocapture.measure.period import Grain
    from autocapture.measure.query import Query

PeriodOption = Annotated[
    str,
    typer.Option(
        "--period",
        metavar="PERIOD",
        help="2026-W46, 2026-11, 2026-Q4, 2026, FY2026-Q4 or 2026-11-01..2026-11-15.",
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="NAME=VALUE", help="Only rows of one value: user=EMAIL, team=NAME, stage=..."
    ),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `metrics list` tells it.")]


class _NamesOrCommands(TyperGroup):
    """`metrics NAME ...` shows values; `list`, `explain` and `trace` are reserved names."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["show", *args]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[NAME]... --period P [OPTIONS]", "|", "COMMAND [ARGS]..."]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.commands["show"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


metrics = typer.Typer(
    cls=_NamesOrCommands,
    no_args_is_help=True,
    help=(
        "Show metrics of a period, and the rows behind them.\n\n"
        "Values: metrics [NAME ...] --period P [--by user,team,...] [--grain day|week|month|quarter|year]. "
        "The rows behind them: metrics trace NAME --period P."
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(metrics, name="metrics")


@metrics.command(hidden=True)
def show(
    period: PeriodOption,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="As `metrics list` tells them. Default: all."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Cut by user, team, company, stage, ...; several with commas."),
    ] = "",
    grain: Annotated[
        Literal["day", "week", "month", "quarter", "year"] | None,
        typer.Option(help="One value for each of these, of the fiscal year that is set."),
    ] = None,
    where: WhereOption = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Show the values of the named metrics (of all) in a period."""
    from autocapture.cli.application import open_application, organization_zone
    from autocapture.cli.sheets import values_table
    from autocapture.measure.aggregate import aggregate
    from autocapture.measure.catalog import metrics_named
    from autocapture.measure.shape import value_row
    from autocapture.store.engine import reading

    chosen = metrics_named(names or ())
    application = open_application()
    query = _query(application, period, by, grain, where or [])
    with reading(application.engine) as session:
        values = [value for metric in chosen for value in aggregate(session, metric, query)]
    if fmt is Format.TABLE:
        print_table(values_table(values, query, organization_zone(application)))
    else:
        emit(map(value_row, values), fmt, _CSV)


_CSV = (
    "metric", "period_start", "period_end", "by", "value", "currency", "numerator", "denominator", "n", "unit", "complete",
    "as_of",
)  # fmt: skip


@metrics.command("list")
def list_metrics(fmt: FormatOption = Format.TABLE) -> None:
    """List every metric with its unit and level."""
    from autocapture.measure.catalog import METRICS

    emit(
        (
            {"metric": metric.name, "title": metric.title, "unit": metric.unit, "level": metric.level}
            for metric in METRICS
        ),
        fmt,
    )


@metrics.command()
def explain(name: NameArgument) -> None:
    """Say what a metric means, in words and as SQL."""
    from autocapture.measure.catalog import metric_named
    from autocapture.measure.explain import explain

    typer.echo(explain(metric_named(name)), nl=False)


@metrics.command()
def trace(
    name: NameArgument,
    period: PeriodOption,
    by: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Trace the cells of this cut; several dimensions with commas."),
    ] = "",
    where: WhereOption = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List the rows behind a value, each with what it contributes.

    It names whoever was copied blindly too, whom the pages tell to few:
    hand it on with care.
    """
    from autocapture.cli.application import open_application, organization_zone
    from autocapture.cli.sheets import traced_table
    from autocapture.measure.catalog import metric_named
    from autocapture.measure.shape import traced_row
    from autocapture.measure.trace import trace
    from autocapture.store.engine import reading

    metric = metric_named(name)
    application = open_application()
    query = _query(application, period, by, None, where or [])
    with reading(application.engine) as session:
        rows = trace(session, metric, query)
    if fmt is Format.TABLE:
        print_table(traced_table(rows, metric, query, organization_zone(application)))
    else:
        emit(map(traced_row, rows), fmt)


def _query(application: Application, period: str, by: str, grain: Grain | None, where: list[str]) -> Query:
    from autocapture.measure.query import Query

    return Query(
        period=application.fiscal_calendar.parse(period),
        as_of=application.clock.now(),
        by=tuple(dict.fromkeys(name.strip() for name in by.split(",") if name.strip())),
        grain=grain,
        where=_conditions(where),
        calendar=application.fiscal_calendar,
    )


def _conditions(texts: list[str]) -> dict[str, str]:
    from autocapture.errors import InputError

    conditions: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise InputError(f"--where takes dimension=value, not {text!r}")
        conditions[name.strip()] = value.strip()
    return conditions
