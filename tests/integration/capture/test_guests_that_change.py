"""Who is invited to a meeting later takes part in it, and who no longer is does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.capture.deployment import capture, connect_files, rows

from autocapture.application import Application
from autocapture.model.activities import Activity, Match, Participant

KIM, LEE, SAM = "kim@customer.example", "lee@council.example", "sam@ours.example"


def _calendar(*guests: str, sequence: int) -> str:
    invited = "".join(f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{guest}\n" for guest in guests)
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:review@ours.example\n"
        "DTSTAMP:20261101T080000Z\nDTSTART:20261110T090000Z\nDTEND:20261110T100000Z\n"
        f"SEQUENCE:{sequence}\nSUMMARY:Review\nORGANIZER:mailto:ruth@ours.example\n{invited}"
        "END:VEVENT\nEND:VCALENDAR\n"
    ).replace("\n", "\r\n")


def _guests(app: Application) -> set[Any]:
    return {row["address"] for row in rows(app, Participant)} - {"ruth@ours.example"}


def test_guests_are_those_of_now(app: Application, tmp_path: Path) -> None:
    """The meeting stays the same one, and the customer it was with is no longer told when nobody of theirs is left."""
    path = tmp_path / "calendar.ics"
    path.write_text(_calendar(KIM, sequence=0))
    account = connect_files(app, ics=path)
    capture(app, account)
    (meeting,) = rows(app, Activity)
    assert (_guests(app), len(rows(app, Match))) == ({KIM}, 1)
    path.write_text(_calendar(KIM, LEE, SAM, sequence=1))
    capture(app, account)
    assert _guests(app) == {KIM, LEE, SAM}
    path.write_text(_calendar(LEE, SAM, sequence=2))
    capture(app, account)
    assert (_guests(app), len(rows(app, Match))) == ({LEE, SAM}, 0)
    assert [row["id"] for row in rows(app, Activity)] == [meeting["id"]]
