"""Time zones as calendars name them: IANA and Windows names, vendor prefixes, and rules written out
(VTIMEZONE).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from hashlib import blake2b
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from autocapture.errors import RecordUnusable
from autocapture.formats.charsets import one_line
from autocapture.formats.content_lines import Component, parse_component
from autocapture.formats.rules import Rule, Until, expand, parse_rule

ZONE_WANTED = frozenset({"TZID", "X-LIC-LOCATION", "TZOFFSETFROM", "TZOFFSETTO", "DTSTART", "RRULE", "RDATE"})
_UTC_NAMES = frozenset(
    {"Z", "UTC", "GMT", "ETC/UTC", "ETC/GMT", "TZONE://MICROSOFT/UTC", "COORDINATED UNIVERSAL TIME"}
)
_WINDOWS_ZONES = {name.casefold(): iana for name, iana in win_tz.items()}  # CLDR, windowsZones
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?")
_LOCAL = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z?")
_RULES_FROM, _RULES_TO = datetime(1968, 1, 1), datetime(2050, 1, 1)  # noqa: DTZ001 - wall-clock times
_COMPARED_FROM, _COMPARED_TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
_OBSERVANCES_LIMIT = 200
_CHANGES_LIMIT = 2_000  # two a year since 1970 are 160
_RULES_LIMIT = 60  # yearly rules of all zones of one stream; most zones have two
_NAMES_LIMIT = 500  # names of zones in one stream, each of which is looked for in files
_NAME_PARTS = 4
_NAME_LENGTH = 100
_TEXT_LIMIT = 8 << 10  # characters; it is kept with each series of the zone
_MONTHS_LIMIT = 2

Change = tuple[datetime, timedelta, timedelta]
"""The naive UTC instant, the offset before it and the offset from it on."""

Named = tuple[tzinfo, str | None]
"""A zone and its IANA name; None when it has none."""


class WrittenZone(tzinfo):
    """A zone whose changes were written out in a VTIMEZONE and that no IANA zone equals."""

    def __init__(self, name: str, changes: list[Change], text: str) -> None:
        """`changes` are (naive UTC instant, offset before, offset after), ascending and not empty. `text` is what
        `zone_of` reads the same zone from.
        """
        self.text = text
        self._name = name
        self._changes = changes
        self._instants = [instant for instant, _, _ in changes]
        self._offsets = [changes[0][1], *(after for _, _, after in changes)]
        # Where the new offset begins to hold on the wall clock: for the first and for the second reading
        # (PEP 495) of a time that occurs twice or never.
        self._walls = (
            [instant + max(before, after) for instant, before, after in changes],
            [instant + min(before, after) for instant, before, after in changes],
        )

    def utcoffset(self, when: datetime | None) -> timedelta:
        if when is None:
            return self._offsets[0]
        return self._offsets[bisect_right(self._walls[when.fold], when.replace(tzinfo=None, fold=0))]

    def fromutc(self, when: datetime) -> datetime:
        offset = self._offsets[bisect_right(self._instants, when.replace(tzinfo=None))]
        local = when + offset
        return local if self.utcoffset(local) == offset else local.replace(fold=1)

    def dst(self, _when: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _when: datetime | None) -> str:
        return self._name

    def __reduce__(self) -> tuple[type[WrittenZone], tuple[str, list[Change], str]]:
        return WrittenZone, (self._name, self._changes, self.text)

    def __repr__(self) -> str:
        """Tells zones of other rules apart, also of one name."""
        return f"WrittenZone({self._name!r}, {blake2b(self.text.encode(), digest_size=10).hexdigest()})"


class Zones:
    """The zones of one calendar stream, resolved once per name."""

    def __init__(self, components: list[Component], default: str) -> None:
        """`default` is an IANA name, for floating times. Raises ZoneInfoNotFoundError when there is no such
        zone.
        """
        self.default: Named = (ZoneInfo(default), default)
        self._written = {
            component.value("TZID"): component for component in components if component.name == "VTIMEZONE"
        }
        self._resolved: dict[str, Named] = {}
        self._rules_left = _RULES_LIMIT

    def named(self, name: str) -> Named:
        """The zone called `name`: by its IANA or Windows name, else by the rules written for it, else UTC
        without a name. So is what a stream names beyond its five hundredth.
        """
        if name not in self._resolved:
            if len(self._resolved) == _NAMES_LIMIT:
                return UTC, None
            self._resolved[name] = self._resolve(name.strip())
        return self._resolved[name]

    def _resolve(self, name: str) -> Named:
        written = self._written.get(name)
        location = written.value("X-LIC-LOCATION") if written else ""
        for candidate in (name, location):
            known = known_zone(candidate)
            if known is not None:
                return (UTC, "UTC") if known == "UTC" else (ZoneInfo(known), known)
        if written is not None:
            self._rules_left -= sum("RRULE" in each.properties for each in written.components)
            if self._rules_left < 0:
                return UTC, None
            try:
                return _written_zone(name, written, self.default)
            except (RecordUnusable, ValueError, OverflowError):
                pass  # rules that cannot be read say nothing
        return UTC, None


@lru_cache(maxsize=1024)
def known_zone(name: str) -> str | None:
    """The IANA name that `name` stands for: itself, a Windows zone (CLDR), or what a vendor's prefix leads
    to.
    """
    if not name or len(name) > 200:
        return None
    if name.upper() in _UTC_NAMES:
        return "UTC"
    if (windows := _WINDOWS_ZONES.get(name.casefold())) is not None:
        return windows
    parts = [part for part in name.split("/") if part]
    for begin in range(
        max(0, len(parts) - _NAME_PARTS), len(parts)
    ):  # "/mozilla.org/20070129_1/Europe/Berlin"
        candidate = "/".join(parts[begin:])
        if "/" in candidate or len(parts) == 1:
            try:
                return ZoneInfo(candidate).key
            except (ValueError, OSError, KeyError):
                continue
    return None


@lru_cache(maxsize=64)
def zone_of(text: str) -> WrittenZone | None:
    """The zone whose `WrittenZone.text` this is; None of anything else."""
    try:
        component = parse_component(text.encode(), ZONE_WANTED)
        changes = _changes(component)
    except (RecordUnusable, ValueError, OverflowError):
        return None
    return WrittenZone(component.value("TZID"), changes, text) if changes else None


def _written_zone(name: str, component: Component, default: Named) -> Named:
    changes = _changes(component)
    if not changes:
        return UTC, None
    if all(before == after for _, before, after in changes):
        return timezone(changes[0][2]), None
    zone = WrittenZone(name[:_NAME_LENGTH], changes, _text(name[:_NAME_LENGTH], component))
    if len(zone.text) > _TEXT_LIMIT:
        raise RecordUnusable("its time zone has too many rules")
    moments = _told_apart_at(changes)
    for candidate in (default[1] or "UTC", *dict.fromkeys(_WINDOWS_ZONES.values())):
        if _agree(zone, ZoneInfo(candidate), moments):
            return ZoneInfo(candidate), candidate
    return zone, None


def _text(name: str, component: Component) -> str:
    """What the component says of a zone, and nothing else of it."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{one_line(name)}"]
    for observance in component.components[:_OBSERVANCES_LIMIT]:
        said = [
            f"{name}:{one_line(prop.value)}"
            for name in sorted(ZONE_WANTED - {"TZID", "X-LIC-LOCATION"})
            for prop in observance.properties.get(name, ())
        ]
        lines += [f"BEGIN:{one_line(observance.name)}", *said, f"END:{one_line(observance.name)}"]
    return "\n".join([*lines, "END:VTIMEZONE", ""])


