"""How `explain` tells of what other mails of a thread say, of lines that people share, and of deals that were over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.integration.capture.deployment import application, deploy, message
from tests.integration.corrections.matter import captured, deals_of, furnish, number_of, reply
from tests.integration.service.conftest import Run

from autocapture.application import Application
from autocapture.model.crm import Contact, ContactHandle, Deal, DealReference
from autocapture.store.engine import writing

CLOSED = datetime.fromisoformat("2026-09-01T09:00:00+00:00")


@pytest.fixture
def app(home: Path) -> Application:
    furnish(deploy(home))
    return application(home)


def test_what_another_mail_of_the_thread_says_is_told_as_that_mails(
    app: Application, tmp_path: Path, run: Run
) -> None:
    captured(app, tmp_path / "mail", message(1, subject="Hello"), reply(2, to=1, subject="Pumps"))
    told = run("explain", str(number_of(1))).stdout
    assert "; it is named in a later mail, of 2026-11-02 " in told
    assert "“Pumps” in the subject" in told
    assert str(number_of(2)) not in told
    answer = run("explain", str(number_of(2))).stdout
    assert "it is named in" not in answer
    assert "100" not in answer.partition("What it was matched to")[2]


def test_an_address_that_several_contacts_share_is_told_as_one(
    app: Application, tmp_path: Path, run: Run
) -> None:
    with writing(app.engine) as session:
        session.add(Contact(id=9, source_id="p9", name="Kit", company_id=1))
        session.flush()
        session.add(ContactHandle(kind="email", value="kim@customer.example", contact_id=9))
    captured(app, tmp_path / "mail", message(1, author="kim@customer.example"))
    told = run("explain", str(number_of(1))).stdout
    assert "from: kim@customer.example, an address that several contacts of Customer share" in told


def test_a_deal_that_was_over_is_told_where_there_is_no_other(
    app: Application, tmp_path: Path, run: Run
) -> None:
    with writing(app.engine) as session:
        for number in (1, 2):
            deal = session.get_one(Deal, number)
            deal.closed_at, deal.closed_on, deal.outcome = CLOSED.replace(day=number), CLOSED.date(), "won"
            session.add(deal)
    captured(app, tmp_path / "mail", message(1))
    told = run("explain", str(number_of(1))).stdout
    assert "no deal: “Retrofit” was won on 2026-09-02, and none was live then" in told


def test_a_reference_in_full_finds_the_reps_deal_with_another_customer(
    app: Application, tmp_path: Path
) -> None:
    with writing(app.engine) as session:
        session.add(DealReference(deal_id=3, value="OF-26-0415"))
    mails = [message(1, subject="Your OF-26-0415"), message(2, subject="Your OF 26-0416")]
    captured(app, tmp_path / "mail", *mails)
    assert deals_of(app) == {"1": ["Lease"], "2": []}


def test_a_contact_whom_the_crm_got_later_is_not_who_wrote_before(
    app: Application, tmp_path: Path, run: Run
) -> None:
    with writing(app.engine) as session:
        later = datetime.fromisoformat("2026-11-05T09:00:00+00:00")
        session.add(Contact(id=9, source_id="p9", name="Kim", company_id=2, created_at=later))
        session.flush()
        session.add(ContactHandle(kind="email", value="kim@customer.example", contact_id=9))
    captured(app, tmp_path / "mail", message(1, author="kim@customer.example"))
    assert "from: kim@customer.example, Kim of Customer" in run("explain", str(number_of(1))).stdout
