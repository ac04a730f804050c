"""The lines and components of iCalendar (RFC 5545, 3.1 to 3.6), read leniently and in time linear in their
length.

Only the properties asked for are looked at, so an enormous description costs one search. Nesting is a list,
not the interpreter's stack, so its depth cannot hurt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from autocapture.errors import RecordUnusable
from autocapture.formats.charsets import decode

CALENDAR_LIMIT = 64 << 20
LINE_LIMIT = 1 << 20

_FOLD = re.compile(rb"\n[ \t]")
_NAME = re.compile(rb"[A-Za-z0-9-]+")
# "tzone://Microsoft/Utc" is written without the quotes that its colon needs.
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*+"|://|[^";:]++)*+)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET = re.compile(r"\^([n'^])")
_CARETS = {"n": "\n", "'": '"', "^": "^"}


@dataclass(frozen=True, slots=True)
class Property:
    """One content line. `parameters` have upper-case names; `value` is as written, still escaped."""

    value: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value as TEXT (RFC 5545, 3.3.11), unescaped."""
        return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


@dataclass(slots=True)
class Component:
    """A component with the wanted properties, in order, by upper-case name."""

    name: str
    properties: dict[str, list[Property]] = field(default_factory=dict)
    components: list[Component] = field(default_factory=list)
    parent: str = ""

    def first(self, name: str) -> Property | None:
        found = self.properties.get(name)
        return found[0] if found else None

    def value(self, name: str) -> str:
        """The trimmed value of the first such property, empty when there is none."""
        found = self.first(name)
        return found.value.strip() if found else ""


def parse_components(raw: bytes, wanted: frozenset[str]) -> list[Component]:
    """Every component of a stream in order of appearance, nested ones too, with the properties named in
    `wanted`.

    A component left open at the end counts as read. Raises RecordUnusable when the stream is over 64 MiB.
    """
    if len(raw) > CALENDAR_LIMIT:
        raise RecordUnusable(f"the calendar is larger than {CALENDAR_LIMIT >> 20} MiB")
    found: list[Component] = []
    open_components: list[Component] = []
    for line in _unfolded(raw):
        name_match = _NAME.match(line)
        if name_match is None:
            continue
        name = name_match[0].decode().upper()
        if name == "BEGIN":
            parent = open_components[-1] if open_components else None
            component = Component(_name(line[6:]), parent=parent.name if parent else "")
            if parent is not None:
                parent.components.append(component)
            found.append(component)
            open_components.append(component)
        elif name == "END":
            _close(open_components, _name(line[4:]))
        elif name in wanted and open_components and len(line) <= LINE_LIMIT:
            prop = _property(decode(line, None), name_match.end())
            open_components[-1].properties.setdefault(name, []).append(prop)
    return found


def _close(open_components: list[Component], name: str) -> None:
    """Closes the innermost component; a stray END that names another one is ignored."""
    if open_components and open_components[-1].name == name:
        open_components.pop()


def _name(text: bytes) -> str:
    return text[:100].strip().decode("ascii", "replace").upper()


def _unfolded(raw: bytes) -> list[bytes]:
    """The lines, joined before they are decoded: a fold may cut a character in two (RFC 5545, 3.1)."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _FOLD.sub(b"", raw).split(b"\n")


def _property(line: str, position: int) -> Property:
    parameters: dict[str, str] = {}
    while (match := _PARAMETER.match(line, position)) is not None:
        value = match[2].replace('"', "")
        parameters[match[1].upper()] = (
            _CARET.sub(lambda found: _CARETS[found[1]], value) if "^" in value else value
        )
        position = match.end()
    if line[position : position + 1] != ":":  # a colon or semicolon where it needed quotes
        position = max(line.find(":", position), position)
    return Property(line[position + 1 :], parameters)
