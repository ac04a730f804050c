"""Whether a file that somebody names as a calendar is one, told from its beginning."""

from __future__ import annotations

import re
from pathlib import Path

from autocapture.errors import SetupError

_BEGINNING = 64 << 10
_BEGUN = re.compile(rb"BEGIN:[ \t]*V(?:CALENDAR|EVENT)", re.IGNORECASE)


def refuse_other_files(path: Path) -> None:
    """Raises SetupError for a file in whose beginning no calendar and no event begins.

    It would be read as a calendar without events, and what was captured from it would count as gone. An empty file passes: a
    program may be about to write it. A folder passes, since its files are named by their ending.
    """
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            begins = file.read(_BEGINNING)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    if begins.strip() and not _BEGUN.search(begins):
        raise SetupError(f"{path} is not an iCalendar file: it does not begin with BEGIN:VCALENDAR")
