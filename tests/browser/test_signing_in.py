"""From the invitation to the sign-out, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.chromium import marks, tab
from tests.integration.summary.organization import reopened
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.people import EMAILS

from autocapture.application import Application
from autocapture.workflows.invitations import invite, users_to_invite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = marks
PASSWORD = "eleven patient otters"
ADMIN, REP = EMAILS[people.ADMIN], EMAILS[people.REP]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Application:
    home = Path(tmp_path_factory.mktemp("signing in"))
    people.write(home).engine.dispose()
    app = reopened(home)
    smtp = app.settings.smtp.model_copy(update={"host": ""})  # links are shown, not mailed
    return Application(
        settings=app.settings.model_copy(update={"smtp": smtp}),
        clock=app.clock,
        engine=app.engine,
        vault=app.vault,
        registry=app.registry,
    )


@pytest.fixture(scope="module")
def address(app: Application) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as page:
        yield page


def _path(link: str) -> str:
    return link[link.index("/link/") :]


def _choose(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Once more").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()


def _sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def _overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture(scope="module")
def let_in(app: Application, address: str, browser: Browser) -> None:
    """The admin follows the first link, invites a rep, and signs out."""
    [admin] = users_to_invite(app, ADMIN)
    with tab(browser, address) as page:
        _choose(page, _path(invite(app, admin, by_mail=False).address))
        page.get_by_role("link", name="Users").click()
        page.get_by_role("button", name="Invite Anna Berg").click()
        link = page.locator(".moved code").inner_text()
        page.get_by_role("button", name="Sign out", exact=True).click()
        assert page.get_by_role("heading").inner_text() == "Sign in"
        page.goto("/users")
        assert page.url.endswith("/sign-in?next=/users")
        _choose(page, _path(link))
        assert page.get_by_role("link", name="Anna Berg").count() == 1


@pytest.mark.usefixtures("let_in")
def test_an_invited_rep_signs_in_and_sees_their_own(page: Page) -> None:
    _sign_in(page, REP)
    assert page.get_by_role("link", name="Users").count() == 0
    page.get_by_role("link", name="My activities").click()
    page.locator("tbody a").first.click()
    assert page.locator("h2").first.inner_text() == "Who took part"
    page.get_by_role("link", name="Accounts", exact=True).click()
    assert page.locator("tbody tr").count() == 1
    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts")
    assert page.url.endswith("/sign-in?next=/accounts")


@pytest.mark.usefixtures("let_in")
def test_scripts_cannot_read_the_cookie_and_other_pages_cannot_send_forms(page: Page, address: str) -> None:
    _sign_in(page, REP)
    assert page.evaluate("document.cookie") == ""
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    page.goto("about:blank")
    page.set_content(f'<form method="post" action="{address}/sign-out"><button>Win a prize</button></form>')
    page.get_by_role("button").click()
    page.wait_for_load_state()
    assert "not signed in" in page.inner_text("main")  # the browser sent no cookie
    page.goto("/me")
    assert page.get_by_role("heading", level=1).inner_text() == "Anna Berg"


@pytest.mark.usefixtures("let_in")
def test_a_wrong_password_is_said_and_the_address_stays(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(REP)
    page.get_by_label("Password").fill("something else")
    page.keyboard.press("Enter")
    assert "do not belong together" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("E-mail address").input_value() == REP
    assert page.evaluate("document.activeElement.name") == "password"


@pytest.mark.usefixtures("let_in")
@pytest.mark.parametrize("width", [360, 1200])
def test_every_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/sign-in", "/forgotten", "/link/x"):
        page.goto(path)
        assert not _overflows(page), path
    _sign_in(page, ADMIN)
    for path in ("/me", "/users", "/accounts", "/activities"):
        page.goto(path)
        assert not _overflows(page), path
        assert page.locator("h1").count() == 1
