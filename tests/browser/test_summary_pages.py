"""A manager opens the summary in Chromium, clicks a number, sees its rows and follows one to its activity."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.chromium import marks, tab
from tests.integration.summary.organization import WEEK, application, reopened
from tests.integration.summary.serving import serving

from autocapture.report import charts
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.report.render import mail_html
from autocapture.workflows.summarize import links, publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = marks
HOSTILE = "<script>document.title='ran'</script><img src=//evil.example/x onerror=\"document.title='ran'\">"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(tmp_path_factory.mktemp("browser"))
    publish(application(home, subject=HOSTILE, rep=f"Anna {HOSTILE}"), team_id=1, week=WEEK)
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    app = reopened(home)
    with serving(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as page:
        yield page


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


@pytest.mark.parametrize("width", [768, 900])
def test_no_column_of_the_people_is_out_of_sight_in_a_narrow_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/summary/north/{WEEK}")
    box = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(box) == [0]


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


@pytest.mark.parametrize("path", ["/accounts", f"/summary/north/{WEEK}", "number", "activity"])
def test_nothing_is_cut_off_on_a_telephone(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(path if path.startswith("/") else f"/summary/north/{WEEK}")
    if path in ("number", "activity"):
        page.locator(".tiles li", has_text="Emails sent").locator("a.n").click()
    if path == "activity":
        page.locator("#rows tbody a").first.click()
    page.wait_for_load_state()
    hidden = "[...document.querySelectorAll('.scroll, .fall, html')].filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.evaluate(hidden) == 0


def test_the_state_of_an_account_is_seen_first_on_a_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/accounts")
    card = page.locator("tbody tr", has_text="Carla")
    cells = card.locator("td")
    assert cells.first.inner_text().splitlines()[0] == "needs to be reconnected"
    box = cells.first.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360


def test_the_mail_fits_a_telephone(browser: Browser, home: Path) -> None:
    app = reopened(home)
    publication = publish(app, team_id=1, week=WEEK)
    html = mail_html(
        summary_of(publication),
        Reader("sv", "Europe/Stockholm"),
        links(app, publication).number,
        "http://127.0.0.1/",
        lambda chart: f"data:image/png;base64,{b64encode(charts.png(chart)).decode()}",
    )
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    tab.set_content(html)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    rows = tab.evaluate(
        "[...document.querySelectorAll('td, th')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
    )
    assert rows == []
    tab.close()
