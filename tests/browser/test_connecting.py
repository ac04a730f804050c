"""From the sign-in to the first captured mail, in Chromium: Google's consent, what there is, the choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.chromium import marks, tab
from tests.integration.summary.organization import reopened
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.granting import GoogleWorld, at, google_world, with_google
from tests.integration.web.people import EMAILS
from tests.integration.web.tabs import PASSWORD

from autocapture.application import Application
from autocapture.workflows.capture import capture_account, due_accounts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = marks
REP = EMAILS[people.REP]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(tmp_path_factory.mktemp("connecting"))
    app = people.write(home)
    people.let_in(app, people.REP, people.ADMIN)
    app.engine.dispose()
    return home


@pytest.fixture(scope="module")
def google(home: Path) -> Iterator[GoogleWorld]:
    with google_world(reopened(home)) as world:
        world.server.person.address = REP
        world.services.add_user(REP)
        world.receive(40, newest=at("2026-11-15T12:00"), of=REP)
        yield world


@pytest.fixture(scope="module")
def app(home: Path, google: GoogleWorld) -> Application:
    app = with_google(reopened(home), google, home)
    google.server.clock = google.services.clock = app.clock
    return replace(app, settings=app.settings)


@pytest.fixture(scope="module")
def address(app: Application, google: GoogleWorld) -> Iterator[str]:
    with serving(app) as address:
        google.server.redirect_uris = {f"{address}/connect/google/callback"}
        yield address


@pytest.fixture
def page(browser: Browser, address: str, google: GoogleWorld) -> Iterator[Page]:
    with tab(browser, address, f"{google.server.url}/authorize") as page:
        page.goto("/sign-in")
        page.get_by_label("E-mail address").fill(REP)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        yield page


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def _number(page: Page, name: str) -> str:
    return page.locator(f"dt:text-is('{name}') + dd").inner_text()


def test_a_rep_connects_google_looks_chooses_and_is_captured(
    page: Page, app: Application, google: GoogleWorld
) -> None:
    page.get_by_role("link", name="Accounts", exact=True).click()
    page.get_by_role("link", name="Connect an account").click()
    page.get_by_role("button", name="Google").click()
    page.get_by_role("link", name="Allow").click()
    page.wait_for_url("**/accounts/*")
    assert page.get_by_role("heading", level=1).inner_text() == REP
    assert "Nothing is imported yet" in page.inner_text("main")
    assert page.get_by_label("Since").input_value() == "2026-08-18"
    for width in (400, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        assert _fits(page)
    page.get_by_label("Since").fill("2026-11-01")
    page.get_by_role("button", name="Begin").click()
    assert "Capture goes by it from now on" in page.get_by_role("status").inner_text()
    account_id = int(page.url.rpartition("/")[2].partition("?")[0])
    assert account_id in due_accounts(app)
    assert capture_account(app, account_id).status == "ok"
    page.reload()
    assert _number(page, "Captured") == "15"
    page.get_by_label("Since").fill("2026-11-10")
    page.get_by_role("button", name="Keep these choices").click()
    page.get_by_role("button", name="Purge it").click()
    assert _number(page, "Captured") == "6"
    page.goto("/accounts")
    assert page.get_by_role("link", name="Change what is captured").count() >= 1


def test_the_forms_of_other_servers_are_there_and_fit(page: Page) -> None:
    for width in (400, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/connect")
        for summary in page.locator("summary").all():
            summary.click()
        assert _fits(page)
    assert page.get_by_label("Host").is_visible()
    assert page.get_by_label("Security").locator("option").all_inner_texts() == ["tls", "starttls", "none"]
