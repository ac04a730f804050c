"""The sample organisation's folder: whole, readable by everybody else's parsers, and written once."""

from __future__ import annotations

import csv
import hashlib
import json
import mailbox
import re
import tomllib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest

from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.testing.sample import SamplePaths, ensure_sample, find_sample, write
from autocapture.testing.sample.crm import BAD_ROWS
from autocapture.testing.world import Size, World, generate

END = date(2026, 11, 18)
SMALL = Size(teams=1, reps_per_team=2, companies=8, contacts=24, deals=8, leads=6, weeks=4)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, END)


@pytest.fixture(scope="module")
def sample(world: World, tmp_path_factory: pytest.TempPathFactory) -> SamplePaths:
    return write(world, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def mails(sample: SamplePaths) -> list[tuple[Path, EmailMessage]]:
    files = sorted(path for maildir in sample.maildirs.values() for path in maildir.rglob("cur/*"))
    return [(path, message_from_bytes(path.read_bytes(), policy=policy.default)) for path in files]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def identity(mail: EmailMessage) -> str:
    return str(mail["Message-ID"]).strip().strip("<>")


def fingerprint(directory: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(directory)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            int(path.stat().st_mtime) if "Maildir" in path.parts else 0,
        )
        for path in directory.rglob("*")
        if path.is_file() and path.name != "maildirfolder"
    }


def test_the_same_world_is_written_to_the_same_bytes_and_times(tmp_path: Path) -> None:
    made = generate(7, END, SMALL)
    write(made, tmp_path / "one")
    write(generate(7, END, SMALL), tmp_path / "two")
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")


def test_every_copy_of_every_message_is_a_file(world: World, mails: list[tuple[Path, EmailMessage]]) -> None:
    assert Counter(identity(mail) for _, mail in mails) == Counter(
        message.message_id for message in world.messages for _ in message.copies
    )


def test_every_mail_parses_without_a_defect(mails: list[tuple[Path, EmailMessage]]) -> None:
    for path, mail in mails:
        for part in mail.walk():
            assert not part.defects, path
        assert not [header for header in mail.values() if header.defects], path
        assert all(len(line) <= 998 for line in path.read_bytes().split(b"\n")), path


def test_what_was_written_is_what_is_read(world: World, mails: list[tuple[Path, EmailMessage]]) -> None:
    known = {message.message_id: message for message in world.messages}
    for _, mail in mails[::3]:
        message = known[identity(mail)]
        assert mail["Subject"] == message.subject
        assert mail["From"].addresses[0].display_name == message.sender.name
        assert [address.addr_spec for address in mail["To"].addresses] == [
            party.email for party in message.to
        ]
        assert mail["Date"].datetime == message.sent_at
        names = [
            part.get_filename() for part in mail.walk() if part.get_content_disposition() == "attachment"
        ]
        assert names == [item.filename for item in message.attachments]
        plain = mail.get_body(("plain",))
        if plain is not None:
            assert plain.get_content().rstrip("\n") == message.text.rstrip("\n")


def test_the_mail_has_the_forms_that_real_mail_has(mails: list[tuple[Path, EmailMessage]]) -> None:
    raw = [path.read_bytes() for path, _ in mails]
    types = Counter(mail.get_content_type() for _, mail in mails)
    assert {
        "text/plain",
        "multipart/alternative",
        "multipart/mixed",
        "multipart/report",
        "text/calendar",
    } <= set(types)
    charsets = {part.get_content_charset() for _, mail in mails for part in mail.walk()}
    assert {"utf-8", "iso-8859-1", "big5", "us-ascii"} <= charsets
    assert any(b"filename*=utf-8''" in content for content in raw)
    assert any(re.search(rb"^Subject: =\?utf-8\?q\?", content, re.MULTILINE) for content in raw)
    assert any(re.search(rb"^Subject: =\?utf-8\?b\?", content, re.MULTILINE) for content in raw)
    assert any(mail["Bcc"] for path, mail in mails if ".Sent" in path.parts)
    assert not any(mail["Bcc"] for path, mail in mails if ".Sent" not in path.parts)


def test_the_folders_are_a_maildir_of_the_standard_library(world: World, sample: SamplePaths) -> None:
    rep = world.reps[0].email
    maildir = mailbox.Maildir(sample.maildirs[rep], create=False)
    folders = {"INBOX": maildir, **{name: maildir.get_folder(name) for name in maildir.list_folders()}}
    assert set(folders) == {"INBOX", "Sent", "Archive", "Drafts", "Trash", "Junk"}
    for name, folder in folders.items():
        expected = [c for m in world.messages for c in m.copies if c.user == rep and c.folder == name]
        assert len(folder) == len(expected) > 0
        assert sorted(int(message.get_date()) for message in folder) == sorted(
            int(c.at.timestamp()) for c in expected
        )
    maildir.close()


