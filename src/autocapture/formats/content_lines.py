"""The lines and components of iCalendar (RFC 5545, 3.1 to 3.6), read leniently and in time linear in their
length.

A stream is cut into its events first, and each is read by itself, so a broken or an endless one costs itself
alone. Only the properties asked for are looked at, so an enormous description costs one search. Nesting is a
list, not the interpreter's stack, so its depth cannot hurt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from autocapture.errors import RecordUnusable
from autocapture.formats.charsets import decode

CALENDAR_LIMIT = 64 << 20
EVENTS_LIMIT = 100_000
"""Events of one stream: a full diary of some fifty years."""
LINES_LIMIT = 50_000
"""Lines of one component that are looked at; 5,000 guests and 20,000 dates are fewer."""
LINE_LIMIT = 1 << 20
LINE_EFFORT = 100
"""What a line costs beside its bytes, in bytes of a long one; the unit of every effort here."""
EFFORT_LIMIT = 10 << 20
"""Of the lines of one series that are looked at: some 50,000 guests of all its exceptions together, read within a second."""

_RULE_EFFORT = 16 << 10  # two years of days are looked at where many are invited
_PARAMETERS_LIMIT = 50
_SIMPLE_NAME = 40  # characters; what is remembered of names is bounded
_ZONES_LIMIT = 500
_ZONE_LIMIT = 256 << 10
_BOM = b"\xef\xbb\xbf"
_FOLD = re.compile(rb"\r?\n[ \t]")
# "tzone://Microsoft/Utc" is written without the quotes that its colon needs.
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*+"|://|[^";:]++)*+)')
_PARAMETER_NAME = re.compile("[A-Za-z0-9-]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET = re.compile(r"\^([n'^])")
_CARETS = {"n": "\n", "'": '"', "^": "^"}
_MARK = (
    rb"(?i:(?P<edge>BEGIN|END):[ \t]*(?P<name>VCALENDAR|VEVENT|VTIMEZONE)[ \t]*\r?(?=\n|\Z)"
    rb"|METHOD(?:;[^\n:]*)?:(?P<method>[^\r\n]*))"
)
_FIRST_MARK, _LATER_MARK = re.compile(_MARK), re.compile(rb"\n" + _MARK)


@dataclass(frozen=True, slots=True)
class Property:
    """One content line. `parameters` have upper-case names; `value` is as written, still escaped."""

    value: str
    parameters: dict[str, str] = field(default_factory=dict)

    def text(self, limit: int) -> str:
        """The beginning of the value as TEXT (RFC 5545, 3.3.11), unescaped; at most `limit` characters."""
        return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value[: 2 * limit])[
            :limit
        ]


@dataclass(slots=True)
class Component:
    """A component with the wanted properties, in order, by upper-case name. `looked_at`: the effort of reading these, those
    of what is nested in it too.
    """

    name: str
    looked_at: int = 0
    properties: dict[str, list[Property]] = field(default_factory=dict)
    components: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        found = self.properties.get(name)
        return found[0] if found else None

    def value(self, name: str) -> str:
        """The trimmed value of the first such property, empty when there is none."""
        found = self.first(name)
        return found.value.strip() if found else ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where one component lies in its stream. `cancelled`: its calendar is a cancellation (RFC 5546, 3.2.5)."""

    begins: int
    ends: int
    cancelled: bool = False


@dataclass(slots=True)
class _Cutter:
    """What has been cut so far. A component that is not closed ends where the next one begins."""

    events: list[tuple[int, int, int]] = field(default_factory=list)  # begins, ends, number of the calendar
    zones: list[Span] = field(default_factory=list)
    cancellations: set[int] = field(default_factory=set)
    calendar: int = 0
    name: bytes = b""  # of the open component
    begins: int = 0

    def close(self, ends: int) -> None:
        if self.name == b"VEVENT":
            self.events.append((self.begins, ends, self.calendar))
        elif self.name == b"VTIMEZONE":
            self.zones.append(Span(self.begins, ends))
        self.name = b""


def cut(raw: bytes) -> tuple[list[Span], list[Span]]:
    """Where the events and the time zones of a stream lie, each with its BEGIN line.

    Raises RecordUnusable when it is over 64 MiB or holds more than `EVENTS_LIMIT` events.
    """
    if len(raw) > CALENDAR_LIMIT:
        raise RecordUnusable(f"it is larger than {CALENDAR_LIMIT >> 20} MiB")
    found = _Cutter()
    for mark, begins in _marks(with_line_feeds(raw)):
        edge, name, method = mark.group("edge", "name", "method")
        if method is not None:
            if not found.name and method.strip().upper() == b"CANCEL":
                found.cancellations.add(found.calendar)
            continue
        name = name.upper()
        begun = edge.upper() == b"BEGIN"
        if found.name and (begun or name in (found.name, b"VCALENDAR")):
            found.close(begins if begun else mark.end())
        if begun:
            found.calendar += name == b"VCALENDAR"
            found.name, found.begins = (b"" if name == b"VCALENDAR" else name), begins
        if len(found.events) > EVENTS_LIMIT:
            raise RecordUnusable(f"it holds more than {EVENTS_LIMIT:,} events")
    found.close(len(raw))
    events = [Span(begins, ends, number in found.cancellations) for begins, ends, number in found.events]
    return events, [zone for zone in found.zones[:_ZONES_LIMIT] if zone.ends - zone.begins <= _ZONE_LIMIT]


