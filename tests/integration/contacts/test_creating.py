"""Contacts and companies of people whom the CRM does not know and our people do; everybody else waits, with all that they did."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.capture.deployment import capture, connect_files, everything, rows
from tests.integration.contacts.mailbox import ANNA, Mailbox, contacts, linked, unknown, with_settings

from autocapture.application import Application
from autocapture.model.crm import Company
from autocapture.model.organization import User
from autocapture.report.unknown import how_many, outside, unmatched
from autocapture.store.engine import reading, writing
from autocapture.store.unreachable import mark_bounced
from autocapture.workflows import creating
from autocapture.workflows.change_scope import Scope, change_scope
from autocapture.workflows.contact_listings import batches, made, staged
from autocapture.workflows.creating import create_contacts, create_these, would_create
from autocapture.workflows.meetings import settle_meetings

CREATED = {"Anna Weber": "nordwind.example"}


@pytest.fixture
def mailbox(app: Application, tmp_path: Path) -> Mailbox:
    return Mailbox(app, tmp_path / "mail")


def test_whom_our_people_write_to_is_a_contact_and_all_their_mail_is_theirs(
    either_app: Application, tmp_path: Path
) -> None:
    mailbox = Mailbox(either_app, tmp_path / "mail")
    mailbox.got(ANNA)
    mailbox.create()
    assert contacts(either_app) == {}
    assert unknown(either_app) == {"anna@nordwind.example": "below the thresholds"}
    mailbox.sent("anna@nordwind.example")
    report = mailbox.create()
    assert [(each.address, each.reason, each.count) for each in report.newcomers] == [
        ("anna@nordwind.example", "sent_to", 1)
    ]
    assert report.rematched == 2
    assert contacts(either_app) == CREATED
    assert linked(either_app) == [("anna@nordwind.example", "Anna Weber", ["nordwind.example"])] * 2
    assert unknown(either_app) == {}
    assert not create_contacts(either_app).newcomers  # sees what matching changed
    before = everything(either_app)
    assert not create_contacts(either_app).newcomers
    assert everything(either_app) == before, "an idle run writes nothing"


def test_who_is_only_copied_or_only_writes_waits(mailbox: Mailbox) -> None:
    mailbox.got("Spam <spam@shop.example>")
    mailbox.sent("Kim <kim@customer.example>", extra="Cc: Carl <carl@law.example>\r\n")
    mailbox.create()
    assert contacts(mailbox.app) == {}
    rows = {row["address"]: row for row in staged(mailbox.app)}
    assert rows.keys() == {"spam@shop.example", "carl@law.example"}
    assert (rows["carl@law.example"]["name"], rows["carl@law.example"]["mails"]) == ("Carl", 1)


def test_who_is_copied_and_answers_is_a_contact_by_two_way_mail(mailbox: Mailbox) -> None:
    mailbox.sent("Kim <kim@customer.example>", extra="Cc: Carl <carl@law.example>\r\n")
    mailbox.got("Carl Jonas <carl@law.example>")
    [carl] = mailbox.create().newcomers
    assert (carl.name, carl.reason, carl.count) == ("Carl Jonas", "two_way", 2)


EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T090000Z
DTSTART:{start}
DTEND:{end}
SUMMARY:Talk
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:ruth@ours.example
ATTENDEE;CN=Anna Weber;PARTSTAT={answer}:mailto:{guest}
{more}END:VEVENT
END:VCALENDAR
"""
YESTERDAY = {"start": "20261103T090000Z", "end": "20261103T100000Z"}


def test_whom_our_people_met_is_a_contact(app: Application, tmp_path: Path) -> None:
    """Not who declined, nor an audience, nor who stands in an entry of whole days."""
    whole_day = {"start": "20261103", "end": "20261104"}
    coming = "ATTENDEE;CN=Kim;PARTSTAT=ACCEPTED:mailto:kim@customer.example\n"
    audience = "".join(
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:guest{number}@audience.example\n" for number in range(25)
    )
    events = (
        {"guest": "anna@nordwind.example"},
        {"guest": "ben@declined.example", "answer": "DECLINED", "more": coming},
        {"guest": "carl@audience.example", "more": audience},
        {"guest": "dora@fair.example", **whole_day},
    )
    folder = tmp_path / "calendar"
    folder.mkdir()
    for number, given in enumerate(events):
        usual = {"uid": str(number), "answer": "ACCEPTED", "more": "", **YESTERDAY}
        event = EVENT.format(**{**usual, **given})
        (folder / f"{number}.ics").write_text(event.replace("\n", "\r\n"))
    capture(app, connect_files(app, ics=folder))
    settle_meetings(app)
    create_contacts(app)
    assert contacts(app) == CREATED
    assert {"ben@declined.example", "carl@audience.example", "dora@fair.example"} <= unknown(app).keys()


