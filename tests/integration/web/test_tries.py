"""Guessing is slow, and slows nobody else down."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session, select
from tests.integration.web.tabs import PASSWORD, Tab

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.sign_in import AuditEntry, TryBucket
from autocapture.store.engine import reading, writing
from autocapture.workflows.audit import DISABLED, REFUSALS_KEPT, SIGN_IN_REFUSED, note, note_refused
from autocapture.workflows.sign_in import Refused, sign_in
from autocapture.workflows.sign_in_tries import give_back, password_buckets, remember, take

REP, ADMIN = "rep@ours.example", "admin@ours.example"
DESK, ELSEWHERE = "192.0.2.10", "198.51.100.7"


def _guesses(session: Session, clock: FixedClock, email: str, source: str, count: int) -> int:
    """How many of so many wrong tries are looked at."""
    looked_at = 0
    for _ in range(count):
        buckets = password_buckets(session, email, source, clock.now())
        looked_at += take(session, buckets, clock.now()) is None
    return looked_at


def test_a_hundred_guesses_at_one_account_are_ten(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        assert _guesses(session, clock, REP, ELSEWHERE, 100) == 10
        assert _guesses(session, clock, REP, DESK, 1) == 1
        clock.advance(timedelta(minutes=5))
        assert _guesses(session, clock, REP, ELSEWHERE, 100) == 5


def test_one_address_cannot_guess_at_every_account(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        assert sum(_guesses(session, clock, f"{n}@ours.example", ELSEWHERE, 5) for n in range(50)) == 60
        assert _guesses(session, clock, REP, DESK, 1) == 1


def test_many_addresses_cannot_guess_at_one_account(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        looked_at = sum(_guesses(session, clock, REP, f"203.0.113.{n}", 5) for n in range(60))
        assert looked_at == 60
        assert _guesses(session, clock, ADMIN, "203.0.113.1", 1) == 1


def test_who_signed_in_from_a_desk_is_not_locked_out_of_it(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        remember(session, REP, DESK, clock.now())
        for n in range(60):
            _guesses(session, clock, REP, f"203.0.113.{n}", 5)
        assert _guesses(session, clock, REP, DESK, 1) == 1
        clock.advance(timedelta(days=31))
        for n in range(60):
            _guesses(session, clock, REP, f"203.0.113.{n}", 5)
        assert _guesses(session, clock, REP, DESK, 1) == 0


def test_a_network_of_ipv6_is_one_source(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        assert sum(_guesses(session, clock, REP, f"2001:db8::{n:x}", 1) for n in range(1, 50)) == 10
        assert _guesses(session, clock, REP, "2001:db8:0:1::1", 1) == 1


def test_who_signs_in_uses_up_no_try(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        for _ in range(100):
            buckets = password_buckets(session, REP, DESK, clock.now())
            assert take(session, buckets, clock.now()) is None
            give_back(session, buckets, clock.now())


def test_too_many_tries_are_told_alike_for_known_and_unknown(
    closed: Application, clock: FixedClock, tab: Tab
) -> None:
    for email in (REP, "nobody@ours.example"):
        for _ in range(10):
            assert isinstance(sign_in(closed, email, "wrong", "127.0.0.1"), Refused)
        assert tab.sign_in(email).status_code == 429
        assert "Wait 1 minute, then try again" in tab.words
    clock.advance(timedelta(minutes=1))
    assert tab.sign_in(REP, PASSWORD).is_redirect


def test_no_address_is_stored_and_nothing_is_kept_for_long(closed: Application, clock: FixedClock) -> None:
    sign_in(closed, REP, "wrong", DESK)
    with reading(closed.engine) as session:
        kept = str(session.exec(select(TryBucket)).all())
    assert REP not in kept
    assert DESK not in kept
    clock.advance(timedelta(days=31))
    sign_in(closed, ADMIN, "wrong", ELSEWHERE)
    with reading(closed.engine) as session:
        assert len(session.exec(select(TryBucket)).all()) == 4


def test_who_is_slowed_down_fills_no_table_with_invented_addresses(
    closed: Application, clock: FixedClock
) -> None:
    def kept() -> int:
        with reading(closed.engine) as session:
            return len(session.exec(select(TryBucket)).all())

    with writing(closed.engine) as session:
        assert sum(_guesses(session, clock, f"{n}@ours.example", ELSEWHERE, 1) for n in range(60)) == 60
    before = kept()
    with writing(closed.engine) as session:
        assert sum(_guesses(session, clock, f"{n}@ours.example", ELSEWHERE, 1) for n in range(60, 90)) == 0
    assert kept() == before


def _refusals(session: Session, clock: FixedClock, user_id: int | None, count: int) -> int:
    """How many of so many refusals are written down."""
    before = len(session.exec(select(AuditEntry)).all())
    for _ in range(count):
        note_refused(session, clock.now(), SIGN_IN_REFUSED, user_id=user_id)
    return len(session.exec(select(AuditEntry)).all()) - before


def test_who_is_refused_without_end_fills_no_audit(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        assert _refusals(session, clock, None, 500) == 60
        assert _refusals(session, clock, 2, 1) == 1  # what strangers do hides nothing about our people
        clock.advance(timedelta(hours=1))
        assert _refusals(session, clock, None, 500) == 20


def test_refusals_are_forgotten_one_day_and_nothing_else_is(closed: Application, clock: FixedClock) -> None:
    with writing(closed.engine) as session:
        _refusals(session, clock, None, 10)
        note(session, clock.now(), DISABLED, user_id=2)
        clock.advance(REFUSALS_KEPT + timedelta(days=1))
        _refusals(session, clock, None, 1)
        actions = session.exec(select(AuditEntry.action).order_by(AuditEntry.action)).all()
        assert actions == [DISABLED, SIGN_IN_REFUSED]
