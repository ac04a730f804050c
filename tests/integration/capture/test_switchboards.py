"""Lines that several people of a customer share: never a person, unless the rep was in touch with exactly one of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import deliver, everything, message
from tests.integration.capture.test_slots import KIMS, NOW, Desk, event

from autocapture.clock import FixedClock
from autocapture.model.crm import Contact, ContactHandle, Deal, DealContact, DealProduct, Product
from autocapture.store.engine import writing
from autocapture.workflows.meetings import settle_meetings

CALLED = datetime(2026, 11, 10, 15, tzinfo=UTC)
CALL = f"c1,601,{KIMS},{CALLED:%Y-%m-%d %H:%M:%S},600,answered,"
UNKNOWN = "+31307654321"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, FixedClock(NOW))
    _lee(desk)
    yield desk
    desk.app.engine.dispose()


def _lee(desk: Desk, *, shares: bool = True) -> None:
    with writing(desk.app.engine) as session:
        session.add(Contact(id=2, source_id="p2", name="Lee", company_id=1))
        session.flush()
        session.add(ContactHandle(kind="email", value="lee@customer.example", contact_id=2))
        if shares:
            session.add(ContactHandle(kind="phone", value=KIMS, contact_id=2))


def _write(desk: Desk, author: str, at: datetime, *, number: int = 1, to: str = "ruth@ours.example") -> None:
    mail = message(
        number, author=f"<{author}@customer.example>", to=to, at=at, message_id=f"{author}{number}@x.example"
    )
    deliver(desk.mailbox, mail, at=int(at.timestamp()))


def _who(desk: Desk) -> tuple[list[str], list[str]]:
    call = desk.call()
    return [each["contact"] for each in call["participants"] if each["contact"]], call["companies"]


def test_a_call_on_a_switchboard_is_with_the_company_and_with_nobody_in_particular(desk: Desk) -> None:
    desk.calls(CALL)
    desk.capture("call")
    assert _who(desk) == ([], ["c1"])


def test_a_mail_with_exactly_one_of_them_tells_who_was_on_the_line(desk: Desk) -> None:
    _write(desk, "lee", CALLED - timedelta(days=29))
    desk.calls(CALL)
    desk.capture("call", "email")
    assert _who(desk) == (["p2"], ["c1"])
    _write(desk, "kim", CALLED - timedelta(days=3), number=2)
    desk.capture("email")
    assert _who(desk) == ([], ["c1"])


def test_a_meeting_with_exactly_one_of_them_tells_it_too(desk: Desk) -> None:
    desk.calls(CALL)
    desk.capture("call")
    desk.calendar(event(day="03"))
    desk.capture("event")
    assert _who(desk) == (["p1"], ["c1"])


def test_other_mails_tell_nothing_of_the_line(desk: Desk) -> None:
    """More than a month ago, of another rep, with somebody else."""
    _write(desk, "lee", CALLED - timedelta(days=31))
    _write(desk, "lee", CALLED, number=2, to="sam@ours.example")
    _write(desk, "max", CALLED, number=3)
    desk.calls(CALL)
    desk.capture("call", "email")
    assert _who(desk) == ([], ["c1"])


def test_who_was_on_the_line_does_not_depend_on_what_arrived_first(tmp_path: Path) -> None:
    seen = []
    for number, order in enumerate((("event", "call", "email"), ("call", "email", "event"))):
        desk = Desk(tmp_path / str(number), FixedClock(NOW))
        _lee(desk)
        desk.calls(CALL)
        desk.calendar(event(day="03"))
        _write(desk, "kim", CALLED - timedelta(days=2))
        for kind in order:
            desk.capture(kind)
        found = everything(desk.app)
        seen.append({name: found[name] for name in ("activity", "participant", "match")})
        assert _who(desk) == (["p1"], ["c1"])
        desk.app.engine.dispose()
    assert all(each == seen[0] for each in seen)


def _call_in_meetings(desk: Desk, number: str, *guests: str) -> None:
    """Meetings with each of them, calls from this number in their slots, and another one of the same day."""
    days = [f"{9 + place:02}" for place in range(len(guests))]
    met = zip(days, guests, strict=True)
    desk.calendar(*(event(f"m{day}", day=day).replace("kim@customer", f"{who}@customer") for day, who in met))
    during = (f"c{day},601,{number},2026-11-{day} 10:02:00,900,answered," for day in days)
    desk.calls(*during, CALL.replace(KIMS, number))
    desk.capture()


def _last_call(desk: Desk) -> dict[str, Any]:
    return max(desk.all_calls(), key=lambda call: call["occurred_at"])


def test_a_switchboard_that_the_crm_has_under_one_person_is_learned(tmp_path: Path) -> None:
    desk = Desk(tmp_path, FixedClock(NOW))
    _lee(desk, shares=False)
    _call_in_meetings(desk, KIMS, "lee", "lee")
    assert [each["contact"] for each in _last_call(desk)["participants"] if each["contact"]] == ["p1"]
    for _ in range(2):
        settle_meetings(desk.app, whole_calendar=True)
        assert [call["meeting"] is None for call in desk.all_calls()] == [False, False, True]
        last = _last_call(desk)
        assert [each["contact"] for each in last["participants"] if each["contact"]] == ["p2"], (
            "met that morning"
        )
        assert last["companies"] == ["c1"]


def test_a_number_that_nobody_has_is_learned_for_the_companys(tmp_path: Path) -> None:
    desk = Desk(tmp_path, FixedClock(NOW))
    _lee(desk, shares=False)
    _call_in_meetings(desk, UNKNOWN, "lee", "kim")
    assert _last_call(desk)["companies"] == []
    settle_meetings(desk.app, whole_calendar=True)
    last = _last_call(desk)
    assert (last["companies"], [each["contact"] for each in last["participants"] if each["contact"]]) == (
        ["c1"],
        [],
    )


def test_a_call_in_a_meetings_slot_is_about_what_the_meeting_is_about(desk: Desk) -> None:
    """Two deals beside each other: the meeting names one, the call itself could not."""
    with writing(desk.app.engine) as session:
        for key, name in ((1, "Atlas"), (2, "Borealis")):
            created = datetime(2026, 10, 1, tzinfo=UTC)
            session.add(Product(id=key, source_id=f"pr{key}", name=name))
            named = {"name": f"Customer {name}", "company_id": 1, "owner_id": 1}
            session.add(
                Deal(id=key, source_id=f"d{key}", created_at=created, created_on=created.date(), **named)
            )
            session.flush()
            session.add(DealContact(deal_id=key, contact_id=1))
            session.add(DealProduct(deal_id=key, product_id=key))
    desk.calendar(event().replace("SUMMARY:Demo", "SUMMARY:Demo of Atlas"))
    desk.calls(CALL.replace("15:00:00", "10:02:00"))
    desk.capture()
    meeting, call = desk.meeting(), desk.call()
    assert [each["deal"] for each in meeting["deals"]] == ["d1"]
    assert [each["deal"] for each in call["deals"]] == ["d1"]
    assert [each["contact"] for each in call["participants"] if each["contact"]] == ["p1"]


def test_a_number_on_which_one_person_was_reached_twice_is_no_switchboard(tmp_path: Path) -> None:
    desk = Desk(tmp_path, FixedClock(NOW))
    _lee(desk, shares=False)
    _call_in_meetings(desk, UNKNOWN, "lee", "lee")
    settle_meetings(desk.app, whole_calendar=True)
    assert _last_call(desk)["companies"] == []


def test_a_national_number_tells_the_person_and_never_the_deal(desk: Desk) -> None:
    """The rep's region cannot read it; the CRM has one number that ends with these digits."""
    with writing(desk.app.engine) as session:
        session.add(ContactHandle(kind="phone", value="+442079460018", contact_id=1))
        created = datetime(2026, 10, 1, tzinfo=UTC)
        deal = Deal(
            id=1,
            source_id="d1",
            name="Atlas",
            company_id=1,
            owner_id=1,
            created_at=created,
            created_on=created.date(),
        )
        session.add(deal)
        session.flush()
        session.add(DealContact(deal_id=1, contact_id=1))
    desk.calls(
        CALL.replace(KIMS, "020 7946 0018"), CALL.replace(KIMS, "+44 20 7946 0018").replace("c1", "c2")
    )
    desk.capture("call")
    national, public = sorted(
        desk.all_calls(), key=lambda call: not call["participants"][0]["address"].startswith("nat:")
    )
    assert national["participants"][0]["address"] == "nat:02079460018"
    assert [national["participants"][0]["contact"], national["companies"], national["deals"]] == [
        "p1",
        ["c1"],
        [],
    ]
    assert [public["participants"][0]["contact"], [each["deal"] for each in public["deals"]]] == [
        "p1",
        ["d1"],
    ]
