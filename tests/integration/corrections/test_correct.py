"""What a rep says of an activity holds at once, for what they say it of, and whatever is captured or imported later."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.capture.deployment import capture, connect_files, deliver, message, rows
from tests.integration.corrections.matter import (
    KIM,
    LEE,
    RUTH,
    SAM,
    TINA,
    activity,
    captured,
    contact_of,
    deals_of,
    lead,
    reply,
    say,
)

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.corrections import Correction
from autocapture.model.crm import Deal
from autocapture.model.ledger import LedgerEntry
from autocapture.store.engine import reading, writing
from autocapture.store.strangers import strangers
from autocapture.workflows.capture import capture_account
from autocapture.workflows.correct import Saying, undo
from autocapture.workflows.disconnecting import disconnect
from autocapture.workflows.matching import rematch_everything

PUMPS, RETROFIT = Saying("deal", deal="d1"), Saying("deal", deal="Retrofit")
OF_THREAD = Saying("deal", "thread", deal="d1")


def test_a_deal_that_a_rep_names_is_taken_and_taking_it_back_leaves_the_question(
    either_app: Application, tmp_path: Path
) -> None:
    captured(either_app, tmp_path / "mail", message(1), message(2))
    assert deals_of(either_app) == {"1": [], "2": []}
    assert activity(either_app, 1).review is not None
    made = say(either_app, 1, RETROFIT)
    assert made.changed == 1
    assert deals_of(either_app) == {"1": ["Retrofit"], "2": []}
    assert activity(either_app, 1).review is None
    taken_back = undo(either_app, RUTH, made.correction_id)
    assert taken_back.changed == 1
    assert deals_of(either_app) == {"1": [], "2": []}
    assert [row["said"] for row in rows(either_app, Correction)] == ["deal", "undo"], "both stay in the log"


def test_the_newest_word_holds_and_taking_it_back_brings_the_one_before_it(
    app: Application, tmp_path: Path
) -> None:
    captured(app, tmp_path / "mail", message(1))
    say(app, 1, PUMPS)
    second = say(app, 1, RETROFIT)
    assert deals_of(app) == {"1": ["Retrofit"]}
    undo(app, RUTH, second.correction_id)
    assert deals_of(app) == {"1": ["Pumps"]}
    with pytest.raises(InputError, match="taken back already"):
        undo(app, RUTH, second.correction_id)


def test_a_word_on_a_thread_holds_for_what_joins_it_later(either_app: Application, tmp_path: Path) -> None:
    """Also where the thread is known by another key then."""
    maildir = tmp_path / "mail"
    account = captured(either_app, maildir, message(5), reply(6, to=5), message(9))
    assert say(either_app, 6, OF_THREAD).changed == 2
    for number in range(10, 16):  # one of these has a smaller key than the thread
        deliver(
            maildir,
            message(number, extra=f"References: <5@customer.example> <{number}x@customer.example>\r\n"),
        )
    capture(either_app, account)
    found = deals_of(either_app)
    assert found.pop("9") == []
    assert found == {key: ["Pumps"] for key in ("5", "6", "10", "11", "12", "13", "14", "15")}


def test_corrections_outlive_a_resync_and_all_that_is_matched_anew(app: Application, tmp_path: Path) -> None:
    account = captured(app, tmp_path / "mail", message(1), message(2))
    say(app, 1, RETROFIT)
    say(app, 2, Saying("not_business"))
    assert capture_account(app, account, resync=True).status == "ok"
    assert rematch_everything(app) == 0
    assert deals_of(app) == {"1": ["Retrofit"], "2": []}
    assert not activity(app, 2).business


def test_corrections_outlive_that_everything_was_deleted_and_captured_again(
    either_app: Application, tmp_path: Path
) -> None:
    mails = (message(1), message(2), reply(3, to=2))
    account = captured(either_app, tmp_path / "mail", *mails)
    say(either_app, 1, Saying("not_business"))
    say(either_app, 2, OF_THREAD)
    disconnect(either_app, account, purge=True)
    assert deals_of(either_app) == {}
    capture(either_app, connect_files(either_app, maildir=tmp_path / "mail"))
    assert deals_of(either_app) == {"1": [], "2": ["Pumps"], "3": ["Pumps"]}
    assert not activity(either_app, 1).business


def test_a_word_on_a_person_holds_until_the_deal_closes(either_app: Application, tmp_path: Path) -> None:
    """From the mail on of which it was said, for what else the same person writes from, and for nobody else."""
    maildir = tmp_path / "mail"
    other_address = "Kim K <kim@gmail.com>"
    account = captured(
        either_app,
        maildir,
        message(1),
        message(2),
        message(3, author=other_address),
        message(4, author=f"Lee <{LEE}>"),
    )
    say(either_app, 3, Saying("person", "person", contact="p1"))
    assert say(either_app, 2, Saying("deal", "person", deal="d1")).changed == 2
    assert deals_of(either_app) == {"1": [], "2": ["Pumps"], "3": ["Pumps"], "4": []}
    with writing(either_app.engine) as session:
        deal = session.get_one(Deal, 1)
        deal.closed_at = datetime.fromisoformat("2026-11-02T18:30:00+00:00")
        session.add(deal)
    deliver(maildir, message(9), message(10))
    capture(either_app, account)
    found = deals_of(either_app)
    assert (found["9"], "Pumps" in found["10"]) == (["Pumps"], False)


def test_a_word_on_a_domain_holds_for_everybody_there(either_app: Application, tmp_path: Path) -> None:
    captured(
        either_app, tmp_path / "mail", message(1), message(2, author="New <new@sub.customer.example>"),
        message(3, author="Olga <olga@other.example>"),
    )  # fmt: skip
    assert deals_of(either_app)["3"] == ["Lease"]
    say(either_app, 1, Saying("deal", "domain", deal="d2"))
    assert deals_of(either_app) == {"1": ["Retrofit"], "2": ["Retrofit"], "3": ["Lease"]}


def test_who_somebody_is_can_be_said_of_one_mail_or_of_the_person(app: Application, tmp_path: Path) -> None:
    captured(app, tmp_path / "mail", message(1), message(2))
    say(app, 1, Saying("person", contact="Olga"))
    with reading(app.engine) as session:
        assert [contact_of(session, mail, KIM) for mail in (1, 2)] == [3, 1]
    assert deals_of(app) == {"1": ["Lease"], "2": []}, "her company's only deal"
    made = say(app, 2, Saying("person", "person", contact="p2"))
    with reading(app.engine) as session:
        assert [contact_of(session, mail, KIM) for mail in (1, 2)] == [3, 2]
    undo(app, RUTH, made.correction_id)
    say(app, 2, Saying("person", contact=None))
    with reading(app.engine) as session:
        assert contact_of(session, 2, KIM) is None


def test_what_was_said_of_a_mail_is_said_of_its_other_copy(app: Application, tmp_path: Path) -> None:
    """Whose id was rewritten on the way to Sam, also where that is captured first the next time."""
    same = {"to": "ruth@ours.example, sam@ours.example", "subject": "The same"}
    first, second = tmp_path / "ruth", tmp_path / "sam"
    deliver(second, message(1, message_id="rewritten@relay.example", **same))  # type: ignore[arg-type]
    one = captured(app, first, message(1, **same))  # type: ignore[arg-type]
    other = connect_files(app, "sam@ours.example", maildir=second)
    capture(app, other)
    assert len(deals_of(app)) == 1
    say(app, 1, RETROFIT)
    disconnect(app, one, purge=True)
    capture_account(app, other, resync=True)
    assert list(deals_of(app).values()) == [["Retrofit"]]
    disconnect(app, other, purge=True)
    capture(app, connect_files(app, "sam@ours.example", maildir=second))
    capture(app, connect_files(app, maildir=first))
    assert list(deals_of(app).values()) == [["Retrofit"]]


def test_what_is_no_business_leaves_the_ledgers_word(app: Application, tmp_path: Path) -> None:
    captured(app, tmp_path / "mail", message(1))
    before = rows(app, LedgerEntry)
    made = say(app, 1, Saying("not_business"))
    assert rows(app, LedgerEntry) == before
    assert not activity(app, 1).business
    undo(app, RUTH, made.correction_id)
    assert activity(app, 1).business
    assert activity(app, 1).review is not None


def test_who_is_no_business_is_nobody_to_make_a_contact_of(app: Application, tmp_path: Path) -> None:
    captured(
        app,
        tmp_path / "mail",
        message(1, author="Mum <mum@gmail.com>"),
        message(2, author="New <new@gmail.com>"),
    )
    say(app, 1, Saying("not_business", "person"))
    with reading(app.engine) as session:
        assert [each.address for each in strangers(session)] == ["new@gmail.com"]


def test_a_rep_speaks_for_themselves_and_a_manager_for_those_led(app: Application, tmp_path: Path) -> None:
    captured(app, tmp_path / "mail", message(1))
    for stranger in (SAM, TINA):
        with pytest.raises(InputError, match="no activity"):
            say(app, 1, PUMPS, by=stranger)
    lead(app, TINA, RUTH)
    made = say(app, 1, PUMPS, by=TINA)
    assert deals_of(app) == {"1": ["Pumps"]}
    with pytest.raises(InputError, match="no correction"):
        undo(app, SAM, made.correction_id)
    undo(app, RUTH, made.correction_id)
    with pytest.raises(InputError, match="no activity"):
        say(app, 404, PUMPS)


def test_a_word_on_a_person_binds_no_colleague(app: Application, tmp_path: Path) -> None:
    captured(app, tmp_path / "ruth", message(1))
    captured(app, tmp_path / "sam", message(2, to="sam@ours.example"), user="sam@ours.example")
    say(app, 1, Saying("deal", "person", deal="d1"))
    assert deals_of(app) == {"1": ["Pumps"], "2": []}


def test_nobody_says_for_a_colleague_that_it_is_no_business(app: Application, tmp_path: Path) -> None:
    both = "ruth@ours.example, sam@ours.example"
    captured(app, tmp_path / "mail", message(1, to=both), reply(2, to=1), message(3))
    with pytest.raises(InputError, match="it counts for Sam as well"):
        say(app, 1, Saying("not_business"))
    say(app, 2, Saying("not_business", "thread"))
    assert [activity(app, number).business for number in (1, 2, 3)] == [True, False, True]
    lead(app, TINA, RUTH, SAM)
    say(app, 1, Saying("not_business", "domain"), by=TINA)
    assert [activity(app, number).business for number in (1, 2, 3)] == [False, False, False]


REFUSED = (
    (Saying("deal", deal="d9"), "no deal d9"),
    (Saying("deal"), "say which deal"),
    (Saying("person", contact="Nobody"), "no contact Nobody"),
    (Saying("person", "domain", contact="p1"), "cannot be said of a whole domain"),
    (Saying("no_deal", "person", handle="x@y.example"), "does not take part from outside"),
    (Saying("deal", "person", deal="d4"), "Old closed before this"),
    (Saying("deal", deal="Twin"), "several deals are called Twin; say its key: d5, d6"),
)


def test_what_cannot_be_said_is_refused_in_one_line_and_writes_nothing(
    app: Application, tmp_path: Path
) -> None:
    captured(app, tmp_path / "mail", message(1), message(2, author="Kim <kim@gmail.com>"))
    long_ago = datetime.fromisoformat("2026-01-01T09:00:00+00:00")
    with writing(app.engine) as session:
        for number, name in ((4, "Old"), (5, "Twin"), (6, "Twin")):
            session.add(
                Deal(
                    id=number, source_id=f"d{number}", name=name, company_id=1, created_at=long_ago, outcome="lost",
                    created_on=long_ago.date(), closed_at=long_ago, closed_on=long_ago.date(),
                )
            )  # fmt: skip
    for saying, why in REFUSED:
        with pytest.raises(InputError, match=why):
            say(app, 1, saying)
    with pytest.raises(InputError, match="no domain that names an organisation"):
        say(app, 2, Saying("no_deal", "domain"))
    with reading(app.engine) as session:
        assert session.exec(select(Correction)).all() == []


def test_what_a_rep_says_beats_what_was_found(app: Application, tmp_path: Path) -> None:
    """Also where nothing else was possible, and somebody of another company is known by address."""
    captured(app, tmp_path / "mail", message(1, author="Olga <olga@other.example>"), message(2))
    assert deals_of(app) == {"1": ["Lease"], "2": []}
    say(app, 1, PUMPS)
    assert deals_of(app) == {"1": ["Pumps"], "2": []}
    say(app, 1, Saying("no_deal"))
    assert deals_of(app) == {"1": [], "2": []}
    assert activity(app, 1).review is None
