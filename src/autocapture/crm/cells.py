"""One cell of an export to one value: text, lists, days and instants, handles and domains. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo

from autocapture.crm.mapping import Layout
from autocapture.formats.handles import canonical_email
from autocapture.sections import is_mailbox

FIRST_YEAR, LAST_YEAR = 1970, 2200
EMPTY = frozenset({"", "null", "none", "n/a", "#n/a", "-", "--"})
"""What an export writes for no value, compared in lower case, where a number, date, reference or handle is expected."""

_TRUE = frozenset({"1", "true", "yes", "y", "x", "ja", "oui", "sí", "si"})
_FALSE = frozenset({"0", "false", "no", "n", "nee", "nein", "non"})
_LOCAL_PART = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f]{1,64}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Unreadable(ValueError):
    """The cell does not hold what its field needs; the message says so in a few words."""


def is_empty(text: str) -> bool:
    return text.strip().lower() in EMPTY


def split_list(text: str, separators: str) -> tuple[str, ...]:
    """The entries of a list cell, trimmed, without empty ones and repeats, in their order."""
    entries = (entry.strip() for entry in re.split(f"[{re.escape(separators)}\r\n]", text))
    return tuple(dict.fromkeys(entry for entry in entries if not is_empty(entry)))


def parse_flag(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE or word in EMPTY:
        return False
    raise Unreadable(f"{text!r} is neither yes nor no")


def parse_day(text: str, layout: Layout) -> date:
    """A day, by the layout's format or ISO 8601; of an instant, its day as written. Raises Unreadable."""
    found = parse_instant(text, layout)
    return found.date() if isinstance(found, datetime) else found


def parse_instant(text: str, layout: Layout) -> datetime | date:
    """An instant (aware: the layout's zone where none is written), or a date where the cell holds no time of day."""
    text = text.strip()
    for reading in (_by_format, _by_date_format, _by_iso):
        found = reading(text, layout)
        if found is not None:
            break
    else:
        raise Unreadable(f"unreadable date {text!r}")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Unreadable(f"unreadable date {text!r}: the year {found.year} cannot be meant")
    if isinstance(found, datetime) and found.tzinfo is None:
        found = found.replace(tzinfo=layout.zone)
    return found


def _by_format(text: str, layout: Layout) -> datetime | None:
    return None if layout.datetime_format is None else _strptime(text, layout.datetime_format)


def _by_date_format(text: str, layout: Layout) -> datetime | date | None:
    whole = _strptime(text, layout.date_format)
    if whole is not None:
        return whole.date()
    return _strptime(text, f"{layout.date_format} %H:%M") or _strptime(text, f"{layout.date_format} %H:%M:%S")


def _by_iso(text: str, _layout: Layout) -> datetime | date | None:
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def _strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007  the zone is the layout's, given by the caller
    except ValueError:
        return None


def at_start(value: datetime | date, zone: tzinfo) -> datetime:
    """The instant in UTC; a day begins at midnight in `zone`."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=zone)
    return value.astimezone(UTC)


def parse_email(text: str) -> str:
    """A canonical address (`formats.handles.canonical_email`). Raises Unreadable where it could not be mailed to."""
    address = canonical_email(text)
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local) or not _is_domain(domain):
        raise Unreadable(f"invalid email {text!r}")
    return address


def parse_mailbox(text: str) -> str:
    """As `parse_email`, of somebody whom we mail: what the header of a mail holds. Raises Unreadable."""
    address = parse_email(text)
    if not is_mailbox(address):
        raise Unreadable(f"invalid email {text!r}")
    return address


def parse_domain(text: str) -> str:
    """A mail domain: lower case, IDNA-encoded, without scheme, path, port, `www.` and a leading `@`. Raises Unreadable."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.strip().lower())
    host = re.split(r"[/?#:]", host, maxsplit=1)[0].rpartition("@")[2].removeprefix("www.")
    domain = canonical_email(f"x@{host}").removeprefix("x@")
    if not _is_domain(domain):
        raise Unreadable(f"invalid domain {text!r}")
    return domain


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return (
        len(domain) <= 253
        and len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def each(parse: Callable[[str], str], text: str, separators: str) -> tuple[str, ...]:
    """A list cell, every entry canonical, sorted, without repeats. Raises Unreadable for the first bad entry."""
    return tuple(sorted({parse(entry) for entry in split_list(text, separators)}))