NEVER = {
    "no-reply@nordwind.example": "a machine's address",
    "3f9a8b7c6d5e4f3a2b1c@nordwind.example": "a machine's address",
    "buchhaltung.nord@nordwind.example": "a role's mailbox",
    "users@lists.nordwind.example": "a mailing list",
    "anna@clinic.example": "on the never-log list",
    "anna@gone.example": "mail to it bounces",
}


def test_some_are_never_created_and_it_is_said_why(mailbox: Mailbox, tmp_path: Path) -> None:
    for address in NEVER:
        mailbox.sent(f"Anna <{address}>")
    mailbox.sent("New Colleague <new@ours.example>, Kim <kim@customer.example>")
    capture(mailbox.app, mailbox.account)
    with writing(mailbox.app.engine) as session:
        mark_bounced(session, {"anna@gone.example": (datetime(2027, 1, 1, tzinfo=UTC), "5.1.1")})
    (tmp_path / "exclusions.toml").write_text('domains = ["clinic.example"]\n')
    later = with_settings(mailbox.app, capture_exclusions_file=str(tmp_path / "exclusions.toml"))
    assert not create_contacts(later).newcomers
    assert contacts(mailbox.app) == {}
    assert unknown(later) == NEVER, "our own are nobody's to create"


def test_what_was_purged_leaves_nobody_behind(mailbox: Mailbox) -> None:
    mailbox.sent(f"{ANNA}, Ben <ben@other.example>")
    mailbox.sent("Ben <ben@other.example>", at=datetime(2026, 11, 3, 10, tzinfo=UTC))
    mailbox.create()
    assert contacts(mailbox.app) == {**CREATED, "Ben": "other.example"}
    change_scope(mailbox.app, mailbox.account, Scope(date(2026, 11, 3), "subject"), purge=True)
    create_contacts(with_settings(mailbox.app, contacts_met="2"))  # as once a day: everything is looked at
    assert contacts(mailbox.app) == {"Ben": "other.example"}
    assert {row["ended"] for row in made(mailbox.app, ended=True)} == {None, "left"}
    assert {row["name"] for row in rows(mailbox.app, Company)} == {"Customer", "other.example"}
    change_scope(mailbox.app, mailbox.account, Scope(date(2026, 11, 8), "subject"), purge=True)
    create_contacts(mailbox.app)
    assert contacts(mailbox.app) == {}


def test_an_address_with_a_tag_is_the_person_without(mailbox: Mailbox) -> None:
    mailbox.sent("Anna Weber <anna+offers@nordwind.example>")
    mailbox.create()
    mailbox.got(ANNA)
    mailbox.create()
    assert contacts(mailbox.app) == CREATED
    assert [(address, name) for address, name, _ in linked(mailbox.app)] == [
        ("anna+offers@nordwind.example", "Anna Weber"),
        ("anna@nordwind.example", "Anna Weber"),
    ]


def test_people_belong_to_the_company_on_their_domain_and_with_free_mail_to_the_one_they_are_seen_with(
    mailbox: Mailbox,
) -> None:
    mailbox.sent("Lee <lee@gmail.com>, Kim <kim@customer.example>")
    mailbox.sent("Max <max@gmail.com>")
    mailbox.sent("Ida <ida@customer.example>")
    mailbox.create()
    assert contacts(mailbox.app) == {"Ida": "Customer", "Lee": "Customer"}
    assert unknown(mailbox.app) == {"max@gmail.com": "below the thresholds"}, "one mail may be private"
    mailbox.sent("Max <max@gmail.com>")
    mailbox.create()
    assert contacts(mailbox.app) == {"Ida": "Customer", "Lee": "Customer", "Max": None}


