"""A capture killed anywhere, and then run again, leaves the rows of one that was never disturbed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from tests.integration.capture.deployment import (
    application,
    connect_files,
    deliver,
    deploy,
    everything,
    message,
)

ROOT = Path(__file__).parents[3]
SAMPLED = 8
RANDOM_KILLS = 1

EVENT = """BEGIN:VEVENT
UID:{uid}@ours.example
DTSTAMP:20261101T080000Z
CREATED:20261101T080000Z
DTSTART:202611{day:02}T090000Z
DTEND:202611{day:02}T100000Z
SUMMARY:Review {uid}
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@customer.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:sam@ours.example
{more}END:VEVENT
"""


def _calendar(*events: str) -> str:
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n" + "".join(events) + "END:VCALENDAR\n"
    ).replace("\n", "\r\n")


def _sources(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Two reps' mail, calendars and calls, which overlap: copies, threads, a series, what is skipped and what is broken."""
    first, second = folder / "ruth", folder / "sam"
    sent = [
        message(100 + n, author="ruth@ours.example", to="kim@customer.example, sam@ours.example",
                extra=f"In-Reply-To: <{n}@customer.example>\r\n")
        for n in range(6)
    ]  # fmt: skip
    received = [message(n, extra="Cc: sam@ours.example\r\n" if n % 3 == 0 else "") for n in range(14)]
    newsletter = message(
        50, author="news@lists.example", extra="List-Unsubscribe: <https://lists.example/u>\r\n"
    )
    deliver(first / "Maildir", *received, newsletter)
    deliver(first / "Maildir", *sent, folder="Sent")
    deliver(second / "Maildir", *reversed(sent), *received[::3])
    shared = [
        EVENT.format(uid=n, day=3 + n, more="RRULE:FREQ=WEEKLY;COUNT=4\n" if n == 0 else "") for n in range(9)
    ]
    broken = EVENT.format(uid="broken", day=4, more="").replace(
        "DTSTART:20261104T090000Z", "DTSTART:yesterday"
    )
    for person, events in ((first, [*shared, broken]), (second, shared[::2])):
        (person / "calendar.ics").write_text(_calendar(*events))
    (first / "Master.csv").write_text(
        "".join(
            f'"","601","+4930555{n:03}","ctx","""R"" <601>","SIP/601","SIP/t","Dial","x",'
            f'"2026-11-03 10:{n:02}:00","2026-11-03 10:{n:02}:05","2026-11-03 10:{n:02}:45","45","40",'
            f'"ANSWERED","DOCUMENTATION","{n}.1",""\n'
            for n in range(9)
        )
    )
    return (
        {"maildir": first / "Maildir", "ics": first / "calendar.ics", "calls": first / "Master.csv"},
        {"maildir": second / "Maildir", "ics": second / "calendar.ics"},
    )


def _template(folder: Path, url: str | None = None) -> Path:
    """A deployment that was connected and never captured."""
    ruth, sam = _sources(folder / "sources")
    app = deploy(folder / "template", url=url)
    connect_files(app, "ruth@ours.example", **ruth)
    connect_files(app, "sam@ours.example", **sam)
    app.engine.dispose()
    return folder / "template"


class Killer:
    """Asks the process that kills itself, and holds its answers against the undisturbed capture."""

    def __init__(self, template: Path, scratch: Path, *database: str, at: datetime | None = None) -> None:
        self._template, self._scratch, self._database = template, scratch, database
        self._at = ["--at", at.isoformat()] if at else []
        (undisturbed,) = self._ask([0])
        self.points, self._digest = int(undisturbed["points"]), undisturbed["digest"]
        self.told = json.loads((scratch / "point-0" / "everything.json").read_text())

    def kill_at(self, points: list[int]) -> None:
        for answer in self._ask(points):
            assert answer["died"], answer
            if answer["digest"] != self._digest:
                told = json.loads(
                    (self._scratch / f"point-{answer['point']}" / "everything.json").read_text()
                )
                assert told == self.told, f"killed at point {answer['point']}"

    def _ask(self, points: list[int]) -> list[dict[str, str]]:
        command = [sys.executable, "-m", "tests.integration.capture.killing", *self._at, str(self._template)]
        command += [str(self._scratch), ",".join(map(str, points)), *self._database]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _template(tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module")
def killer(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Killer:
    return Killer(template, tmp_path_factory.mktemp("scratch"))


@pytest.fixture
def postgres_killer(postgres_url: str, tmp_path: Path) -> Killer:
    home = _template(tmp_path, postgres_url)
    address = make_url(postgres_url)
    server = address.set(database="postgres").render_as_string(hide_password=False)
    return Killer(home, tmp_path / "scratch", server, str(address.database))


def sample(points: int, count: int) -> list[int]:
    """Evenly spread, first and last included."""
    return sorted({1 + round(n * (points - 1) / (count - 1)) for n in range(count)})


def test_the_undisturbed_capture_meets_everything_that_can_go_wrong(killer: Killer) -> None:
    outcomes = [row["outcome"] for row in killer.told["ledger"]]
    assert {"captured", "skipped", "quarantined"} == set(outcomes)
    assert {row["kind"] for row in killer.told["activity"]} == {"email", "meeting", "call"}
    assert len(killer.told["activity"]) < outcomes.count("captured"), "some were seen twice"
    assert killer.points > 200


def test_killed_at_points_all_over_it(killer: Killer) -> None:
    killer.kill_at(sample(killer.points, SAMPLED))


@pytest.mark.postgres
def test_killed_at_points_all_over_it_on_postgresql(postgres_killer: Killer) -> None:
    postgres_killer.kill_at(sample(postgres_killer.points, SAMPLED // 4))


def _command(home: Path) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if name != "AUTOCAPTURE_DATABASE_URL"}
    environ["AUTOCAPTURE_HOME"] = str(home)
    return subprocess.Popen(
        [sys.executable, "-m", "autocapture", "capture"], env=environ, stdout=subprocess.DEVNULL
    )


def _kill_at_random_times(template: Path, scratch: Path, kills: int, seed: int) -> None:
    shutil.copytree(template, scratch / "undisturbed")
    began = time.monotonic()
    assert _command(scratch / "undisturbed").wait(120) == 0
    longest = time.monotonic() - began
    told = everything(application(scratch / "undisturbed"))
    moments = random.Random(seed)
    for number in range(kills):
        home = scratch / f"kill-{number}"
        shutil.copytree(template, home)
        process = _command(home)
        time.sleep(moments.uniform(longest / 3, longest))  # the first third is the start of the interpreter
        process.kill()
        assert process.wait(60) in (0, -signal.SIGKILL)
        assert _command(home).wait(120) == 0, "a rerun at once goes on"
        assert everything(application(home)) == told, f"seed {seed}, kill {number}"


def test_the_command_killed_at_random_times(template: Path, tmp_path: Path) -> None:
    _kill_at_random_times(template, tmp_path, RANDOM_KILLS, seed=time.time_ns())


@pytest.mark.soak
def test_the_command_killed_at_many_random_times(template: Path, tmp_path: Path) -> None:
    _kill_at_random_times(template, tmp_path, 100, seed=time.time_ns())


@pytest.mark.soak
def test_killed_at_every_point(killer: Killer) -> None:
    killer.kill_at(list(range(1, killer.points + 1)))


@pytest.mark.soak
@pytest.mark.postgres
def test_killed_at_every_point_on_postgresql(postgres_killer: Killer) -> None:
    postgres_killer.kill_at(list(range(1, postgres_killer.points + 1)))
