"""The templates of the pages. Everything printed is escaped and freed of control characters."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from autocapture.report.render import inline_svg, printed


def render(name: str, **values: Any) -> str:
    """A page by its template's name."""
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("autocapture.web"), PackageLoader("autocapture.report")]),
        autoescape=True,
        finalize=printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = inline_svg
    environment.globals["visit"] = None  # where a page is shown to nobody in particular
    return environment
