"""Calls that are passed on, and calls on lines of our own, as telephone systems without group ids tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    PEOPLE,
    capture,
    connect_files,
    deploy,
    everything,
)

from autocapture.application import Application
from autocapture.model.crm import ContactHandle
from autocapture.model.organization import UserHandle
from autocapture.store.engine import writing
from autocapture.workflows.listings import Selection, list_activities, list_ledger

KIMS = "+31301234567"
LINES = {"601": 1, "602": 2, "603": 3}
MAPPING = (
    'time_zone = "UTC"\n'
    + CALLS_MAPPING
    + '[values.outcome]\nanswered = "answered"\nmissed = "no_answer"\nbusy = "busy"\n'
)


class Lines:
    """The call log of each of ours."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.app = folder, deploy(folder / "home")
        with writing(self.app.engine) as session:
            session.add(ContactHandle(kind="phone", value=KIMS, contact_id=1))
            for line, user in LINES.items():
                session.add(UserHandle(kind="phone", value=f"ext:{line}", user_id=user))
        (folder / "calls.toml").write_text(MAPPING)
        self._accounts: dict[str, int] = {}

    def log(self, person: str, *rows: str) -> None:
        (self.folder / f"{person}.csv").write_text(CALLS_HEADER + "".join(f"{row}\n" for row in rows))

    def capture(self, *order: int) -> None:
        """Those of us, by place, who have a log."""
        for person in (PEOPLE[place] for place in order or range(3)):
            paths = {"calls": self.folder / f"{person}.csv", "mapping": self.folder / "calls.toml"}
            if paths["calls"].exists():
                if person not in self._accounts:
                    self._accounts[person] = connect_files(self.app, person, **paths)
                capture(self.app, self._accounts[person])

    def calls(self) -> list[dict[str, Any]]:
        return list(list_activities(self.app, Selection(kind="call")))


def row(
    number: int, caller: str, callee: str, at: str, seconds: int, result: str = "answered", group: str = ""
) -> str:
    return f"{number},{caller},{callee},2026-11-10 {at},{seconds},{result},{group}"


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Lines]:
    lines = Lines(tmp_path)
    yield lines
    lines.app.engine.dispose()


FIRST = row(1, KIMS, "601", "10:00:00", 40)
PASSED_ON = row(2, KIMS, "602", "10:00:45", 300)
ONCE_MORE = row(3, KIMS, "603", "10:05:47", 60)


def test_a_call_that_was_passed_on_twice_is_one_call_whoevers_log_comes_first(tmp_path: Path) -> None:
    seen = []
    for number, order in enumerate(((0, 1, 2), (2, 0, 1), (1, 2, 0))):
        lines = Lines(tmp_path / str(number))
        for person, leg in zip(PEOPLE, (FIRST, PASSED_ON, ONCE_MORE), strict=True):
            lines.log(person, leg)
        lines.capture(*order)
        (call,) = lines.calls()
        told = {name: call[name] for name in ("occurred_at", "ends_at", "duration_s", "direction", "status")}
        ours = {each["user"] for each in call["participants"] if each["user"]}
        seen.append((told, ours, len(call["sightings"])))
        assert {row["activity"] for row in list_ledger(lines.app, None, None)} == {call["id"]}
        shares = [part["share"] for part in everything(lines.app)["participation"]]
        assert shares == pytest.approx([1 / 3] * 3)
        before = everything(lines.app)
        lines.capture(*order)
        assert everything(lines.app) == before
        lines.app.engine.dispose()
    assert all(each == seen[0] for each in seen)
    told, ours, sightings = seen[0]
    assert (told["duration_s"], told["direction"], ours, sightings) == (300, "inbound", {*PEOPLE}, 3)


