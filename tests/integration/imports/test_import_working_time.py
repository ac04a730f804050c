"""`import working-hours` and `import absences` on a database."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.model.working_time import Absence, WorkingHours
from autocapture.store.engine import reading
from autocapture.workflows.import_working_time import import_absences, import_working_hours

HOURS = (
    "user,valid_from,monday,tuesday,wednesday,thursday,friday,holidays\n"
    ",,09:00-17:30,09:00-17:30,09:00-17:30,09:00-17:30,09:00-15:00,de-by\n"
    "anna@ours.example,2026-09-01,9:00-12:00 13:00-17:00,,09:00-12:00,,,\n"
)
ABSENCES = (
    "user,starts_on,ends_on,share\n"
    "Anna@ours.example,2026-11-09,2026-11-13,\n"
    "anna@ours.example,2026-11-16,,0.50\n"
    "bob@ours.example,2026-12-24,2026-12-31,1\n"
)


def test_hours_arrive_once_are_updated_and_bad_rows_are_refused(
    engine: Engine, clock: FixedClock, users: None, tmp_path: Path
) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(HOURS)
    assert import_working_hours(engine, clock, path).created == {"working hours": 2}
    assert import_working_hours(engine, clock, path).changes == ()
    with reading(engine) as session:
        everybody, anna = session.exec(select(WorkingHours).order_by("valid_from")).all()
    assert (everybody.user_id, everybody.valid_from, everybody.holidays) == (None, date(1970, 1, 1), "DE-BY")
    assert everybody.week == "09:00-17:30;" * 4 + "09:00-15:00;;"
    assert anna.week == "09:00-12:00 13:00-17:00;;09:00-12:00;;;;"
    assert (anna.valid_from, anna.holidays) == (date(2026, 9, 1), None)
    path.write_text(
        HOURS.splitlines(keepends=True)[0]
        + "anna@ours.example,2026-09-01,,,,,,NONE\n"
        + "zoe@ours.example,2026-09-01,,,,,,\n"
        + "anna@ours.example,1.9.2026,,,,,,\n"
        + "anna@ours.example,2026-10-01,17:00-09:00,,,,,\n"
        + "anna@ours.example,2026-10-01,,,,,,QQ\n"
        + "anna@ours.example,2026-09-01,,,,,,\n"
    )
    report = import_working_hours(engine, clock, path)
    assert (report.updated, report.missing) == (
        {"working hours": 1},
        (("working hours", ("everybody", "1970-01-01")),),
    )
    assert [(remark.place.line, remark.reason) for remark in report.refused] == [
        (3, "there is no user 'zoe@ours.example'"),
        (4, "valid_from is a date such as 2026-11-30, not '1.9.2026'"),
        (5, "monday: hours end after they begin, on the same day: '17:00-09:00'"),
        (6, "no public holidays are known of 'QQ'; holidays is a country such as NL, a part of one such as DE-BY, or none"),
        (7, "the same person and first day as line 2"),
    ]  # fmt: skip


def test_absences_arrive_once_are_updated_and_taken_back(
    engine: Engine, clock: FixedClock, users: None, tmp_path: Path
) -> None:
    path = tmp_path / "absences.csv"
    path.write_text(ABSENCES)
    assert import_absences(engine, clock, path).created == {"absence": 3}
    assert import_absences(engine, clock, path).changes == ()
    path.write_text(
        "user;starts_on;ends_on;share\n"
        "anna@ours.example;2026-11-09;2026-11-11;\n"
        "anna@ours.example;2026-11-16;;0\n"
        "anna@ours.example;2026-11-23;;0\n"
        "anna@ours.example;2026-11-30;2026-11-20;\n"
        "anna@ours.example;;2026-11-20;\n"
        ";2026-11-20;;\n"
        "anna@ours.example;2026-11-30;;2\n"
        "anna@ours.example;2026-11-30;;NaN\n"
    )
    report = import_absences(engine, clock, path)
    assert report.updated == {"absence": 2}
    assert report.missing == (("absence", ("bob@ours.example", "2026-12-24")),)
    assert [remark.reason for remark in report.refused] == [
        "it ends (2026-11-20) before it begins (2026-11-30)",
        "starts_on is missing",
        "there is no user ''",
        "share is a number from 0 to 1, not '2'",
        "share is a number from 0 to 1, not 'NaN'",
    ]
    with reading(engine) as session:
        left = session.exec(select(Absence).order_by("starts_on")).all()
    assert [(row.starts_on, row.ends_on, row.share) for row in left] == [
        (date(2026, 11, 9), date(2026, 11, 11), Decimal(1)),
        (date(2026, 12, 24), date(2026, 12, 31), Decimal(1)),
    ]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("user,valid_from,holidays", "has no day of the week"),
        ("monday,tuesday", "has no column 'user'"),
        ("user,monday,moonday", "the unknown column 'moonday'"),
        ("user,monday,monday", "twice the column 'monday'"),
    ],
)
def test_a_file_of_hours_that_does_not_fit_is_refused_as_a_whole(
    engine: Engine, clock: FixedClock, users: None, tmp_path: Path, header: str, why: str
) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(f"{header}\n")
    with pytest.raises(InputError, match=why):
        import_working_hours(engine, clock, path)