def _told_apart_at(changes: list[Change]) -> list[datetime]:
    """The instants at which a zone of these changes is compared with another: just before and at each change of the years
    compared, and in every half of a month, for what changes in the other alone.
    """
    at = [
        instant.replace(tzinfo=UTC) - early
        for instant, _, _ in changes
        for early in (timedelta(0), timedelta(seconds=1))
    ]
    halves = (
        datetime(year, month, day, tzinfo=UTC)
        for year in range(_COMPARED_FROM.year, _COMPARED_TO.year)
        for month in range(1, 13)
        for day in (1, 15)
    )
    return [*(moment for moment in at if _COMPARED_FROM <= moment < _COMPARED_TO), *halves]


def _agree(one: tzinfo, other: tzinfo, moments: list[datetime]) -> bool:
    return all(
        moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset() for moment in moments
    )


def _changes(component: Component) -> list[Change]:
    """Every change of offset from 1968 to 2050, and those before that are listed one by one."""
    found: dict[datetime, tuple[timedelta, timedelta]] = {}
    for observance in component.components[:_OBSERVANCES_LIMIT]:
        before, after = _offset(observance.value("TZOFFSETFROM")), _offset(observance.value("TZOFFSETTO"))
        onset = _local(observance.value("DTSTART"))
        if before is None or after is None or onset is None:
            continue
        for local in _onsets(observance, onset, before):
            found[local - before] = (before, after)
            if len(found) > _CHANGES_LIMIT:
                raise RecordUnusable(f"its time zone has more than {_CHANGES_LIMIT} changes")
    return [(instant, *found[instant]) for instant in sorted(found)]


def _onsets(observance: Component, onset: datetime, before: timedelta) -> list[datetime]:
    """The wall-clock times, of the offset `before`, at which one observance begins. A rule other than a yearly one is
    refused as hostile.
    """
    onsets = [onset]
    for prop in observance.properties.get("RDATE", ())[:_OBSERVANCES_LIMIT]:
        onsets += filter(None, (_local(value) for value in prop.value.split(",")[:_OBSERVANCES_LIMIT]))
    value = observance.value("RRULE")
    if value:
        rule = parse_rule(value)
        if rule.frequency != "YEARLY" or len(rule.months) > _MONTHS_LIMIT or not _names_a_month(rule):
            raise RecordUnusable("its time zone does not change yearly")
        last = min(_RULES_TO, _last_wall(rule.until, before)) if rule.until else _RULES_TO
        onsets += expand(rule, onset, first=_RULES_FROM, last=last)
    return onsets


def _last_wall(until: Until, before: timedelta) -> datetime:
    if until.is_date:
        return until.moment + timedelta(days=1, seconds=-1)
    return until.moment + before if until.utc else until.moment


def _names_a_month(rule: Rule) -> bool:
    """Whether the rule looks at one month, its own or that of the start, and not at every day of each year."""
    days = rule.weekdays or rule.month_days or rule.year_days or rule.week_numbers
    return bool(rule.months) or not days


def _offset(text: str) -> timedelta | None:
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return (-size if match[1] == "-" else size) if size < timedelta(hours=24) else None


def _local(text: str) -> datetime | None:
    match = _LOCAL.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall-clock time