CASES = {
    "announced while the first leg lasts": (FIRST, row(2, KIMS, "602", "10:00:20", 300), 1),
    "the first leg is told to the end": (
        row(1, KIMS, "601", "10:00:00", 340),
        row(2, KIMS, "602", "10:00:45", 300),
        1,
    ),
    "it rang elsewhere first": (
        row(1, KIMS, "601", "10:00:00", 0, "missed"),
        row(2, KIMS, "602", "10:00:25", 300),
        1,
    ),
    "dialled by us and passed on": (
        row(1, "601", KIMS, "10:00:00", 40),
        row(2, KIMS, "602", "10:00:41", 300),
        1,
    ),
    "minutes later": (FIRST, row(2, KIMS, "602", "10:02:00", 300), 2),
    "another number": (FIRST, row(2, "+31307654321", "602", "10:00:45", 300), 2),
    "two of us dialled it at the same time": (
        row(1, "601", KIMS, "10:00:00", 300),
        row(2, "602", KIMS, "10:01:00", 240),
        2,
    ),
    "dialled again by a colleague": (
        row(1, "601", KIMS, "10:00:00", 40),
        row(2, "602", KIMS, "10:00:42", 0, "busy"),
        2,
    ),
    "two calls from one switchboard": (
        row(1, KIMS, "601", "10:00:00", 900),
        row(2, KIMS, "602", "10:05:00", 30),
        2,
    ),
}


def test_legs_are_one_call_where_they_fit_together(lines: Lines) -> None:
    """Each case on a day of its own."""
    logs: tuple[list[str], list[str]] = ([], [])
    for day, legs in enumerate(CASES.values(), 1):
        for log, leg in zip(logs, legs[:2], strict=True):
            log.append(f"{day}{leg}".replace("2026-11-10", f"2026-10-{day:02}"))
    lines.log(PEOPLE[0], *logs[0])
    lines.log(PEOPLE[1], *logs[1])
    lines.capture()
    days = Counter(call["occurred_at"].day for call in lines.calls())
    assert {name: days[day] for day, name in enumerate(CASES, 1)} == {
        name: legs[2] for name, legs in CASES.items()
    }


def test_one_call_that_two_logs_hold_under_their_own_ids_is_one_and_dialling_again_is_another(
    lines: Lines,
) -> None:
    lines.log(PEOPLE[0], row(1, "601", KIMS, "10:00:00", 300), row(7, "601", KIMS, "10:00:03", 298))
    lines.capture()
    assert len(lines.calls()) == 1
    lines.log(PEOPLE[0], row(8, "601", KIMS, "11:00:00", 30), row(9, "601", KIMS, "11:00:35", 30))
    lines.capture()
    assert len(lines.calls()) == 3


def test_a_leg_that_is_corrected_to_another_number_is_a_call_of_its_own(lines: Lines) -> None:
    lines.log(PEOPLE[0], FIRST)
    lines.log(PEOPLE[1], PASSED_ON)
    lines.capture()
    lines.log(PEOPLE[1], row(2, "+31307654321", "602", "15:00:45", 300))
    for _ in range(3):
        lines.capture()
    first, second = lines.calls()
    assert [each["duration_s"] for each in (first, second)] == [40, 300]
    assert len(first["sightings"]) == len(second["sightings"]) == 1


def _skipped(app: Application) -> list[tuple[str, str | None]]:
    return [(row["outcome"], row["reason"]) for row in list_ledger(app, None, None)]


def test_a_call_between_our_own_numbers_is_internal(lines: Lines) -> None:
    with writing(lines.app.engine) as session:
        session.add(UserHandle(kind="phone", value="+493012345601", user_id=1))
        session.add(UserHandle(kind="phone", value="+493012345602", user_id=2))
    lines.log(PEOPLE[0], row(1, "+49 30 12345601", "+49 30 12345602", "10:00:00", 60))
    lines.capture()
    assert (lines.calls(), _skipped(lines.app)) == ([], [("skipped", "internal")])


def test_a_call_between_extensions_is_internal(lines: Lines) -> None:
    lines.log(PEOPLE[0], row(1, "601", "602", "10:00:00", 60), row(2, "601", "777", "11:00:00", 60))
    lines.capture()
    assert (lines.calls(), _skipped(lines.app)) == ([], [("skipped", "internal")] * 2)


def test_our_own_number_is_nobody_from_outside(lines: Lines) -> None:
    """A number of ours that the CRM has under a contact, as some systems enter it, is ours all the same."""
    with writing(lines.app.engine) as session:
        session.add(UserHandle(kind="phone", value="+493012345601", user_id=1))
        session.add(ContactHandle(kind="phone", value="+493012345601", contact_id=1))
    lines.log(PEOPLE[0], row(1, "+49 30 12345601", "+31 30 7654321", "10:00:00", 60))
    lines.capture()
    (call,) = lines.calls()
    assert [(each["address"], each["user"], each["contact"]) for each in call["participants"]] == [
        ("+31307654321", None, None),
        ("+493012345601", PEOPLE[0], None),
    ]
