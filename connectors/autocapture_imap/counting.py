"""How many messages a folder holds from each year, before any is read."""

from __future__ import annotations

from datetime import date

from autocapture_imap.session import Session

MOST_LISTED = 200_000
"""A SEARCH answers with every UID it finds; a folder that holds more is not asked by year."""

_YEARS = 20


def by_year(session: Session, messages: int, this_year: int, scope: tuple[str, ...]) -> dict[int, int]:
    """Messages of the open folder by the year in which the server received them, the newest first, until none is left; what is
    older than twenty years counts for the last of them. Empty for a folder that is too large to be asked."""
    found: dict[int, int] = {}
    if messages > MOST_LISTED:
        return found
    left = messages
    for year in range(this_year, this_year - _YEARS, -1):
        if left <= 0:
            break
        first = ("SINCE", date(year, 1, 1)) if year > this_year - _YEARS + 1 else ()
        until = ("BEFORE", date(year + 1, 1, 1)) if year < this_year else ()
        number = len(session.search(*(scope or ("ALL",)), *first, *until))
        left -= number
        if number:
            found[year] = number
    return found
