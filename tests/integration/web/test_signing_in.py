"""Who signs in, who does not, and how long it holds."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlmodel import select
from tests.integration.web.tabs import PASSWORD, Tab

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.organization import User
from autocapture.model.sign_in import AuditEntry, Password, WebSession
from autocapture.store.engine import reading, writing
from autocapture.web.sign_in import same_site
from autocapture.workflows.people_access import set_active, sign_out_everywhere

REP, ADMIN = "rep@ours.example", "admin@ours.example"
NEW_PASSWORD = "eleven patient otters"


def _is_in(tab: Tab) -> bool:
    return tab.get("/me").status_code == 200


def test_the_pages_are_open_until_somebody_can_sign_in(app: Application, tab: Tab) -> None:
    assert tab.get("/").status_code == 200
    assert "until an admin can sign in" in tab.words
    assert tab.get("/me").headers["location"] == "/sign-in?next=/me"
    tab.get("/sign-in?next=/me")
    assert "autocapture users invite you@example.com --admin --print" in tab.words


@pytest.mark.usefixtures("closed")
def test_from_then_on_they_need_it(tab: Tab) -> None:
    assert tab.get("/").headers["location"] == "/sign-in"
    assert tab.get("/accounts?x=1").headers["location"] == "/sign-in?next=/accounts%3Fx%3D1"
    assert tab.get("/livez").status_code == 200
    tab.get("/sign-in")
    assert "--admin" not in tab.words


def test_they_stay_closed_whoever_is_disabled_later(closed: Application, tab: Tab) -> None:
    for user_id in (1, 2):
        set_active(closed, user_id, False)
    assert tab.get("/").is_redirect


@pytest.mark.usefixtures("closed")
def test_a_rep_signs_in_is_led_on_and_signs_out(tab: Tab) -> None:
    tab.get(tab.get("/accounts").headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', tab.shown.text)
    assert wanted is not None
    done = tab.send("/sign-in", email=" REP@ours.example", password=PASSWORD, next=wanted[1])
    assert done.headers["location"] == "/accounts"
    assert tab.get("/accounts").status_code == 200
    assert "Rita Ep" in tab.words
    assert tab.send("/sign-out").headers["location"] == "/sign-in"
    assert not _is_in(tab)


@pytest.mark.usefixtures("closed")
def test_an_unknown_address_and_a_wrong_password_are_told_the_same(tab: Tab) -> None:
    assert tab.sign_in(REP, "wrong password").status_code == 403
    known = tab.words.replace(REP, "")
    assert tab.sign_in("nobody@ours.example", "wrong password").status_code == 403
    assert tab.words.replace("nobody@ours.example", "") == known


@pytest.mark.usefixtures("closed")
def test_the_id_of_a_browser_is_another_one_after_signing_in(tab: Tab) -> None:
    tab.get("/sign-in")
    before = tab.cookies
    tab.sign_in(REP)
    assert before.keys() == tab.cookies.keys()
    assert before != tab.cookies


@pytest.mark.usefixtures("closed")
def test_an_id_that_was_planted_is_never_taken_for_a_session(tab: Tab, another: Tab) -> None:
    tab.get("/sign-in")
    another.client.cookies.update(tab.cookies)
    tab.sign_in(REP)
    assert not _is_in(another)


def test_no_session_id_is_stored(closed: Application, tab: Tab) -> None:
    tab.sign_in(REP)
    [browser_id] = tab.cookies.values()
    with reading(closed.engine) as session:
        [held] = session.exec(select(WebSession)).all()
    assert browser_id not in (held.id_hash, str(held))
    assert len(browser_id) >= 43


@pytest.mark.usefixtures("closed")
def test_the_cookie_is_for_this_site_alone_and_not_for_scripts(tab: Tab) -> None:
    told = tab.sign_in(REP).headers["set-cookie"]
    assert {part.strip().lower() for part in told.split(";")[1:]} >= {"httponly", "samesite=lax", "path=/"}


@pytest.mark.usefixtures("closed")
def test_a_session_ends_after_twelve_hours_without_use(clock: FixedClock, tab: Tab) -> None:
    tab.sign_in(REP)
    for _ in range(3):
        clock.advance(timedelta(hours=11, minutes=59))
        assert _is_in(tab)
    clock.advance(timedelta(hours=12))
    assert not _is_in(tab)


@pytest.mark.usefixtures("closed")
def test_a_session_ends_after_seven_days_however_it_is_used(clock: FixedClock, tab: Tab) -> None:
    tab.sign_in(REP)
    for _ in range(20):
        clock.advance(timedelta(hours=8))
        assert _is_in(tab)
    clock.advance(timedelta(hours=8))
    assert not _is_in(tab)


def test_a_disabled_user_is_out_at_the_next_request(closed: Application, tab: Tab) -> None:
    tab.sign_in(REP)
    set_active(closed, 2, False)
    assert not _is_in(tab)
    assert tab.sign_in(REP).status_code == 403
    set_active(closed, 2, True)
    assert not _is_in(tab)  # enabled again, but not signed in


def test_a_changed_role_ends_the_session(closed: Application, tab: Tab) -> None:
    tab.sign_in(REP)
    with writing(closed.engine) as session:
        user = session.get_one(User, 2)
        user.role = "manager"
        session.add(user)
    assert not _is_in(tab)


def test_a_changed_password_ends_every_other_session(closed: Application, tab: Tab, another: Tab) -> None:
    tab.sign_in(REP)
    another.sign_in(REP)
    tab.get("/me")
    changed = tab.send("/me/password", current=PASSWORD, password=NEW_PASSWORD, again=NEW_PASSWORD)
    assert changed.headers["location"] == "/me?changed=1"
    assert _is_in(tab)
    assert not _is_in(another)
    assert another.sign_in(REP).status_code == 403
    assert another.sign_in(REP, NEW_PASSWORD).is_redirect
    with reading(closed.engine) as session:
        assert NEW_PASSWORD not in str(session.exec(select(Password)).all())


@pytest.mark.usefixtures("closed")
def test_a_password_is_only_changed_by_who_knows_it(tab: Tab) -> None:
    tab.sign_in(REP)
    tab.get("/me")
    refused = tab.send("/me/password", current="guess", password=NEW_PASSWORD, again=NEW_PASSWORD)
    assert refused.status_code == 403
    assert tab.send("/me/password", current=PASSWORD, password=NEW_PASSWORD, again="x").status_code == 422
    short = tab.send("/me/password", current=PASSWORD, password="short", again="short")
    assert "at least 12 characters" in short.text
    assert tab.sign_in(REP).is_redirect


def test_an_admin_signs_out_everybody(closed: Application, tab: Tab, another: Tab) -> None:
    tab.sign_in(ADMIN)
    another.sign_in(REP)
    tab.get("/users")
    tab.send("/users/2/sign-out")
    assert (_is_in(tab), _is_in(another)) == (True, False)
    another.sign_in(REP)
    assert sign_out_everywhere(closed, None) == 2
    assert (_is_in(tab), _is_in(another)) == (False, False)


@pytest.mark.usefixtures("closed")
def test_who_signs_out_everywhere_is_out_in_every_browser(tab: Tab, another: Tab) -> None:
    tab.sign_in(REP)
    another.sign_in(REP)
    tab.get("/me")
    tab.send("/me/sign-out-everywhere")
    assert (_is_in(tab), _is_in(another)) == (False, False)


ELSEWHERE = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
    "https:evil.example", "http:/evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
    "javascript:alert(1)", "data:text/html,x", "evil.example", "", " /", "/ /x", "//", "/\\", "/\x00",
    "/x\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:x", "@evil.example", "/\u2215evil.example", "?next=//evil", "#//evil",
    "//evil.example/%2f..", "/x#@evil", "/'onmouseover=", "/\"><script>", "/\\/evil.example", "ftp://evil.example",
    "////evil.example", "/.//evil:80",
)  # fmt: skip


@pytest.mark.usefixtures("closed")
def test_nobody_is_led_elsewhere_after_signing_in(tab: Tab) -> None:
    assert {same_site(wanted) for wanted in ELSEWHERE} == {"/"}
    for wanted in ELSEWHERE[:3]:
        tab.get("/sign-in")
        led = tab.send("/sign-in", email=REP, password=PASSWORD, next=wanted)
        assert led.headers["location"] == "/"


@pytest.mark.parametrize(
    "wanted", ["/", "/accounts", "/summary/north/2026-W46", "/activities?page=2", "/n/1/x/a;b=1"]
)
def test_a_page_of_ours_is_led_to(wanted: str) -> None:
    assert same_site(wanted) == wanted


def test_what_was_done_is_written_down_without_content(closed: Application, tab: Tab) -> None:
    tab.sign_in(REP, "wrong")
    tab.sign_in(REP)
    tab.get("/me")
    tab.send("/sign-out")
    with reading(closed.engine) as session:
        told = [(row.action, row.user_id) for row in session.exec(select(AuditEntry).order_by(AuditEntry.id))]  # type: ignore[arg-type]
    assert told == [("sign-in refused", 2), ("signed in", 2), ("signed out", 2)]
