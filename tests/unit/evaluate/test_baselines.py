"""Each baseline chooses as its product's documentation says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autocapture.evaluate.baselines import BASELINES, answers_of
from autocapture.evaluate.world import (
    Activity,
    Company,
    Contact,
    Deal,
    DealContact,
    StageChange,
    Truth,
    User,
    World,
)

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
RIK, SAM = "rik@ours.example", "sam@ours.example"
DAY = timedelta(days=1)


def deal(
    key: str, *, owner: str = RIK, company: str = "acme", opened: int = -60, closed: int | None = None
) -> Deal:
    """A deal opened and closed so many days after the activity."""
    end = None if closed is None else AT + closed * DAY
    return Deal(
        key, key, company, owner, AT + opened * DAY, closed_at=end, outcome="" if end is None else "lost"
    )


def chosen(
    who: str,
    *deals: Deal,
    roles: dict[str, str] | None = None,
    moved: dict[str, int] | None = None,
    sender: str = "ann@acme.example",
    receiver: str = RIK,
) -> dict[str, float]:
    """What the baseline does with one mail from `sender` to `receiver`."""
    mail = Activity("a", "email", AT, receiver, from_=sender, to=(receiver,))
    world = World(
        users=(User(RIK, "Rik"), User(SAM, "Sam")),
        companies=(Company("acme", "Acme", ("acme.example",)), Company("bolt", "Bolt")),
        contacts=(
            Contact("ann", "Ann", ("ann@acme.example",), (), "acme"),
            Contact("gus", "Gus", ("gus@gmail.com",), (), "acme"),
        ),
        deals=deals,
        deal_contacts=tuple(DealContact(key, contact) for key, contact in (roles or {}).items()),
        stage_changes=tuple(StageChange(key, "demo", AT + days * DAY) for key, days in (moved or {}).items()),
        activities=(mail,),
        truth=(Truth("a"),),
    )
    return dict(answers_of(BASELINES[who], world)["a"].deals or {})


def test_zoho_takes_the_open_deal_of_the_contact_that_was_modified_last() -> None:
    zoho = "most recently modified"
    both = {"D1": "ann", "D2": "ann"}
    assert chosen(zoho, deal("D1"), deal("D2", opened=-5), roles=both) == {"D2": 1.0}
    assert chosen(zoho, deal("D1"), deal("D2", opened=-5), roles=both, moved={"D1": -1}) == {"D1": 1.0}
    assert chosen(zoho, deal("D1"), deal("D2", opened=-5), roles=both, moved={"D1": 1}) == {"D2": 1.0}
    assert chosen(zoho, deal("D1", closed=-1), roles={"D1": "ann"}) == {}
    assert chosen(zoho, deal("D1")) == {}


def test_pipedrive_takes_the_only_open_deal_of_the_person_or_none() -> None:
    pipedrive = "exactly one or nothing"
    assert chosen(pipedrive, deal("D1"), deal("D2", closed=-9), roles={"D1": "ann", "D2": "ann"}) == {
        "D1": 1.0
    }
    assert chosen(pipedrive, deal("D1"), deal("D2"), roles={"D1": "ann", "D2": "ann"}) == {}


def test_gong_takes_what_was_open_within_fourteen_days_and_narrows_by_role_then_owner() -> None:
    gong = "Gong default"
    assert chosen(gong, deal("D1", opened=14), deal("D2", opened=15)) == {"D1": 1.0}
    assert chosen(gong, deal("D1", closed=-14), deal("D2", closed=-15)) == {"D1": 1.0}
    assert chosen(gong, deal("D1"), deal("D2"), roles={"D2": "ann"}) == {"D2": 1.0}
    assert chosen(gong, deal("D1"), deal("D2", owner=SAM)) == {"D1": 1.0}
    assert chosen(gong, deal("D1", owner=SAM), deal("D2", owner=SAM)) == {"D1": 0.5, "D2": 0.5}
    assert chosen(gong, deal("D1"), sender="new@acme.example") == {"D1": 1.0}
    assert len(chosen(gong, *(deal(f"D{number}") for number in range(7)))) == 5


def test_atrium_climbs_from_the_reps_own_deals_of_the_contact_to_those_of_the_domain() -> None:
    atrium = "Atrium ladder"
    assert chosen(atrium, deal("D1"), deal("D2"), roles={"D1": "ann"}) == {"D1": 1.0}
    assert chosen(atrium, deal("D1"), deal("D2", owner=SAM)) == {"D1": 1.0}
    assert chosen(atrium, deal("D1"), deal("D2")) == {"D1": 0.5, "D2": 0.5}
    assert chosen(atrium, deal("D1"), sender="new@acme.example") == {"D1": 1.0}
    assert chosen(atrium, deal("D1"), sender="gus@gmail.com") == {"D1": 1.0}
    assert chosen(atrium, deal("D1"), sender="new@gmail.com") == {}
    assert chosen(atrium, deal("D1"), receiver=SAM) == {}


def test_claap_goes_down_its_ladder_and_takes_the_closest_creation() -> None:
    claap = "Claap ladder"
    assert chosen(claap, deal("D1"), deal("D2", opened=-9)) == {"D2": 1.0}
    assert chosen(claap, deal("D1", opened=29), deal("D2", closed=-2)) == {"D1": 1.0}
    assert chosen(claap, deal("D1", closed=-29), deal("D2", opened=40)) == {"D1": 1.0}
    assert chosen(claap, deal("D1", closed=-40), deal("D2", opened=90)) == {"D2": 1.0}
    assert chosen(claap, deal("D1", closed=-40)) == {"D1": 1.0}
    assert chosen(claap, deal("D1"), sender="new@acme.example") == {}


@pytest.mark.parametrize("who", BASELINES)
def test_no_baseline_finds_a_deal_of_strangers(who: str) -> None:
    assert chosen(who, deal("D1", company="bolt"), sender="eve@elsewhere.example") == {}
