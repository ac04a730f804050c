"""`import quotas` on a database."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import select

from autocapture.clock import FixedClock
from autocapture.model.measures import Quota
from autocapture.store.engine import reading

HEADER = "metric,scope_type,scope,period_start,period_end,value,currency\n"
ROWS = (
    "emails_sent,user,anna@ours.example,2026-11-09,2026-11-15,40,\n"
    "revenue_won,company,,2026-10-01,2026-12-31,250000,EUR\n"
)


def test_quotas_arrive_once_are_updated_and_bad_rows_are_refused(
    engine: Engine, clock: FixedClock, users: None, tmp_path: Path
) -> None:
    from autocapture.workflows.import_quotas import import_quotas

    path = tmp_path / "quotas.csv"
    path.write_text(HEADER + ROWS)
    assert import_quotas(engine, clock, path).created == {"quota": 2}
    assert import_quotas(engine, clock, path).changes == ()
    path.write_text(
        HEADER + ROWS.replace(",40,", ",45,") + "no_such_metric,company,,2026-10-01,2026-12-31,1,\n"
    )
    report = import_quotas(engine, clock, path)
    assert (report.updated, [remark.place.line for remark in report.refused]) == ({"quota": 1}, [4])
    with reading(engine) as session:
        assert {quota.value for quota in session.exec(select(Quota))} == {Decimal(45), Decimal(250_000)}
