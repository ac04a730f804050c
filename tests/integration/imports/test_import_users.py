"""`users import` on a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.model.organization import Membership, Team, User, UserHandle
from autocapture.store.engine import reading
from autocapture.workflows.import_report import ImportReport
from autocapture.workflows.import_users import FIRST_DAY, import_users

HEADER = "email,name,team,manager,role,time_zone,locale,aliases,phones\n"
ROWS = (
    "Mia@Ours.example,Mia Chen,,,manager,Europe/Amsterdam,en,,\n"
    "anna@ours.example,Anna Bakker,North,mia@ours.example,rep,Europe/Amsterdam,nl,"
    "a.bakker@ours.example;anna@old.example,020 794 7100;12\n"
    "bob@ours.example,Bob Stone,North,mia@ours.example,,America/New_York,en-US,,ext:13\n"
)

ImportText = Callable[[str], ImportReport]


@pytest.fixture
def load(engine: Engine, clock: FixedClock, tmp_path: Path) -> ImportText:
    def importing(text: str) -> ImportReport:
        path = tmp_path / "users.csv"
        path.write_text(text, encoding="utf-8")
        return import_users(engine, clock, path)

    return importing


def people(engine: Engine) -> dict[str, User]:
    with reading(engine) as session:
        return {user.email: user for user in session.exec(select(User))}


def handles(engine: Engine) -> dict[str, int]:
    with reading(engine) as session:
        return {handle.value: handle.user_id for handle in session.exec(select(UserHandle))}


def memberships(engine: Engine, email: str) -> list[tuple[str, date, date | None]]:
    with reading(engine) as session:
        rows = session.exec(
            select(Team.name, Membership.valid_from, Membership.valid_to)
            .join(Team, Membership.team_id == Team.id)  # type: ignore[arg-type]
            .join(User, Membership.user_id == User.id)  # type: ignore[arg-type]
            .where(User.email == email)
            .order_by(Membership.valid_from)  # type: ignore[arg-type]
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_users_arrive_with_team_manager_and_handles(load: ImportText, engine: Engine) -> None:
    report = load(HEADER + ROWS)
    assert (report.created, report.refused) == ({"user": 3}, ())
    found = people(engine)
    assert found["anna@ours.example"].manager_id == found["mia@ours.example"].id
    assert (found["bob@ours.example"].role, found["mia@ours.example"].role) == ("rep", "manager")
    anna, bob = found["anna@ours.example"].id, found["bob@ours.example"].id
    assert handles(engine) == {
        "a.bakker@ours.example": anna,
        "anna@old.example": anna,
        "+31207947100": anna,
        "ext:12": anna,
        "ext:13": bob,
    }
    assert memberships(engine, "anna@ours.example") == [("North", FIRST_DAY, None)]


def test_the_same_users_again_change_nothing(load: ImportText) -> None:
    load(HEADER + ROWS)
    report = load(HEADER + ROWS)
    assert (report.changes, report.unchanged) == ((), {"user": 3})


def test_who_changes_team_leaves_the_old_one_the_day_before(
    load: ImportText, engine: Engine, clock: FixedClock
) -> None:
    load(HEADER + ROWS)
    clock.advance(timedelta(days=2))
    load(HEADER + ROWS.replace("Bakker,North", "Bakker,South"))
    assert memberships(engine, "anna@ours.example") == [
        ("North", FIRST_DAY, date(2026, 11, 17)),
        ("South", date(2026, 11, 18), None),
    ]
    load(HEADER + ROWS.replace("Bakker,North", "Bakker,East"))
    assert [name for name, *_ in memberships(engine, "anna@ours.example")] == ["North", "East"]


def test_a_number_passes_from_one_user_to_another_in_one_file(load: ImportText, engine: Engine) -> None:
    load(HEADER + ROWS)
    report = load(HEADER + ROWS.replace(";12\n", "\n").replace("ext:13", "ext:13;12"))
    assert report.refused == ()
    assert handles(engine)["ext:12"] == people(engine)["bob@ours.example"].id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nobody,N,,,rep,UTC,en,,", "invalid email 'nobody'"),
        ("n@ours.example,,,,rep,UTC,en,,", "name is missing"),
        ("n@ours.example,N,,,chief,UTC,en,,", "role 'chief' is none of rep, manager, ops, admin"),
        ("n@ours.example,N,,,rep,Mars/Base,en,,", "time_zone 'Mars/Base' is not"),
        ("n@ours.example,N,,,rep,UTC,xx-yy-zz,,", "locale 'xx-yy-zz' is unknown"),
        ("n@ours.example,N,,x@ours.example,rep,UTC,en,,", "unknown manager 'x@ours.example'"),
        ("n@ours.example,N,,n@ours.example,rep,UTC,en,,", "their own manager"),
        (
            "n@ours.example,N,,,rep,UTC,en,anna@old.example,",
            "'anna@old.example' belongs to anna@ours.example",
        ),
        ("n@ours.example,N,,,rep,UTC,en,,12", "'ext:12' belongs to anna@ours.example"),
        ("n@ours.example,N,,,rep,UTC,en,,many", "invalid phone 'many'"),
        ("anna@ours.example,Anna,,,rep,UTC,en,,", "duplicate email 'anna@ours.example': first on line 3"),
        ("n@ours.example,N", "2 cells where the header has 9"),
        ("n@ours.example,N\x00,,,rep,UTC,en,,", "holds a NUL character"),
    ],
)
def test_a_bad_row_is_refused_alone(load: ImportText, engine: Engine, row: str, reason: str) -> None:
    report = load(HEADER + ROWS + row + "\n")
    [refused] = report.refused
    assert refused.place.line == 5
    assert reason in refused.reason
    assert len(people(engine)) == 3


def test_nobody_is_their_own_manager_by_way_of_others(load: ImportText, engine: Engine) -> None:
    circle = "".join(
        f"{one}@ours.example,{one},,{above}@ours.example,rep,UTC,en,,\n" for one, above in ("xy", "yz", "zx")
    )
    report = load(HEADER + ROWS + circle)
    assert [remark.place.line for remark in report.refused] == [5, 6, 7]
    assert "by way of y@ours.example, z@ours.example" in report.refused[0].reason
    assert len(people(engine)) == 3


def test_who_names_a_refused_manager_is_refused_with_that_reason(load: ImportText, engine: Engine) -> None:
    report = load(HEADER + ROWS.replace("Mia Chen,,,manager", "Mia Chen,,,queen"))
    assert [remark.place.line for remark in report.refused] == [2, 3, 4]
    assert report.refused[1].reason == "manager 'mia@ours.example' was refused (users.csv line 2)"
    assert people(engine) == {}


def test_a_user_missing_from_the_file_is_reported_and_stays(load: ImportText, engine: Engine) -> None:
    load(HEADER + ROWS)
    report = load("email,name\nanna@ours.example,Anna B.\n")
    assert [key for _, key in report.missing] == [("mia@ours.example",), ("bob@ours.example",)]
    assert people(engine)["anna@ours.example"].locale == "nl"
    assert memberships(engine, "anna@ours.example") == [("North", FIRST_DAY, None)]


@pytest.mark.parametrize("text", ["email,name,shoe_size\n", "email\n", ""])
def test_a_file_with_other_columns_is_one_clear_error(load: ImportText, text: str) -> None:
    with pytest.raises(InputError, match=r"users\.csv has (no|the unknown) column"):
        load(text)
