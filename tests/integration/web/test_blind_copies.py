"""Who was copied blindly is told to the sender and to who leads them, and to nobody else who took part."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, select
from tests.integration.summary.organization import reopened
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.people import EMAILS, MANAGER, OTHER_REP, REP
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.model.activities import Activity, Match, Participant, Participation
from autocapture.model.crm import Company, CompanyDomain, Contact, Deal
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing

MAIL, REPLY = 5001, 5002
COPIED, ITSELF, OPEN = "lee@rival.example", "Lee Rival", "kim@customer-of-both.example"
SECRETS = (COPIED, ITSELF, "Rival Inc", "The rival deal", "to choose from")
SHOWN = "Customer of both"


@pytest.fixture(scope="module")
def app(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Application:
    home = tmp_path_factory.mktemp("blind") / "home"
    shutil.copytree(published, home)
    app = reopened(home)
    with writing(app.engine) as session:
        _mail(session)
        _reply(session)
    people.let_in(app, REP, OTHER_REP, MANAGER, people.SOUTHS_MANAGER)
    return app


def _mail(session: Session) -> None:
    """The rep of North writes to a customer and to the rep of South; a rival and the manager of South are copied blindly."""
    founded = session.exec(select(Activity)).first()
    assert founded is not None
    at, known = founded.occurred_at, founded.known_at
    for number, name, domain in (
        (901, SHOWN, "customer-of-both.example"),
        (902, "Rival Inc", "rival.example"),
    ):
        session.add(Company(id=number, source_id=f"c{number}", name=name))
        session.flush()
        session.add(CompanyDomain(domain=domain, company_id=number))
    session.add(Contact(id=903, source_id="p903", name=ITSELF, company_id=902))
    session.add(
        Deal(
            id=904, source_id="d904", name="The rival deal", company_id=902, owner_id=REP,
            created_at=at, created_on=at.date(),
        )
    )  # fmt: skip
    session.add(
        Activity(
            id=MAIL, dedupe_key="blind@ours.example", kind="email", occurred_at=at, direction="outbound", nature="human",
            subject="Offer", external=True, known_at=known, changed_at=known, review="there are deals to choose from",
        )
    )  # fmt: skip
    session.flush()
    for role, address, user_id, contact_id in (
        ("from", EMAILS[REP], REP, None),
        ("to", OPEN, None, None),
        ("to", EMAILS[OTHER_REP], OTHER_REP, None),
        ("bcc", COPIED, None, 903),
        ("bcc", "sven@ours.example", people.SOUTHS_MANAGER, None),
    ):
        session.add(
            Participant(
                activity_id=MAIL, role=role, address=address, name="", user_id=user_id, contact_id=contact_id
            )
        )
    for user_id, role in ((REP, "sender"), (OTHER_REP, "copied"), (people.SOUTHS_MANAGER, "copied")):
        session.add(
            Participation(
                activity_id=MAIL,
                user_id=user_id,
                local_date=at.date(),
                role=role,
                counts=user_id == REP,
                share=1.0,
            )
        )
    for target, number, method, evidence in (
        ("company", 901, "domain", {"by": "customer-of-both.example"}),
        ("company", 902, "contact", {"by": COPIED}),
        ("deal", 904, "only_live_deal", {"company": 902}),
    ):
        session.add(
            Match(activity_id=MAIL, target=target, target_id=number, method=method, evidence=evidence)
        )


def _reply(session: Session) -> None:
    """The customer answers both; that it is about the deal is taken over from the mail."""
    first = session.get_one(Activity, MAIL)
    session.add(
        Activity(
            id=REPLY, dedupe_key="reply@blind.example", kind="email", occurred_at=first.occurred_at, direction="inbound",
            nature="human", subject="Re: Offer", external=True, known_at=first.known_at, changed_at=first.known_at,
        )
    )  # fmt: skip
    session.flush()
    for role, address, user_id in (
        ("from", OPEN, None),
        ("to", EMAILS[REP], REP),
        ("cc", EMAILS[OTHER_REP], OTHER_REP),
    ):
        session.add(Participant(activity_id=REPLY, role=role, address=address, name="", user_id=user_id))
    for target, number in (("company", 901), ("company", 902), ("deal", 904)):
        session.add(
            Match(
                activity_id=REPLY,
                target=target,
                target_id=number,
                method="thread",
                evidence={"precedent": MAIL},
            )
        )


@pytest.fixture(scope="module")
def address(app: Application) -> Iterator[str]:
    with serving(app) as address:
        yield address


def _pages(app: Application, address: str, user_id: int) -> str:
    """What this person is shown of the mail, on its own page and in their list."""
    with reading(app.engine) as session:
        email = session.get_one(User, user_id).email
    tab = Tab(address)
    assert tab.sign_in(email).is_redirect
    shown = tab.get(f"/activities/{MAIL}")
    assert shown.status_code == 200
    text = shown.text + tab.get("/activities").text
    tab.client.close()
    return text


def test_what_a_reply_takes_over_because_of_them_is_not_told_either(address: str) -> None:
    for user_id, told in ((REP, True), (OTHER_REP, False)):
        tab = Tab(address)
        assert tab.sign_in(EMAILS[user_id]).is_redirect
        shown = tab.get(f"/activities/{REPLY}").text
        tab.client.close()
        assert SHOWN in shown
        assert ("The rival deal" in shown, "Rival Inc" in shown) == (told, told)


@pytest.mark.parametrize("user_id", [REP, MANAGER])
def test_the_sender_and_who_leads_them_see_who_was_copied_blindly(
    app: Application, address: str, user_id: int
) -> None:
    told = _pages(app, address, user_id)
    assert all(secret in told for secret in SECRETS)
    assert SHOWN in told


def test_whoever_else_took_part_does_not_learn_of_them(app: Application, address: str) -> None:
    told = _pages(app, address, OTHER_REP)
    assert OPEN in told
    assert SHOWN in told
    for secret in (*SECRETS, "bcc", "sven@ours.example"):
        assert secret not in told, secret


def test_who_was_copied_blindly_sees_themselves_alone(app: Application, address: str) -> None:
    told = _pages(app, address, people.SOUTHS_MANAGER)
    assert "sven@ours.example" in told
    for secret in SECRETS:
        assert secret not in told, secret
