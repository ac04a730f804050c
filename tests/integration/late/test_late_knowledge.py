"""What the CRM tells later holds for what was captured before: matched as of then, counted anew, told beside what was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as replace_field
from pathlib import Path

import pytest
from tests.integration.late.world import Told, told
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.settings import load_settings
from autocapture.workflows.import_crm import import_crm
from autocapture.workflows.late_knowledge import LEFT, history_is_left

Change = Callable[[str], str]


def replace(*pairs: str) -> Change:
    """Each odd text by the even one after it."""

    def change(text: str) -> str:
        for before, after in zip(pairs[::2], pairs[1::2], strict=True):
            assert before in text
            text = text.replace(before, after)
        return text

    return change


LATE_CONTACT = {"contacts": replace("C5,Lena,,", "C5,Lena,lena@bolt.example,")}
LATE_ROLE = {"deals": replace("1000,", "1000,C1")}
LATE_DEAL = {"deals": lambda text: text + "D9,Lathe,A2,anna@ours.example,Offer,2026-11-10,,500,\n"}
MOVED_STAGE = {
    "deals": replace("2026-11-12", "2026-10-20"),
    "stages": replace("D3,Won,2026-11-12", "D3,Won,2026-10-20"),
}
MERGED_COMPANIES = {
    "companies": replace(
        ",nord.example", ",nord.example;nordretail.example", "A4,Nord Retail,nordretail.example\n", ""
    ),
    "contacts": replace("rik@nordretail.example,A4", "rik@nordretail.example,A3"),
}
MERGED_CONTACTS = {
    "contacts": replace(
        "jan@acme.example", "jan@acme.example;jdv@acme.example", "C2,J. de Vries,jdv@acme.example,A1\n", ""
    )
}
LEARNED_ALIAS = {"contacts": replace("jan@acme.example", "jan@acme.example;jan@acme.co.uk")}
OF_DEALS = "for North, because the CRM told more of 1 deal"


def test_a_late_contact_answers_a_lead_of_a_week_that_was_told(world: Told) -> None:
    assert "lena@bolt.example (Lena of Bolt)" not in world.why(4)
    world.learn(**LATE_CONTACT)
    assert "Lena of Bolt" in world.why(4)
    because = "because 2 are told or matched otherwise by now"
    assert world.since() == [f"not yet → 1 hr lead response time for North, {because}"]


@pytest.mark.soak
def test_a_late_role_decides_what_was_undecided(world: Told) -> None:
    assert world.links(1) == {"A1"}
    world.learn(**LATE_ROLE)
    assert world.links(1) == {"A1", "D1"}
    assert "who takes part has a role on it" in world.why(1)


def test_a_late_deal_gets_what_was_written_about_it_and_is_told_with_the_pipeline(world: Told) -> None:
    assert world.links(3) == {"A2"}
    world.learn(**LATE_DEAL)
    assert world.links(3) == {"A2", "D9"}
    assert world.since() == [f"+€500 new pipeline {OF_DEALS}", f"+€500 open pipeline, value {OF_DEALS}"]


def test_a_stage_that_the_crm_dates_otherwise_moves_what_was_live_and_what_was_won(world: Told) -> None:
    assert world.links(5) == {"A3", "D3"}
    assert world.metric("deals_won") == {"": 1}
    said = world.learn(**MOVED_STAGE)
    assert "1 stage change dated otherwise" in said
    assert world.links(5) == {"A3"}
    assert world.metric("deals_won") == {"": 0}
    assert world.since() == [f"−€4,000 pipeline won {OF_DEALS}"]


def test_two_companies_that_were_merged_are_one_in_history(world: Told) -> None:
    assert world.links(6) == {"A4"}
    assert world.metric("emails_received", "--by", "company") == {
        "Acme": 1,
        "Bolt": 1,
        "Nord": 1,
        "Nord Retail": 1,
        None: 1,
    }
    said = world.learn(**MERGED_COMPANIES)
    assert "merged: company A4 became part of A3" in said
    assert "A3" in world.links(6)
    assert world.metric("emails_received", "--by", "company") == {"Acme": 1, "Bolt": 1, "Nord": 2, None: 1}


def test_two_contacts_that_were_merged_are_one_in_history(world: Told) -> None:
    assert "J. de Vries of Acme" in world.why(2)
    said = world.learn(**MERGED_CONTACTS)
    assert "merged: contact C2 became part of C1" in said
    assert "Jan de Vries of Acme" in world.why(2)
    because = "because 1 is told or matched otherwise by now"
    assert world.since() == [f"not yet → 17 hr lead response time for North, {because}"]


def test_a_domain_that_a_contact_tells_is_the_companys_in_history(world: Told) -> None:
    assert world.links(7) == set()
    world.learn(**LEARNED_ALIAS)
    assert world.links(7) == {"A1"}
    assert "contacts of it write from acme.co.uk" in world.why(7)


@pytest.mark.soak
def test_a_number_among_those_of_a_company_is_the_companys_and_nobodys(world: Told) -> None:
    numbers = "+31207947001", "+31207947002;+31612345678", "+31612345679"
    rows = [f"C{n},Ole {n},ole{n}@nord.example,A3,{each}\n" for n, each in enumerate(numbers, 21)]
    world.learn(
        crm=replace('emails = "mail"', 'emails = "mail"\nphones = "phone"'),
        contacts=lambda text: (
            "".join([f"{line},\n" for line in text.replace("company", "company,phone").splitlines()]).replace(
                "phone,", "phone"
            )
            + "".join(rows)
        ),
    )
    told = world.call("+31207947099")
    assert "company Nord: +3120794xxxx are numbers of its people" in told
    assert "nobody in the CRM" in told
    assert "deal" not in told.partition("What it was matched to")[2]


def test_an_import_whose_process_died_before_history_was_matched_holds_at_the_next_capture(
    world: Told,
) -> None:
    world.enter(**LATE_DEAL)
    app = build(load_settings({"AUTOCAPTURE_HOME": str(world.home)}))
    import_crm(app.engine, app.clock, mapping=world.home / "crm" / "crm.toml")
    assert world.links(3) == {"A2"}
    assert not history_is_left(app), "whoever imported may be at it"
    assert history_is_left(replace_field(app, clock=FixedClock(app.clock.now() + LEFT)))
    world.run("capture")
    assert world.links(3) == {"A2", "D9"}
    assert not history_is_left(replace_field(app, clock=FixedClock(app.clock.now() + LEFT)))
    app.engine.dispose()


@pytest.mark.postgres
@pytest.mark.soak
def test_postgresql_learns_the_same(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    world = told(tmp_path / "home", postgres_url)
    for cause in (LATE_CONTACT, LATE_DEAL, LEARNED_ALIAS, MERGED_CONTACTS, LATE_ROLE, MERGED_COMPANIES):
        world.enter(**cause)
    world.learn(**MOVED_STAGE)
    links = [world.links(mail) for mail in range(1, 8)]
    assert links == [{"A1", "D1"}, {"A1"}, {"A2", "D9"}, {"A2", "D9"}, {"A3"}, {"A3"}, {"A1"}]
    assert "Jan de Vries of Acme" in world.why(2)
    of_deals = "for North, because the CRM told more of 2 deals"
    assert world.since() == [
        f"+€500 new pipeline {of_deals}",
        f"+€500 open pipeline, value {of_deals}",
        "not yet → 9 hr lead response time for North, because 7 are told or matched otherwise by now",
        f"−€4,000 pipeline won {of_deals}",
    ]
