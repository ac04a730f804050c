"""Whether a file that somebody names as a calendar is one, told from its beginning."""

from __future__ import annotations

import re
from pathlib import Path

from autocapture.errors import SetupError

_BEGINNING = 64 << 10
_BEGUN = re.compile(rb"BEGIN:[ \t]*V(?:CALENDAR|EVENT)", re.IGNORECASE)


def refuse_other_files(path: Path) -> None:
    """Raises SetupError for a file that is no calendar. A folder passes, since its files are named by their ending."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            content = file.read(_BEGINNING)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    if not is_calendar(content):
        raise SetupError(f"{path} {NO_CALENDAR}")


NO_CALENDAR = "is not an iCalendar file: it does not begin with BEGIN:VCALENDAR"


def is_calendar(content: bytes) -> bool:
    """Whether a calendar or an event begins at the beginning of the file. Another one would be read as a calendar without
    events, and what was captured from it would count as gone. An empty file passes: a program may be about to write it."""
    begins = content[:_BEGINNING]
    return not begins.strip() or _BEGUN.search(begins) is not None
