from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.cast import NOON
from tests.unit.normalize.test_call import call
from tests.unit.normalize.test_meeting import DAY, HOUR, copy, event, guest, only

from autocapture.model.draft import Draft, Party
from autocapture.normalize.meeting_state import concluded
from autocapture.normalize.slot import assigned, slot_signs, takes_signs

ANNAS = {"anna@nordwind.example": {7}, "+49309876543": {7}}


def meeting(*responses: str, **given: object) -> Draft:
    guests = [
        guest(f"{name}@nordwind.example", each)
        for name, each in zip(("anna", "ben"), responses, strict=False)
    ]  # type: ignore[arg-type]
    return only(copy(event(*guests, guest("sam@ours.example"), **given)))


def mail(remark: str, author: str = "anna@nordwind.example", to: str = "ruth@ours.example") -> Draft:
    ours = {"ruth@ours.example": 1, "sam@ours.example": 2}
    parties = tuple(
        Party(role, each, user_id=ours.get(each))
        for role, each in (("from", author), *(("to", each) for each in to.split()))
    )
    parts = call().parts
    return Draft("m", "email", NOON + 2 * HOUR, "inbound", parties, parts, remark=remark)


def state(of: Draft, **items: Draft) -> tuple[str, str]:
    numbered = {
        number: item for number, item in enumerate(items.values(), 1) if assigned({1: item}, {9: of}, ANNAS)
    }
    status, signs = concluded(slot_signs(of, numbered, ANNAS), ended=True)
    return status, signs[0].sign


def test_a_guest_who_missed_it_leaves_a_meeting_with_those_who_came() -> None:
    sorry = mail("missed_it")
    assert state(meeting("accepted"), sorry=sorry) == ("no_show", "missed")
    assert state(meeting("accepted", "accepted"), sorry=sorry) == ("held", "accepted")
    assert state(meeting("accepted", "declined"), sorry=sorry) == ("no_show", "missed")
    assert state(meeting("accepted", "needs_action"), sorry=sorry) == ("unknown", "doubt")
    both = mail("missed_it", "ben@nordwind.example")
    assert state(meeting("accepted", "accepted"), sorry=sorry, both=both) == ("no_show", "missed")


def test_a_rep_may_write_who_did_not_come_and_that_they_did_not_come_themselves() -> None:
    ruth, anna = "ruth@ours.example", "anna@nordwind.example"
    assert state(meeting("accepted"), told=mail("missed_you", ruth, f"{anna} sam@ours.example")) == (
        "no_show",
        "missed",
    )
    assert state(meeting("accepted"), told=mail("missed_it", ruth, anna))[0] == "held", "Sam was there"
    alone = only(copy(event(guest())))
    assert state(alone, told=mail("missed_it", ruth, anna)) == ("no_show", "missed")
    assert state(alone, told=mail("missed_you", anna, ruth)) == ("no_show", "missed")


def test_a_talk_outweighs_every_mail_and_a_word_on_the_phone_nothing() -> None:
    talk, word = call(seconds=1500, after=60), call(seconds=30, after=60)
    sorry = mail("missed_it")
    assert state(meeting("accepted"), talk=talk, sorry=sorry) == ("held", "talked")
    assert state(meeting("declined"), talk=talk) == ("held", "talked")
    assert state(meeting("declined"), word=word) == ("cancelled_by_them", "declined_by_them")
    assert state(meeting("declined", "needs_action"), word=word) == ("unknown", "doubt")
    assert state(meeting("accepted"), word=word, sorry=sorry) == ("no_show", "missed")


@pytest.mark.parametrize(
    ("record", "now"),
    [
        (event(status="cancelled"), NOON + DAY),
        (event(guest("ruth@ours.example", "declined"), organizer="anna@nordwind.example"), NOON + DAY),
        (event(), NOON - HOUR),
        (event(starts_at=NOON.date(), ends_at=(NOON + DAY).date()), NOON + DAY),
    ],
    ids=["cancelled", "we declined", "to come", "a whole day"],
)
def test_some_meetings_take_no_signs(record: object, now: object) -> None:
    assert not takes_signs(only(copy(record), now=now), now)  # type: ignore[arg-type]


def test_a_call_belongs_to_the_meeting_that_begins_nearest_and_a_mail_to_the_last() -> None:
    first, second = meeting("accepted", starts_at=NOON - HOUR / 2), meeting("accepted", uid="u2")
    late = call(seconds=1500, after=60)
    assert assigned({1: late}, {8: first, 9: second}, ANNAS) == {1: 9}
    early = call(seconds=1500, after=-1500)
    assert assigned({1: early}, {8: first, 9: second}, ANNAS) == {1: 8}
    assert assigned({1: mail("missed_it")}, {8: first, 9: second}, ANNAS) == {1: 9}
    before = call(seconds=int(timedelta(minutes=5).total_seconds()), after=-240)
    assert assigned({1: before}, {9: second}, ANNAS) == {1: 9}


def test_two_meetings_at_once_leave_the_call_to_one_of_them() -> None:
    talk = call(seconds=1500)
    assert assigned({1: talk}, {8: meeting("accepted"), 9: meeting("accepted", uid="u2")}, ANNAS) == {1: 8}
