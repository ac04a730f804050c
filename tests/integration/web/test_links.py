"""One-time links: invitations, and new passwords for forgotten ones."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlmodel import select
from tests.integration.summary.mailbox import Mailbox, mailbox
from tests.integration.summary.serving import serving
from tests.integration.web.people import let_in
from tests.integration.web.tabs import PASSWORD, Tab

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.model.organization import User
from autocapture.model.sign_in import SignInLink
from autocapture.store.engine import reading
from autocapture.workflows.invitations import ask_for_reset, invite, make_admin, users_to_invite
from autocapture.workflows.people_access import set_active
from autocapture.workflows.sign_in import Refused, sign_in

ADMIN, REP = "admin@ours.example", "rep@ours.example"
CHOSEN = "eleven patient otters"


def _invite(app: Application, email: str) -> str:
    """The path of a new link for somebody."""
    [user] = users_to_invite(app, email)
    return invite(app, user, by_mail=False).address.removeprefix("http://127.0.0.1:8000")


def _choose(tab: Tab, path: str, password: str = CHOSEN, again: str | None = None) -> int:
    tab.get(path)
    return tab.send(path, password=password, again=password if again is None else again).status_code


def test_the_first_admin_sets_a_password_and_is_in(app: Application, tab: Tab, another: Tab) -> None:
    path = _invite(app, ADMIN)
    assert "Welcome, Ada Min" in tab.get(path).text.replace("<bdi>", "").replace("</bdi>", "")
    assert another.get("/").status_code == 200
    assert _choose(tab, path) == 303
    assert "Users" in tab.get("/").text
    assert another.get("/").is_redirect
    assert another.sign_in(ADMIN, CHOSEN).is_redirect


def test_a_link_works_once(app: Application, tab: Tab, another: Tab) -> None:
    path = _invite(app, ADMIN)
    another.get(path)
    assert _choose(tab, path) == 303
    assert another.send(path, password="another good one", again="another good one").status_code == 410
    assert another.get(path).status_code == 410


def test_looking_at_a_link_does_not_use_it(app: Application, tab: Tab) -> None:
    path = _invite(app, ADMIN)
    for _ in range(3):
        assert tab.get(path).status_code == 200
    assert tab.client.head(path).status_code == 200
    assert _choose(tab, path) == 303


def test_a_link_ends_after_seven_days(app: Application, clock: FixedClock, tab: Tab) -> None:
    path = _invite(app, ADMIN)
    clock.advance(timedelta(days=7) - timedelta(seconds=1))
    assert tab.get(path).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert tab.send(path, password=CHOSEN, again=CHOSEN).status_code == 410


def test_a_newer_link_ends_the_one_before(app: Application, tab: Tab) -> None:
    first, second = _invite(app, ADMIN), _invite(app, ADMIN)
    assert tab.get(first).status_code == 410
    assert tab.get(second).status_code == 200


def test_a_link_of_somebody_disabled_does_not_work(closed: Application, tab: Tab) -> None:
    path = _invite(closed, REP)
    set_active(closed, 2, False)
    assert tab.get(path).status_code == 410


def test_a_link_does_not_outlive_the_disabling_of_its_owner(closed: Application, tab: Tab) -> None:
    path = _invite(closed, REP)
    set_active(closed, 2, False)
    set_active(closed, 2, True)
    assert tab.get(path).status_code == 410
    assert tab.get(_invite(closed, REP)).status_code == 200


def test_an_invented_link_does_not_work(tab: Tab) -> None:
    for path in ("/link/x", "/link/%00", "/link/" + "a" * 43, "/link/" + "a" * 200, "/link/%ff"):
        assert tab.get(path).status_code in (404, 410)


def test_a_bad_password_leaves_the_link_as_it_was(app: Application, tab: Tab) -> None:
    path = _invite(app, ADMIN)
    for password, again in (("short", None), ("admin@ours.example", None), (CHOSEN, "something else")):
        assert _choose(tab, path, password, again) == 422
    assert _choose(tab, path) == 303


def test_the_token_of_a_link_is_not_stored(app: Application) -> None:
    path = _invite(app, ADMIN)
    with reading(app.engine) as session:
        [link] = session.exec(select(SignInLink)).all()
    token = path.removeprefix("/link/")
    assert token not in str(link)
    assert len(token) >= 43


def test_a_link_signs_out_whoever_used_the_browser(closed: Application, tab: Tab, another: Tab) -> None:
    tab.sign_in(ADMIN)
    another.client.cookies.update(tab.cookies)
    assert _choose(tab, _invite(closed, REP)) == 303
    assert "Rita Ep" in tab.get("/me").text
    assert another.get("/me").is_redirect


def test_nobody_is_invited_before_the_first_admin(app: Application) -> None:
    with pytest.raises(InputError, match="--admin"):
        _invite(app, REP)
    let_in(app, 1)
    assert _invite(app, REP)


def test_all_are_invited_who_cannot_sign_in_yet(app: Application) -> None:
    let_in(app, 1)
    assert [user.email for user in users_to_invite(app, None)] == [REP]
    _invite(app, REP)
    assert users_to_invite(app, None) == []


def test_an_admin_can_be_made_of_anybody_and_of_nobody_known(app: Application) -> None:
    make_admin(app, " New@ours.example ")
    make_admin(app, REP)
    with reading(app.engine) as session:
        roles = {user.email: user.role for user in session.exec(select(User))}
    assert roles == {ADMIN: "admin", REP: "admin", "new@ours.example": "admin"}
    for wrong in (
        "",
        "x",
        "@x",
        "x@",
        "a b@c.example",
        "a@b\r\nBcc: c@d.example",
        "a@b@c.example",
        "a..b@c.example",
    ):
        with pytest.raises(InputError):
            make_admin(app, wrong)


def test_an_admin_invites_on_the_page_and_is_told_the_link(closed: Application, tab: Tab) -> None:
    tab.sign_in(ADMIN)
    tab.get("/users")
    told = tab.send("/users/2/invite", headers=None)
    assert (
        told.headers["location"] == "/users?asked=1"
    )  # a mail server is set: the link is for its owner alone
    assert "/link/" not in tab.get("/users?asked=1").text
    smtp = closed.settings.smtp.model_copy(update={"host": ""})
    silent = replace(closed, settings=closed.settings.model_copy(update={"smtp": smtp}))
    with serving(silent) as address, Tab(address) as other:
        other.sign_in(ADMIN)
        other.get("/users")
        assert "http://127.0.0.1:8000/link/" in other.send("/users/2/invite").text


def _with_mail(app: Application, box: Mailbox) -> Application:
    smtp = app.settings.smtp.model_copy(update={"port": box.port})
    return replace(app, settings=app.settings.model_copy(update={"smtp": smtp}))


def test_an_invitation_is_mailed_to_the_address_of_its_owner(closed: Application) -> None:
    with mailbox() as box:
        app = _with_mail(closed, box)
        [user] = users_to_invite(app, REP)
        made = invite(app, user)
    [mail] = box.messages
    assert made.handover is not None
    assert made.handover.state == "sent"
    assert mail["to"] == "Rita Ep <rep@ours.example>"
    assert made.address in mail.get_content()


def _arrived(box: Mailbox) -> EmailMessage:
    """The one mail that comes: it is sent after the page was answered."""
    ends = time.monotonic() + 20
    while not box.raw:
        assert time.monotonic() < ends, "no mail came"
        time.sleep(0.02)
    [mail] = box.messages
    return mail


def _forget(tab: Tab, email: str) -> int:
    tab.get("/forgotten")
    return tab.send("/forgotten", email=email).status_code


def test_a_forgotten_password_is_replaced_by_a_mailed_link(
    closed: Application, clock: FixedClock, another: Tab
) -> None:
    another.sign_in(REP)
    with mailbox() as box, serving(_with_mail(closed, box)) as address, Tab(address) as tab:
        told = []
        for email in (REP, "nobody@ours.example"):
            assert _forget(tab, email) == 200
            told.append(tab.words)
        assert told[0] == told[1]
        mail = _arrived(box)
        [path] = [
            f"/link/{word.partition('/link/')[2]}" for word in mail.get_content().split() if "/link/" in word
        ]
        assert another.get("/me").status_code == 200  # until the link is used nothing changes
        assert _choose(tab, path) == 303
    assert another.get("/me").is_redirect
    assert another.sign_in(REP, PASSWORD).status_code == 403
    assert another.sign_in(REP, CHOSEN).is_redirect
    path = _invite(closed, REP)
    clock.advance(timedelta(hours=2))
    assert another.get(path).status_code == 200  # an invitation lasts longer than a reset


def test_a_mailed_reset_ends_after_an_hour(closed: Application, clock: FixedClock, tab: Tab) -> None:
    made = ask_for_reset(closed, REP, "127.0.0.1")
    assert made is not None
    path = made[1].address("")
    clock.advance(timedelta(minutes=59))
    assert tab.get(path).status_code == 200
    clock.advance(timedelta(minutes=1))
    assert tab.get(path).status_code == 410


def test_nobody_fills_a_mailbox_with_links(closed: Application, clock: FixedClock) -> None:
    asked = [ask_for_reset(closed, REP, f"198.51.100.{source}") for source in range(10)]
    assert sum(made is not None for made in asked) == 3
    assert ask_for_reset(closed, ADMIN, "198.51.100.1") is not None
    clock.advance(timedelta(minutes=20))
    assert ask_for_reset(closed, REP, "198.51.100.1") is not None


def test_a_stranger_who_asks_for_a_new_password_ends_no_invitation(closed: Application, tab: Tab) -> None:
    path = _invite(closed, REP)
    made = ask_for_reset(closed, REP, "198.51.100.9")
    assert made is not None
    assert tab.get(path).status_code == 200
    assert _choose(tab, path) == 303
    assert tab.get(made[1].address("")).status_code == 410  # of what was mailed, nothing is left over


@pytest.mark.parametrize(
    "email", ["", "\x00", "rep@ours.example\x00", "a" * 100_000, "\ud7ff\u202e", "' OR 1=1 --"]
)
def test_what_is_no_address_is_nobodys(closed: Application, email: str) -> None:
    assert isinstance(sign_in(closed, email, PASSWORD, "192.0.2.1"), Refused)
    assert ask_for_reset(closed, email, "192.0.2.1") is None
