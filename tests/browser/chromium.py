"""Chromium, where it is installed, and a tab that complains."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_REFUSED = "the server responded with a status of 4"  # of the page itself, which the test looks at
marks = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium is installed: the pages are not tried in a browser"
    ),
]


@contextmanager
def tab(browser: Browser, address: str, *elsewhere_allowed: str) -> Iterator[Page]:
    """A tab in which a request to anywhere else, or a complaint of the page, fails the test."""
    context = browser.new_context(base_url=address, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    ours = (f"{address}/", "data:", *elsewhere_allowed)
    elsewhere: list[str] = []
    complaints: list[str] = []
    page.on(
        "request",
        lambda request: elsewhere.append(request.url) if not request.url.startswith(ours) else None,
    )
    page.on("console", lambda message: None if _REFUSED in message.text else complaints.append(message.text))
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    yield page
    context.close()
    assert elsewhere == []
    assert complaints == []
