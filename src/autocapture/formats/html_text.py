"""HTML of mail to plain text, in time linear in its length; enough to read and match, not to render."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"""</?([a-zA-Z][a-zA-Z0-9]*+)(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""")
_TAG_LIMIT = 2_000
_HIDDEN = frozenset({"script", "style", "head", "title", "template"})
_LINE = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "hr", "pre", "section"}
) | {f"h{level}" for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\r\f\v\xa0\n]+")
_BLANKS = re.compile(r" *\n[ \n]*\n *| *\n *")


def html_to_text(markup: str) -> str:
    """The words of `markup`: tags, comments, scripts and styles dropped, blocks on lines of their own. Never
    raises.
    """
    pieces: list[str] = []
    lowered = markup.lower()
    position, length = 0, len(markup)
    while position < length:
        start = markup.find("<", position)
        if start < 0:
            start = length
        pieces.append(_SPACE.sub(" ", html.unescape(markup[position:start])))
        if start == length:
            break
        position, mark = _skip_markup(markup, lowered, start)
        pieces.append(mark)
    return _BLANKS.sub(lambda run: "\n\n" if run[0].count("\n") > 1 else "\n", "".join(pieces)).strip()


def _skip_markup(markup: str, lowered: str, start: int) -> tuple[int, str]:
    """Where the markup that begins at `start` ends, and what it leaves in the text."""
    if markup.startswith("<!--", start):
        return _after(markup, "-->", start), ""
    if markup.startswith(("<!", "<?"), start):
        return _after(markup, ">", start), ""
    # The bounded look-ahead keeps hostile quotes from making every tag scan the whole rest.
    tag = _TAG.match(markup, start, min(len(markup), start + _TAG_LIMIT))
    if tag is None:
        if markup[start + 1 : start + 2].isalpha() or markup.startswith("</", start):
            return _after(markup, ">", start), ""
        return start + 1, "<"
    name = tag[1].lower()
    if name in _HIDDEN and markup[start + 1] != "/":
        closing = lowered.find(f"</{name}", tag.end())
        return (len(markup), "") if closing < 0 else (_after(markup, ">", closing), "")
    return tag.end(), "\n" if name in _LINE else ""


def _after(markup: str, mark: str, start: int) -> int:
    found = markup.find(mark, start)
    return len(markup) if found < 0 else found + len(mark)