def test_the_same_name_at_the_same_company_is_staged_as_perhaps_one_person(mailbox: Mailbox) -> None:
    mailbox.sent("Ida Berg <ida@customer.example>")
    mailbox.create()
    for address in ("i.berg@customer.example", "ida@customer.co.uk", "ida@agency.example"):
        mailbox.sent(f"Ida Berg <{address}>")
    mailbox.create()
    twin = "perhaps a contact under another address: Ida Berg of Customer"
    assert unknown(mailbox.app) == {"i.berg@customer.example": twin, "ida@customer.co.uk": twin}
    create_these(mailbox.app, ["i.berg@customer.example"])
    assert unknown(mailbox.app) == {"ida@customer.co.uk": twin}


def test_an_agency_is_not_taken_for_the_customer_it_works_for(mailbox: Mailbox) -> None:
    mailbox.sent("Bob <bob@agency.example>, Kim <kim@customer.example>")
    mailbox.sent("Bob <bob@agency.example>")
    week = (date(2026, 11, 1), date(2026, 11, 7))
    capture(mailbox.app, mailbox.account)

    def shares() -> tuple[int, int]:
        with reading(mailbox.app.engine) as session:
            ids = [user.id or 0 for user in session.exec(select(User))]
            return how_many(session, unmatched(ids, *week)), how_many(session, outside(ids, *week))

    before = shares()
    mailbox.create()
    assert shares() == before == (1, 2)
    assert contacts(mailbox.app) == {"Bob": "agency.example"}
    assert [(address, *companies) for address, _, companies in linked(mailbox.app)] == [
        ("bob@agency.example", "Customer"),
        ("bob@agency.example", "agency.example"),
        ("kim@customer.example", "Customer"),
    ], "beside a company of the CRM one of our own making says nothing"


def test_thresholds_are_set_and_creating_can_be_switched_off(mailbox: Mailbox) -> None:
    mailbox.sent(ANNA)
    capture(mailbox.app, mailbox.account)
    assert create_contacts(with_settings(mailbox.app, contacts_create="false")).newcomers == []
    assert unknown(with_settings(mailbox.app, contacts_create="false")) == {
        "anna@nordwind.example": "creating is switched off"
    }
    assert create_contacts(with_settings(mailbox.app, contacts_sent_to="2")).newcomers == []
    assert create_contacts(with_settings(mailbox.app, contacts_sent_to="0")).newcomers == []
    assert len(would_create(mailbox.app).newcomers) == 1
    assert contacts(mailbox.app) == {}
    assert len(create_contacts(mailbox.app).newcomers) == 1, "other thresholds look through everything again"


def test_what_was_created_is_listed_with_its_reason_and_batch(mailbox: Mailbox) -> None:
    mailbox.sent(ANNA)
    mailbox.create()
    rows = [
        (row["kind"], row["value"], row["name"], row["reason"], row["batch"]) for row in made(mailbox.app)
    ]
    assert rows == [
        ("company", "nordwind.example", "nordwind.example", "contacts on its domain: 1", 1),
        ("contact", "anna@nordwind.example", "Anna Weber", "mails of ours to them: 1", 1),
    ]
    assert [(row["contacts"], row["companies"], row["thresholds"]) for row in batches(mailbox.app)] == [
        (1, 1, "sent_to 1, two_way 2, met 1")
    ]


def test_a_later_name_by_themselves_takes_the_place_of_what_others_call_them(mailbox: Mailbox) -> None:
    mailbox.sent("anna@nordwind.example")
    mailbox.create()
    assert contacts(mailbox.app) == {"anna@nordwind.example": "nordwind.example"}
    mailbox.sent("Ms Weber <anna@nordwind.example>")
    mailbox.create()
    assert list(contacts(mailbox.app)) == ["Weber"]
    mailbox.got('"Weber, Anna" <anna@nordwind.example>')
    mailbox.create()
    assert list(contacts(mailbox.app)) == ["Anna Weber"]
    mailbox.sent("Annie <anna@nordwind.example>")
    mailbox.create()
    assert list(contacts(mailbox.app)) == ["Anna Weber"]


def test_killed_before_all_is_matched_the_next_run_does_it(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.sent(ANNA)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(creating, "rematch_in_batches", killed)
        with pytest.raises(KeyboardInterrupt):
            mailbox.create()
    assert [name for _, name, _ in linked(mailbox.app)] == [None]
    assert not create_contacts(mailbox.app).newcomers
    assert [name for _, name, _ in linked(mailbox.app)] == ["Anna Weber"]
