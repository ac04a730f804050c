"""Resources read by calendar-multiget (RFC 4791, 7.9), and by GET where a server does not give them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from autocapture.connect.transport import TooLarge
from autocapture.connector import Broken, Gone, Record
from autocapture.errors import Unreachable
from autocapture_caldav.addresses import at, item_id, item_path
from autocapture_caldav.bodies import calendar_multiget
from autocapture_caldav.calendars import Calendar
from autocapture_caldav.listing import version_of
from autocapture_caldav.multistatus import CALDAV, DAV, Multistatus, read_multistatus
from autocapture_caldav.resources import read_resource
from autocapture_caldav.session import Dav
from autocapture_caldav.xml_reading import Unintelligible

AT_ONCE = 50

Answer = Record | Gone | Broken


class Reader:
    """Reads the resources of calendars. `time_zone` is the rep's, for calendars that have none."""

    def __init__(self, dav: Dav, time_zone: str) -> None:
        self._dav = dav
        self._time_zone = time_zone
        self._one_by_one = False  # the server refuses calendar-multiget

    def read(self, calendar: Calendar, names: Sequence[str]) -> dict[str, Answer]:
        """One answer for each name. Raises Unreachable where a server that fails gives none of several."""
        paths = {name: item_path(calendar.path, name) for name in dict.fromkeys(names)}
        answers: dict[str, Answer] = {
            name: Broken(name, "its address is too long, or is none")
            for name, path in paths.items()
            if path is None
        }
        asked = {name: path for name, path in paths.items() if path is not None}
        failed: list[str] = []
        for part in parts(list(asked), AT_ONCE):
            left = self._read_together(calendar, {name: asked[name] for name in part}, answers)
            failed += [name for name in left if not self._read_alone(calendar, name, asked[name], answers)]
        if len(failed) == len(asked) > 1:
            raise Unreachable("the CalDAV server gives none of the calendar's items")
        for name in failed:
            answers[name] = Broken(name, "the CalDAV server fails to give it")
        return answers

    def _read_together(
        self, calendar: Calendar, paths: Mapping[str, str], answers: dict[str, Answer]
    ) -> list[str]:
        """Puts what one question tells into `answers`; where its answer fails, two halves are asked for, until the one that
        breaks it stands alone. The names that are still without an answer.
        """
        waiting, left = [list(paths)], list[str]()
        while waiting:
            names = waiting.pop()
            found = None if self._one_by_one else self._multiget(calendar, [paths[name] for name in names])
            if found is not None:
                answers.update(self._told(calendar, found, set(names)))
                left += [name for name in names if name not in answers]
            elif len(names) == 1 or self._one_by_one:
                left += names
            else:
                middle = len(names) // 2
                waiting += [names[:middle], names[middle:]]
        return left

    def _multiget(self, calendar: Calendar, paths: Sequence[str]) -> Multistatus | None:
        """None where nothing of the answer can be used."""
        try:
            answer = self._dav.ask("REPORT", calendar.url, calendar_multiget(paths))
        except TooLarge:
            return None
        if 300 <= answer.status < 500:
            self._one_by_one = True
        if answer.status != 207:
            return None
        try:
            return read_multistatus(answer.body)
        except Unintelligible:
            return None

    def _told(self, calendar: Calendar, found: Multistatus, wanted: set[str]) -> Iterator[tuple[str, Answer]]:
        for response in found.responses:
            name = item_id(calendar.path, response.href, calendar.url)
            if name not in wanted:
                continue
            data = response.properties.get(f"{CALDAV}calendar-data")
            if response.status in (404, 410):
                yield name, Gone(name)
            elif data is not None and data.text.strip():
                etag = version_of(response.text(f"{DAV}getetag"))
                yield name, self._resource(calendar, name, data.text.encode(), etag)

    def _read_alone(self, calendar: Calendar, name: str, path: str, answers: dict[str, Answer]) -> bool:
        """By GET. Whether the server answered."""
        try:
            answer = self._dav.ask("GET", at(calendar.url, path))
        except TooLarge:
            answers[name] = Broken(name, "it is larger than any answer may be")
            return True
        if answer.status >= 500:
            return False
        if answer.status in (404, 410):
            answers[name] = Gone(name)
        elif answer.status == 200:
            answers[name] = self._resource(calendar, name, answer.body, version_of(answer.etag))
        else:
            answers[name] = Broken(name, f"the CalDAV server refuses to give it ({answer.status})")
        return True

    def _resource(self, calendar: Calendar, name: str, raw: bytes, version: str | None) -> Answer:
        return read_resource(name, raw, version, calendar.zone or self._time_zone)


def parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """As many at once as a server is asked for."""
    return (names[begin : begin + size] for begin in range(0, len(names), size))