def _marks(raw: bytes) -> Iterator[tuple[re.Match[bytes], int]]:
    """The lines that matter for cutting, and where each begins."""
    start = len(_BOM) if raw.startswith(_BOM) else 0
    if (first := _FIRST_MARK.match(raw, start)) is not None:
        yield first, start
    for mark in _LATER_MARK.finditer(raw, start):
        yield mark, mark.start() + 1


def with_line_feeds(raw: bytes) -> bytes:
    """`raw` of the same length with line feeds: some old programs end lines with a carriage return alone."""
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def parse_component(block: bytes, wanted: frozenset[str]) -> Component:
    """The component whose BEGIN line `block` begins with, what is nested in it too, with the properties named
    in `wanted`.

    One left open at the end counts as read, a stray END is ignored. Raises RecordUnusable for one of more than
    `LINES_LIMIT` lines that matter, or of more than `EFFORT_LIMIT`.
    """
    block = with_line_feeds(block)
    root = Component(_name(block[6:].partition(b"\n")[0]))
    open_components = [root]
    for number, match in enumerate(_lines(wanted).finditer(block)):
        if number == LINES_LIMIT:
            raise RecordUnusable(f"it has more than {LINES_LIMIT:,} lines")
        name, rest = _upper(match[1]), match[2]
        if name == "BEGIN":
            component = Component(_name(rest[1:]))
            open_components[-1].components.append(component)
            open_components.append(component)
        elif name == "END":
            if len(open_components) > 1 and open_components[-1].name == _name(rest[1:]):
                open_components.pop()
        elif len(rest) <= LINE_LIMIT:
            line = _FOLD.sub(b"", rest) if b"\n" in rest else rest
            root.looked_at += len(line) + LINE_EFFORT
            if root.looked_at > EFFORT_LIMIT:
                raise RecordUnusable("it holds more than any meeting needs")
            prop = _property(decode(line.removesuffix(b"\r"), None))
            open_components[-1].properties.setdefault(name, []).append(prop)
    return root


def effort_of(block: bytes) -> int:
    """What reading a component may cost at most: its bytes, and what its lines and rules cost beside them."""
    lines = max(block.count(b"\n"), block.count(b"\r"))
    return len(block) + LINE_EFFORT * lines + _RULE_EFFORT * block.upper().count(b"RRULE")


@lru_cache(maxsize=256)
def _upper(name: bytes) -> str:
    return name.decode().upper()


@lru_cache(maxsize=8)
def _lines(wanted: frozenset[str]) -> re.Pattern[bytes]:
    """A line and its continuations (RFC 5545, 3.1), joined before they are decoded: a fold may cut a character
    in two.
    """
    names = "|".join(sorted({"BEGIN", "END", *wanted})).encode()
    return re.compile(rb"\n((?i:" + names + rb"))(?=[:;])([^\n]*+(?:\n[ \t][^\n]*+)*+)")


def _name(text: bytes) -> str:
    return text[:100].strip().decode("ascii", "replace").upper()


def _property(line: str) -> Property:
    """The property of a line without its name."""
    if (simple := _simple(line)) is not None:
        return simple
    parameters: dict[str, str] = {}
    position = 0
    while len(parameters) < _PARAMETERS_LIMIT and (match := _PARAMETER.match(line, position)) is not None:
        value = match[2].replace('"', "")
        parameters[match[1].upper()] = (
            _CARET.sub(lambda found: _CARETS[found[1]], value) if "^" in value else value
        )
        position = match.end()
    if line[position : position + 1] != ":":  # a colon or semicolon where it needed quotes
        position = max(line.find(":", position), position)
    return Property(line[position + 1 :], parameters)


def _simple(line: str) -> Property | None:
    """What nearly every line is: no quotes, no escapes, each parameter a name and a value. None for any other."""
    head, colon, value = line.partition(":")
    if not colon or '"' in head or "^" in head or value.startswith("//"):
        return None
    if not head:
        return Property(value)
    written = head[1:].split(";")
    if head[0] != ";" or len(written) > _PARAMETERS_LIMIT:
        return None
    parameters = {}
    for each in written:
        name, equals, given = each.partition("=")
        known = _parameter_name(name) if len(name) <= _SIMPLE_NAME else None
        if not equals or known is None:
            return None
        parameters[known] = given
    return Property(value, parameters)


@lru_cache(maxsize=256)
def _parameter_name(name: str) -> str | None:
    return name.upper() if _PARAMETER_NAME.fullmatch(name) else None
