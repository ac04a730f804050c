"""XML as servers send it, read without trust: no document type, hence no entities, and every size bounded.

The parser is expat, fed the whole text at once. It resolves nothing, and what it gives is a small tree of strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from autocapture.formats.charsets import decode

DEEPEST = 60
MOST_ELEMENTS = 20_000
"""Elements of one lifted part: the properties of one resource are a dozen."""
MOST_PARTS = 100_000
"""As many as a calendar may have events (`formats.content_lines`): a full diary of some fifty years."""

_DECLARED = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")


class Unintelligible(Exception):
    """The text is not XML that may be read. The message says why, and quotes nothing."""


@dataclass(slots=True)
class Element:
    """One element. `name` is written ``{namespace}name``; `text` is all its own text."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        return next((each for each in self.children if each.name == name), None)

    def all(self, name: str) -> list[Element]:
        return [each for each in self.children if each.name == name]

    def text_of(self, name: str) -> str:
        """The trimmed text of the first such child, empty where there is none."""
        found = self.child(name)
        return found.text.strip() if found else ""


def read_xml(
    body: bytes, *, part: str = "", lift: Callable[[Element], None] = lambda _element: None
) -> Element:
    """The root of the document. Elements named `part` directly below it are handed to `lift` one by one and not kept, so that
    a long answer costs no more memory than its parts. Raises Unintelligible.
    """
    reader = _Reader(part, lift)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(_text(body), True)
    except expat.ExpatError as error:
        raise Unintelligible(f"it is not well-formed XML (line {error.lineno})") from None
    except (UnicodeError, ValueError):
        raise Unintelligible("it is not text") from None
    return reader.root


def _refuse(*_declaration: object) -> None:
    raise Unintelligible("it declares a document type")


def _text(body: bytes) -> str:
    """The document as text, without the characters that XML 1.0 forbids (2.2): some servers pass on what others wrote."""
    text = next((body.decode(codec, "replace") for mark, codec in _MARKS if body.startswith(mark)), None)
    if text is None:
        declared = _DECLARED.match(body)
        text = decode(body, declared[1].decode() if declared else "utf-8")
    return _CONTROLS.sub("", _REFERENCE.sub(_allowed, text) if "&#" in text else text)


def _allowed(reference: re.Match[str]) -> str:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    plain = (
        code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    )
    return reference[0] if plain else ""


class _Reader:
    """Builds the tree. The open elements are a list, not the interpreter's stack, so depth cannot hurt."""

    def __init__(self, part: str, lift: Callable[[Element], None]) -> None:
        self.root = Element("")
        self._part = part
        self._lift = lift
        self._open: list[tuple[Element, list[str]]] = []
        self._elements = 0
        self._parts = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= DEEPEST or self._elements > MOST_ELEMENTS:
            raise Unintelligible("it is nested too deeply, or has too many elements")
        self._open.append((Element("{" + name if "}" in name else name, attributes), []))

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, _name: str) -> None:
        element, pieces = self._open.pop()
        element.text = "".join(pieces)
        if not self._open:
            self.root = element
        elif len(self._open) == 1 and element.name == self._part:
            self._elements, self._parts = 1, self._parts + 1
            if self._parts > MOST_PARTS:
                raise Unintelligible("it has too many parts")
            self._lift(element)
        else:
            self._open[-1][0].children.append(element)
