"""A manager opens the summary in Chromium, clicks a number, sees its rows and follows one to its activity."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.summary.organization import WEEK, application
from tests.integration.summary.serving import serving

from autocapture.workflows.summarize import publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium is installed: the pages are not tried in a browser"
    ),
]
HOSTILE = "<script>document.title='ran'</script><img src=//evil.example/x onerror=\"document.title='ran'\">"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = application(Path(tmp_path_factory.mktemp("browser")), subject=HOSTILE, rep=f"Anna {HOSTILE}")
    publish(app, team_id=1, week=WEEK)
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A tab in which a request to anywhere else, or a complaint of the page, fails the test."""
    context = browser.new_context(base_url=address, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    elsewhere: list[str] = []
    complaints: list[str] = []
    page.on(
        "request", lambda request: elsewhere.append(request.url) if not _ours(request.url, address) else None
    )
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    yield page
    context.close()
    assert elsewhere == []
    assert complaints == []


def _ours(url: str, address: str) -> bool:
    return url.startswith((f"{address}/", "data:"))


def test_from_the_summary_to_the_message_behind_a_number(page: Page) -> None:
    page.goto("/")
    page.locator("main a").first.click()
    tile = page.locator(".tiles li", has_text="Meetings held").locator("a.n")
    value = tile.inner_text()
    tile.click()
    assert page.locator("#number").inner_text() == value
    assert page.locator("#total").inner_text() == value
    assert page.locator("#rows tbody tr").count() == int(value)
    page.locator("#rows tbody a").first.click()
    assert page.locator("h2").all_inner_texts() == ["Who took part", "Matched to", "Where it was seen"]


def test_hostile_names_and_subjects_do_not_run(page: Page, address: str) -> None:
    for path in ("/", f"/summary/north/{WEEK}", "/accounts"):
        page.goto(path)
        assert "ran" not in page.title().split()
    page.goto(f"/summary/north/{WEEK}")
    page.locator(".tiles li", has_text="Emails sent").locator("a.n").click()
    assert page.title() == "Emails sent · autocapture"
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_summary_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/summary/north/{WEEK}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_read_aloud_in_order(page: Page) -> None:
    page.goto(f"/summary/north/{WEEK}")
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    pictures = page.get_by_role("img")
    assert pictures.count() > 8
    for place in range(pictures.count()):
        assert pictures.nth(place).get_attribute("aria-label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
