"""Walks what a reader sees of a summary: figures that stand outside a link, and the addresses that figures open to."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from sqlmodel import select

from autocapture.application import Application
from autocapture.model.measures import Publication
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.report.render import mail_html, page_file
from autocapture.report.summary import Summary
from autocapture.store.engine import reading
from autocapture.workflows.summarize import links

SILENT = ("style", "script", "title", "bdi", "svg", "nav", "header")
"""Not read as figures: what is not shown; the names of others, which may hold digits; charts, which draw the figures of the
table or the line beside them and tell them again in their alternative text; the pages' own menu."""
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*"
_TIME = re.compile(
    rf"[Ww]eek \d+(?:, \d{{4}})?|\d{{4}}-W\d\d|(?:FY)?\d{{0,4}}-?Q\d(?: \d{{4}})?|in \d{{4}}\b"
    rf"|{_MONTH} \d{{1,2}}(?:\s–\s(?:{_MONTH} )?\d{{1,2}})?(?:, \d{{4}})?|\d{{1,2}}(?:\s?–\s?\d{{1,2}})? {_MONTH}(?: \d{{4}})?"
    r"|\d{1,2}:\d\d(?::\d\d)?(?:\s[AaPp]\.?[Mm]\.?)?|UTC[+-]\d\d"
)
"""Dates, times and names of periods: they say when, and nothing is counted in them."""


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.within: list[str] = []
        self.bare: list[str] = []
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in (*SILENT, "a"):
            self.within.append(tag)
        if tag == "a":
            self.hrefs.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            del self.within[len(self.within) - 1 - self.within[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self.bare.append("\N{OBJECT REPLACEMENT CHARACTER}" if self.within else data)


def _read(html: str) -> _Reading:
    reading = _Reading()
    reading.feed(html)
    return reading


def figures_that_open_nowhere(html: str, summary: Summary) -> list[str]:
    """Every figure outside a link that is no date, time or name of a period, with the words around it."""
    text = re.sub(r"\s+", " ", "".join(_read(html).bare))
    for name in (summary.team, *(person.name for person in summary.people)):
        text = text.replace(name, "…")
    text = _TIME.sub("…", text)
    return [text[max(0, found.start() - 40) : found.end() + 40] for found in re.finditer(r"\d[\d.,]*", text)]


def unopened(app: Application) -> list[str]:
    """What opens nowhere of the saved file and the mail of every summary that was published."""
    with reading(app.engine) as session:
        told = [(links(app, one), summary_of(one)) for one in session.exec(select(Publication))]
    found: list[str] = []
    for address, summary in told:
        file = page_file(summary, Reader(), address.number)
        mail = mail_html(summary, Reader(), address.number, address.page(summary), lambda _chart: "cid:1")
        found += [*figures_that_open_nowhere(file, summary), *figures_that_open_nowhere(mail, summary)]
    assert told, "nothing was published"
    return found


def words(html: str) -> str:
    """What is read, without the elements in which it stands."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html)))


def addresses(html: str) -> set[str]:
    return {href for href in _read(html).hrefs if href and not href.startswith("#")}