def test_what_lies_aside_lies_nowhere_else(world: World) -> None:
    aside = [message for message in world.messages if message.truth.reason == "folder"]
    assert len(aside) >= 8 * 3
    assert all({copy.folder for copy in message.copies} <= {"Drafts", "Trash", "Junk"} for message in aside)


def test_every_calendar_is_valid_and_holds_what_the_world_says(world: World, sample: SamplePaths) -> None:
    for user in world.users:
        calendar = icalendar.Calendar.from_ical(sample.calendars[user.email].read_bytes())
        assert not calendar.errors
        components = calendar.walk("VEVENT")
        assert not [problem for component in components for problem in component.errors]
        own = {event.uid: event for event in world.events if user.email in event.calendars}
        assert {str(component["UID"]) for component in components} == set(own)
        zones = {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
        masters = [component for component in components if "RECURRENCE-ID" not in component]
        assert len(masters) == len(own)
        for component in masters:
            event = own[str(component["UID"])]
            assert component.decoded("dtstart") == event.starts_at
            assert component.decoded("dtend") == event.ends_at
            assert ("RRULE" in component) == (event.rule is not None)
            assert (component.get("CLASS") == "PRIVATE") == event.private
            zone = component["DTSTART"].params.get("TZID")
            assert zone is None or zone in zones
        exceptions = len(components) - len(masters)
        assert exceptions == sum(
            item.moved or item.cancelled for event in own.values() if event.rule for item in event.occurrences
        )


def test_the_calendars_use_what_real_calendars_use(sample: SamplePaths) -> None:
    text = b"".join(path.read_bytes() for path in sample.calendars.values())
    for needed in (
        b"RRULE:",
        b"EXDATE;",
        b"RECURRENCE-ID;",
        b"STATUS:CANCELLED",
        b"CLASS:PRIVATE",
        b"CUTYPE=ROOM",
    ):
        assert needed in text
    for answer in (b"ACCEPTED", b"DECLINED", b"TENTATIVE", b"NEEDS-ACTION"):
        assert b"PARTSTAT=" + answer in text
    assert max(len(line) for line in text.split(b"\r\n")) <= 75


def test_half_of_the_call_logs_are_asterisks_and_half_have_headings(
    world: World, sample: SamplePaths
) -> None:
    assert set(sample.calls) == {rep.email for rep in world.reps}
    headed = {email: log for email, log in sample.calls.items() if log.mapping}
    assert len(headed) == 4
    for email, log in sample.calls.items():
        legs = [leg for call in world.calls if call.log == email for leg in call.legs]
        if log.mapping:
            mapping = tomllib.loads(log.mapping.read_text(encoding="utf-8"))
            with log.path.open(encoding="utf-8", newline="") as file:
                found = list(csv.DictReader(file, delimiter=mapping["delimiter"]))
            assert set(mapping["columns"].values()) <= set(found[0])
            assert {row[mapping["columns"]["outcome"]] for row in found} <= set(mapping["values"]["outcome"])
        else:
            with log.path.open(encoding="utf-8", newline="") as file:
                asterisk = list(csv.reader(file))
            assert {len(row) for row in asterisk} == {18}
            assert {row[14] for row in asterisk} <= {"ANSWERED", "NO ANSWER", "BUSY"}
            found = [{} for _ in asterisk]
        assert len(found) == len(legs)


def test_the_mapping_names_files_and_columns_that_are_there(sample: SamplePaths) -> None:
    mapping = tomllib.loads(sample.crm_mapping.read_text(encoding="utf-8"))
    source = mapping.pop("source")
    assert source["date_format"] == "%d/%m/%Y"
    assert set(mapping) == {
        "companies", "contacts", "leads", "lead_changes", "products", "deals", "deal_contacts", "stage_changes",
    }  # fmt: skip
    for section in mapping.values():
        found = rows(sample.directory / section["file"])
        assert set(section["columns"].values()) <= set(found[0])
        assert not set(section["columns"]) & set(found[0])
        for field, words in section.get("values", {}).items():
            assert {row[section["columns"][field]] for row in found} <= {*words, ""}


def test_the_export_has_a_few_bad_rows_and_no_others(world: World, sample: SamplePaths) -> None:
    crm = sample.directory / "crm"
    counts = {path.name: len(rows(path)) for path in crm.iterdir()}
    assert counts == {
        "companies.csv": len(world.companies),
        "contacts.csv": len(world.contacts) + BAD_ROWS["contacts.csv"],
        "leads.csv": len(world.leads) + BAD_ROWS["leads.csv"],
        "lead_status.csv": sum(len(lead.history) for lead in world.leads),
        "products.csv": len(world.products),
        "deals.csv": len(world.deals) + BAD_ROWS["deals.csv"],
        "deal_contacts.csv": sum(len(deal.contacts) for deal in world.deals),
        "stage_changes.csv": sum(len(deal.changes) for deal in world.deals) + BAD_ROWS["stage_changes.csv"],
    }
    assert sum(BAD_ROWS.values()) == 5
    assert any("GTXPro" in row["Products"] for row in rows(crm / "deals.csv"))


def test_quotas_cover_all_levels_scopes_and_the_last_week(world: World, sample: SamplePaths) -> None:
    found = rows(sample.quotas)
    assert {row["metric"] for row in found} == {
        "emails_sent", "calls_made", "meetings_held", "opportunities_created", "deals_won", "revenue_won",
    }  # fmt: skip
    scopes = {(row["scope_type"], row["scope"]) for row in found}
    assert scopes == {
        ("company", ""),
        *(("team", rep.team) for rep in world.reps),
        *(("user", rep.email) for rep in world.reps),
    }
    for metric in {row["metric"] for row in found}:
        own = [row for row in found if row["metric"] == metric]
        assert len({(row["scope_type"], row["scope"], row["period_start"]) for row in own}) == len(own)
        assert any(
            date.fromisoformat(row["period_start"]) <= world.last_on <= date.fromisoformat(row["period_end"])
            for row in own
        )
        assert all(float(row["value"]) > 0 for row in own)
    assert {row["currency"] for row in found if row["metric"] == "revenue_won"} == {"EUR"}


def test_the_users_file_names_managers_aliases_and_extensions(world: World, sample: SamplePaths) -> None:
    found = {row["email"]: row for row in rows(sample.users)}
    assert set(found) == {user.email for user in world.users}
    for user in world.users:
        row = found[user.email]
        assert (row["role"], row["manager"]) == (user.role, user.manager or "")
        assert row["phones"].split(";") == [*user.phones, user.extension]


def test_the_truth_is_written_only_when_asked_for(tmp_path: Path, sample: SamplePaths) -> None:
    assert not (sample.directory / "truth.jsonl").exists()
    made = generate(7, END, SMALL)
    write(made, tmp_path, truth=True)
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(made.messages) + sum(len(e.occurrences) for e in made.events) + len(made.calls)
    assert len({line["id"] for line in lines}) == len(lines)


@pytest.mark.parametrize(
    ("day", "ends"),
    [(21, date(2026, 11, 15)), (22, date(2026, 11, 15)), (23, date(2026, 11, 22))],
    ids=["Saturday", "Sunday", "Monday"],
)
def test_the_sample_ends_with_a_week_that_is_over(tmp_path: Path, day: int, ends: date) -> None:
    clock = FixedClock(datetime(2026, 11, day, 9, tzinfo=UTC))
    assert ensure_sample(tmp_path / "sample", clock, size=SMALL).anchor.end == ends


def test_a_sample_is_written_once_and_found_again_weeks_later(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 18, 9, tzinfo=UTC))
    first = ensure_sample(tmp_path / "var" / "sample", clock, size=SMALL)
    before = fingerprint(first.directory)
    clock.advance(timedelta(weeks=5))
    again = ensure_sample(tmp_path / "var" / "sample", clock, size=SMALL)
    assert again == first
    assert again.anchor.end == date(2026, 11, 15)
    assert fingerprint(first.directory) == before
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["sample"]


def test_what_is_found_is_what_was_written(tmp_path: Path) -> None:
    written = write(generate(7, END, SMALL), tmp_path / "one")
    assert find_sample(tmp_path / "one") == written


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not a sample organisation"):
        ensure_sample(tmp_path, FixedClock(datetime(2026, 11, 18, 9, tzinfo=UTC)), size=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_broken_anchor_is_named(tmp_path: Path) -> None:
    (tmp_path / "anchor.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"anchor\.json is missing or unreadable"):
        ensure_sample(tmp_path, FixedClock(datetime(2026, 11, 18, 9, tzinfo=UTC)), size=SMALL)
