"""A summary in its three forms, from one view: the page, the mail's HTML, the mail's plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autocapture.report import charts
from autocapture.report.charts import PAGE, PAPER, Chart
from autocapture.report.numbers import Number
from autocapture.report.reader import Reader
from autocapture.report.summary import Adjusted, Summary
from autocapture.report.view import view

TEMPLATES = "templates"
STATIC = Path(__file__).parent / "static"
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_KEPT = {"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}", "\N{SOFT HYPHEN}"}


def shown(text: str) -> str:
    """`text` without what could act instead of being read: control characters, line ends, direction overrides."""
    return "".join(" " if _acts(letter) else letter for letter in text)


def _acts(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN and letter not in _KEPT


def printed(value: Any) -> Any:
    """Passes every printed value through `shown`; markup made by us is left alone. For Jinja's `finalize`."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def inline_svg(chart: Chart) -> Markup:
    """The chart for a page, silent to screen readers: the element around it says its alternative text.

    Its texts are numbers and our own words; nothing foreign enters a chart.
    """
    return Markup(charts.svg(chart).replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704


@cache
def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("autocapture.report", TEMPLATES),
        autoescape=html,  # noqa: S701  plain text has nothing to escape
        finalize=printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = inline_svg
    return environment


def page_file(
    summary: Summary, reader: Reader, link: Callable[[Number], str], since: Sequence[Adjusted] = ()
) -> str:
    """The summary as one HTML file that needs nothing else, with what became of its numbers since it was told."""
    css = Markup((STATIC / "page.css").read_text(encoding="utf-8"))  # noqa: S704  our own sheet
    template = _environment(html=True).get_template("summary_file.html")
    return template.render(v=view(summary, reader, link, PAGE, since), css=css)


def mail_html(
    summary: Summary, reader: Reader, link: Callable[[Number], str], page: str, cid: Callable[[Chart], str]
) -> str:
    """The mail's HTML, its style written into the elements. `cid` names the place where a chart's picture is attached."""
    import css_inline

    css = Markup((files("autocapture.report") / TEMPLATES / "mail.css").read_text(encoding="utf-8"))  # noqa: S704
    told = view(summary, reader, link, PAPER)
    html = _environment(html=True).get_template("mail.html").render(v=told, page=page, css=css, cid=cid)
    return str(css_inline.inline(html))


def mail_text(summary: Summary, reader: Reader, link: Callable[[Number], str], page: str) -> str:
    """The mail's plain text."""
    template = _environment(html=False).get_template("mail.txt")
    return template.render(v=view(summary, reader, link, PAPER), page=page)
