"""What the tables of each command show: rows of the layers below as columns of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

from autocapture.cli.tables import Column, Give, Table
from autocapture.cli.values import NONE, amount, as_of, count, moment, percent, period_title
from autocapture.measure.catalog import metric_named
from autocapture.measure.declare import Duration, Metric, Ratio, Simple
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.measure.period import Grain, Period
from autocapture.measure.query import Gap, Number, Query, TracedRow, Value
from autocapture.model.measures import Quota
from autocapture.quota.attain import Attainment
from autocapture.workflows.file_subjects import files_of_subject

Row = Mapping[str, Any]

_RUNNING = "until today"


def values_table(values: Sequence[Value], query: Query, zone: ZoneInfo) -> Table:
    """One row a value: what it is cut by, the value in its unit, and in the notes what it was made from."""
    columns = [
        Column("metric"),
        *(Column(name, give=Give.CUT) for name in query.by),
        Column(query.grain or "period"),
        Column("value", right=True),
        Column("n", right=True),
        Column("notes", give=Give.WRAP),
    ]
    rows = [
        [
            value.metric,
            *(value.by[name] or "" for name in query.by),
            _piece(value.period, query),
            _amount(value.value, metric_named(value.metric), value.currency, value.gap, value.n),
            count(value.n),
            _notes(value, query.grain, zone),
        ]
        for value in values
    ]
    return Table(columns=tuple(columns), rows=rows, caption=_about(query, zone))


def _about(query: Query, zone: ZoneInfo) -> str:
    where = "".join(f" · {name} {value}" for name, value in query.where.items())
    running = f" · {_RUNNING}" if _runs(query.period, query.as_of, zone) else ""
    return f"{period_title(query.period, query.calendar)}{where}{running} · {as_of(query.as_of, zone)}"


def _runs(period: Period, at: datetime, zone: ZoneInfo) -> bool:
    return period.start <= at.astimezone(zone).date() <= period.end


def _amount(value: Number | None, metric: Metric, currency: str | None, gap: Gap | None, n: int) -> str:
    """A sum of money to which nothing belongs is told as none, whether it is null or the 0 from which attainment counts."""
    nothing = metric.unit == "money" and isinstance(metric, Simple) and not value and not n
    if nothing and gap is not Gap.NOT_BEGUN:
        return NONE
    return amount(value, metric, currency)


def _piece(period: Period, query: Query) -> str:
    if query.grain is None:
        return ""
    label = query.calendar.label(period.start, query.grain)
    return f"{period.start:%a} {label}" if query.grain == "day" else label


def _notes(value: Value, grain: Grain | None, zone: ZoneInfo) -> str:
    if value.gap is Gap.NOT_BEGUN:
        return value.gap
    metric = metric_named(value.metric)
    parts = [_made_from(value, metric)]
    parts += [f"{count(value.missing)} more without an amount"] if value.missing else []
    parts += [f"incomplete: {value.gap}"] if value.gap else []
    parts += [_RUNNING] if grain and _runs(value.period, value.as_of, zone) else []
    parts += ["may still grow"] if value.provisional else []
    return "; ".join(part for part in parts if part)


def _made_from(value: Value, metric: Metric) -> str:
    top, bottom = value.numerator, value.denominator
    if top is None or not bottom:
        return ""
    if isinstance(metric, Duration):
        return f"{count(int(bottom) - int(top))} of {count(bottom)} not over yet" if top != bottom else ""
    if isinstance(metric, Ratio) and metric.unit == "money":
        return f"{amount(top, metric, value.currency)} over {count(bottom)}"
    return f"{count(top)} of {count(bottom)}"


def traced_table(rows: Sequence[TracedRow], metric: Metric, query: Query, zone: ZoneInfo) -> Table:
    """One row for each thing that was counted, with what it adds."""
    columns = [
        Column("when"),
        Column("what"),
        *(Column(name, give=Give.CUT) for name in query.by),
        *([] if "user" in query.by else [Column("who", give=Give.CUT)]),
        Column("with", give=Give.CUT),
        Column("title", give=Give.CUT),
        Column("counts", right=True),
        Column("id", right=True),
    ]
    told = [
        [
            str(row.on)
            if row.kind == "deal"
            else moment(row.at, zone),  # a deal closes on a day, not at an hour
            row.kind,
            *(row.by[name] or "" for name in query.by),
            *([] if "user" in query.by else [", ".join(row.users)]),
            ", ".join(row.with_whom),
            row.title or "",
            _share(row, metric),
            str(row.id),
        ]
        for row in rows
    ]
    return Table(tuple(columns), told, f"{metric.name} · {_about(query, zone)}")


def _share(row: TracedRow, metric: Metric) -> str:
    if metric.unit == "rate":
        return f"{count(row.numerator)} of {count(row.denominator)}"
    waiting = isinstance(metric, Duration) and not row.numerator
    return amount(row.contribution, metric, row.currency) + (" so far" if waiting else "")


def quotas_table(
    found: Sequence[Attainment], period: Period, zone: ZoneInfo, calendar: FiscalCalendar = CALENDAR_YEAR
) -> Table:
    columns = (
        Column("metric"),
        Column("scope", give=Give.CUT),
        Column("period"),
        Column("quota", right=True),
        Column("actual", right=True),
        Column("attained", right=True),
        Column("pace", right=True),
        Column("remaining", right=True),
        Column("notes", give=Give.WRAP),
    )
    caption = f"quotas of {period_title(period, calendar)}"
    if found:
        caption += f" · {as_of(found[0].as_of, zone)}"
    return Table(columns, [_quota(one, calendar) for one in found], caption)


def _quota(one: Attainment, calendar: FiscalCalendar) -> list[str]:
    quota, metric = one.quota, metric_named(one.quota.metric)
    whole = Period(quota.period_start, quota.period_end)
    begun = one.expected_share > 0
    return [
        quota.metric,
        quota.scope or quota.scope_type,
        calendar.name(whole),
        amount(quota.value, metric, quota.currency),
        _amount(one.actual, metric, quota.currency, one.gap, one.n),
        percent(one.attainment),
        percent(one.pace) if begun else "not begun",
        "" if one.remaining is None else amount(one.remaining, metric, quota.currency),
        f"incomplete: {one.gap}" if one.gap and begun else "",
    ]


def quota_lines_table(quotas: Sequence[Quota], calendar: FiscalCalendar = CALENDAR_YEAR) -> Table:
    """Quotas as they would be imported, each in its unit."""
    columns = (
        Column("metric"),
        Column("scope", give=Give.CUT),
        Column("period"),
        Column("quota", right=True),
        Column("unit"),
    )
    told = []
    for quota in quotas:
        metric = metric_named(quota.metric)
        period = calendar.name(Period(quota.period_start, quota.period_end))
        unit = quota.currency or _UNITS.get(metric.unit, metric.unit)
        target = amount(quota.value, metric, quota.currency)
        told.append([quota.metric, quota.scope or quota.scope_type, period, target, unit])
    return Table(columns, told)


_UNITS = {"seconds": "duration"}


def accounts_table(rows: Iterable[Row], zone: ZoneInfo) -> Table:
    columns = (
        Column("id", right=True),
        Column("user", give=Give.CUT),
        Column("from", give=Give.CUT),
        Column("state"),
        Column("last ok"),
        Column("captured", right=True),
        Column("skipped", right=True),
        Column("quarantined", right=True),
        Column("here", right=True),
        Column("why", give=Give.WRAP),
    )
    told = [
        [
            str(row["id"]),
            row["user"],
            _source(row),
            row["state"].replace("_", " "),
            moment(row["last_ok_at"], zone) or "never",
            *(count(row[outcome]) for outcome in ("captured", "skipped", "quarantined")),
            "" if row["coverage"] is None else f"{int(row['coverage'] * 10_000) / 100:g} %",
            "; ".join([*([row["why"]] if row["why"] else []), *row["alerts"]]),
        ]
        for row in rows
    ]
    return Table(columns, told, f"times in {zone.key}")


def _source(row: Row) -> str:
    """The connector; with the mailbox where it is not the user's address, of files as what they are read, and one's name."""
    connector, subject = row["connector"], row["address"] or row["subject"]
    if subject == row["user"]:
        return str(connector)
    if files := files_of_subject(subject):
        return f"{connector} {'+'.join(option for option, _ in files)} …/{PurePath(files[0][1]).name}"
    return f"{connector} {subject}"


def ledger_table(rows: Iterable[Row], zone: ZoneInfo) -> Table:
    columns = (
        Column("account", right=True),
        Column("channel", give=Give.CUT),
        Column("item", give=Give.CUT),
        Column("of"),
        Column("outcome"),
        Column("reason", give=Give.CUT),
        Column("activity", right=True),
    )
    told = [
        [
            str(row["account"]),
            row["channel"],
            row["source_id"],
            moment(row["occurred_at"], zone),
            row["outcome"],
            row["reason"] or "",
            row["activity"] or "",
        ]
        for row in rows
    ]
    return Table(columns, told, f"times in {zone.key}")


def activities_table(rows: Iterable[Row], zone: ZoneInfo) -> Table:
    columns = (
        Column("when"),
        Column("what"),
        Column("with", give=Give.CUT),
        Column("subject", give=Give.CUT),
        Column("deals", give=Give.CUT),
        Column("id", right=True),
    )
    told = [
        [
            moment(row["occurred_at"], zone),
            _what(row),
            _outside(row["participants"], row["companies"]),
            row["subject"] or "",
            ", ".join(deal["deal"] for deal in row["deals"]),
            row["id"],
        ]
        for row in rows
    ]
    return Table(columns, told, f"times in {zone.key}")


def _what(row: Row) -> str:
    """``email in``, ``meeting held``, ``meeting planned, moved``, ``call out, voicemail``."""
    way = {"inbound": "in", "outbound": "out", "internal": "internal"}.get(row["direction"] or "", "")
    if row["kind"] == "meeting":
        way = ""
    told = f"{row['kind']} {way}".rstrip()
    status = (row["status"] or "").replace("_", " ")
    moved = ", moved" if row["moved"] else ""
    return told if not status else f"{told}, {status}" if way else f"{told} {status}{moved}"


def _outside(participants: Sequence[Row], companies: Sequence[str]) -> str:
    """People outside; where only a number is known, with the companies that it was matched to. Rooms are no people."""
    outside = [party for party in participants if party["user"] is None and not party["resource"]]
    names = [party["name"] or party["address"] for party in outside]
    if not any(party["name"] for party in outside):
        names += companies
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
