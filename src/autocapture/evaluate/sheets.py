"""The CSV files of a world: which columns each has, and how a cell is read and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from autocapture.evaluate.world import Company, Contact, Deal, DealContact, StageChange, Truth, User
from autocapture.formats.phone import is_extension, region_of, to_e164

SEPARATOR = ";"


class WrongCell(ValueError):
    """A cell does not hold what its column needs; the message says what is wrong, in a few words."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `refers` names the file whose keys its entries must be; `needed` says that no cell may be empty.

    A column that a file lacks counts as empty; only a needed one must be there.
    """

    name: str
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str
    needed: bool = False
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file: a row is a `value` whose fields are the columns. The first column is what others refer to."""

    file: str
    value: type
    columns: Sequence[Column]
    unique: bool = True


def instant(text: str) -> datetime | None:
    """ISO 8601 with offset; None for an empty cell."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WrongCell(f"{text!r} is no time of ISO 8601") from None
    if found.tzinfo is None:
        raise WrongCell(f"{text!r} has no offset; write it as 2026-03-02T09:30:00+01:00")
    return found


def _written_instant(value: datetime | None) -> str:
    return value.isoformat() if value else ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(SEPARATOR) if (word := part.strip()))


def _flag(text: str) -> bool:
    if text not in ("0", "1", ""):
        raise WrongCell(f"{text!r} is neither 0 nor 1")
    return text == "1"


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise WrongCell(f"{text!r} is no number") from None


def _address(text: str) -> str:
    local, at, domain = text.lower().partition("@")
    if not local or not at or "." not in domain:
        raise WrongCell(f"{text!r} is no mail address")
    return text.lower()


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(_address(word) for word in _words(text))


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text or "UTC").key
    except (KeyError, ValueError, OSError):
        raise WrongCell(f"{text!r} is no time zone of the IANA database") from None


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise WrongCell(f"{text!r} is none of {', '.join(known[1:])} and not empty")
        return text

    return read


def readable_phones(user: User) -> User:
    """The user, whose numbers are checked where their zone is known. Raises WrongCell."""
    for number in user.phones:
        line = number.lower().removeprefix("ext:")
        if not is_extension(line) and to_e164(number, region_of(user.time_zone)) is None:
            raise WrongCell(f"phones: {number!r} is no phone number; write it with its country code")
    return user


_KEY = Column("key", needed=True)
_NAME = Column("name")


def _list(name: str, refers: str = "") -> Column:
    return Column(name, _words, SEPARATOR.join, refers=refers)


def _time(name: str, *, needed: bool = False) -> Column:
    return Column(name, instant, _written_instant, needed=needed)


USERS = Sheet(
    "users.csv",
    User,
    (
        Column("email", _address, needed=True),
        _NAME,
        Column("aliases", _addresses, SEPARATOR.join),
        Column("team"),
        _list("phones"),
        Column("time_zone", _zone),
    ),
)
COMPANIES = Sheet(
    "companies.csv",
    Company,
    (
        _KEY,
        Column("name", needed=True),
        _list("domains"),
        Column("partner", _flag, lambda value: str(int(value))),
    ),
)
CONTACTS = Sheet(
    "contacts.csv",
    Contact,
    (
        _KEY,
        _NAME,
        Column("emails", _addresses, SEPARATOR.join),
        _list("phones"),
        Column("company", refers="companies.csv"),
        _time("created_at"),
    ),
)
DEALS = Sheet(
    "deals.csv",
    Deal,
    (
        _KEY,
        _NAME,
        Column("company", refers="companies.csv"),
        Column("owner", str.lower, refers="users.csv"),
        Column("pipeline"),
        _time("created_at", needed=True),
        _time("closed_at"),
        Column("outcome", _one_of("", "won", "lost")),
        Column("amount", _amount, lambda value: "" if value is None else str(value)),
        Column("currency"),
        _list("products"),
        _list("references"),
    ),
)
DEAL_CONTACTS = Sheet(
    "deal_contacts.csv",
    DealContact,
    (
        Column("deal", needed=True, refers="deals.csv"),
        Column("contact", needed=True, refers="contacts.csv"),
        Column("role"),
        _time("since"),
        Column("source", _one_of("", "crm", "autocapture")),
    ),
    unique=False,
)
STAGE_CHANGES = Sheet(
    "stage_changes.csv",
    StageChange,
    (
        Column("deal", needed=True, refers="deals.csv"),
        Column("stage", needed=True),
        _time("at", needed=True),
    ),
    unique=False,
)
TRUTH = Sheet(
    "truth.csv",
    Truth,
    (
        Column("activity", needed=True, refers="activities.jsonl"),
        _list("people", refers="contacts.csv"),
        _list("company", refers="companies.csv"),
        Column("deal"),
        Column("admitted", _flag, lambda value: str(int(value)), needed=True),
        Column("reason"),
        _list("cases"),
    ),
)
CRM = (COMPANIES, CONTACTS, DEALS, DEAL_CONTACTS, STAGE_CHANGES)
"""In the order in which they are read: what a file refers to stands before it."""
