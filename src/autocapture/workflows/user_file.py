"""The file of our people, read and judged: ``email,name,team,manager,role,time_zone,locale,aliases,phones``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from babel.core import Locale, UnknownLocaleError

from autocapture.crm.cells import Unreadable, parse_email, parse_mailbox, split_list
from autocapture.crm.read import csv_records, decode, trouble_of
from autocapture.crm.rows import Place, Remark, Value
from autocapture.errors import InputError
from autocapture.formats.phone import is_extension, region_of, to_e164
from autocapture.model.organization import ROLES

COLUMNS = ("email", "name", "team", "manager", "role", "time_zone", "locale", "aliases", "phones")
_REQUIRED = ("email", "name")
_DEFAULTS = {"role": "rep", "time_zone": "UTC", "locale": "en"}
EXTENSION = "ext:"


@dataclass(frozen=True, slots=True)
class UserRow:
    """One accepted row: the columns that the file has, by name."""

    email: str
    values: Mapping[str, Value]
    place: Place


@dataclass(slots=True)
class UserFile:
    rows: dict[str, UserRow] = field(default_factory=dict)
    refused: list[Remark] = field(default_factory=list)
    refused_emails: dict[str, Place] = field(default_factory=dict)

    def refuse(self, email: str, place: Place, reason: str) -> None:
        self.refused.append(Remark(place, reason))
        if email and email not in self.rows:
            self.refused_emails.setdefault(email, place)


def read_users(content: bytes, file: str, known: Mapping[str, str]) -> UserFile:
    """The rows of a user file. `known` gives the owner (an address) of every handle that the database holds.

    Lists are separated by `;`. Refused with line and reason: what cannot be read, an address or number of somebody else, a
    manager who is nobody, and whoever names a refused manager. Raises InputError where the file itself does not fit.
    """
    text = decode(content, "utf-8", file, "save it as CSV in UTF-8")
    first = text.partition("\n")[0]
    records = csv_records(text, ";" if "," not in first and ";" in first else ",", file)
    _, header = next(records, (1, []))
    names = [name.strip().lower() for name in header]
    _check_header(names, file)
    found = UserFile()
    for line, cells in records:
        place = Place(file, line)
        if trouble := trouble_of(cells, len(names)):
            found.refuse("", place, trouble)
            continue
        _read_user(dict(zip(names, (cell.strip() for cell in cells), strict=True)), place, found)
    _refuse_shared_handles(found, known)
    _refuse_lost_managers(found, set(known.values()))
    return found


def handles_of(row: UserRow) -> Iterable[str]:
    """Every address, number and extension that a row claims."""
    yield row.email
    for name in ("aliases", "phones"):
        values = row.values.get(name)
        yield from values if isinstance(values, tuple) else ()


def _check_header(names: list[str], file: str) -> None:
    for name in names:
        if name not in COLUMNS or names.count(name) > 1:
            trouble = "twice the column" if name in COLUMNS else "the unknown column"
            raise InputError(f"{file} has {trouble} {name!r}; the columns are: {','.join(COLUMNS)}")
    for name in _REQUIRED:
        if name not in names:
            raise InputError(f"{file} has no column {name!r}; the columns are: {','.join(COLUMNS)}")


def _read_user(cells: Mapping[str, str], place: Place, found: UserFile) -> None:
    email = ""
    try:
        email = parse_mailbox(cells["email"])
        if email in found.rows:
            raise Unreadable(f"duplicate email {email!r}: first on line {found.rows[email].place.line}")
        values = {name: _value(name, cells) for name in COLUMNS[1:] if name in cells}
    except Unreadable as problem:
        found.refuse(email, place, str(problem))
        return
    aliases = values.get("aliases")
    if isinstance(aliases, tuple):
        values["aliases"] = tuple(alias for alias in aliases if alias != email)
    found.rows[email] = UserRow(email, values, place)
    found.refused_emails.pop(email, None)


def _value(name: str, cells: Mapping[str, str]) -> Value:
    text = cells[name] or _DEFAULTS.get(name, "")
    match name:
        case "name" if not text:
            raise Unreadable("name is missing")
        case "manager":
            return parse_email(text) if text else None
        case "role":
            return _checked(text.lower(), ROLES.__contains__, f"role {text!r} is none of {', '.join(ROLES)}")
        case "time_zone":
            return _checked(text, _is_zone, f"time_zone {text!r} is not a time zone of the IANA database")
        case "locale":
            return _checked(text, _is_locale, f"locale {text!r} is unknown")
        case "aliases":
            return tuple(sorted({parse_email(item) for item in split_list(text, ";")}))
        case "phones":
            region = region_of(cells.get("time_zone", ""))
            return tuple(sorted({_phone(item, region) for item in split_list(text, ";")}))
    return text or None


def _checked(text: str, holds: Callable[[str], bool], reason: str) -> str:
    if not holds(text):
        raise Unreadable(reason)
    return text


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _is_locale(name: str) -> bool:
    try:
        Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _phone(text: str, region: str | None) -> str:
    """E.164, or ``ext:12`` for an internal line."""
    line = text.lower().removeprefix(EXTENSION).strip()
    if is_extension(line):
        return EXTENSION + "".join(letter for letter in line if letter.isdigit())
    number = to_e164(text, region)
    if number is None:
        raise Unreadable(f"invalid phone {text!r}; write it with its country code")
    return number


def _refuse_shared_handles(found: UserFile, known: Mapping[str, str]) -> None:
    """A handle names one person: the one who has it in the database unless the file takes it away, else the first."""
    owners = {
        handle: email
        for handle, email in known.items()
        if handle == email or email not in found.rows or handle in handles_of(found.rows[email])
    }
    for email, row in list(found.rows.items()):
        for handle in handles_of(row):
            owner = owners.setdefault(handle, email)
            if owner != email:
                del found.rows[email]
                found.refuse(email, row.place, f"{handle!r} belongs to {owner}")
                break


def _refuse_lost_managers(found: UserFile, known: set[str]) -> None:
    while True:
        lost = [(row, reason) for row in found.rows.values() if (reason := _lost(row, found, known))]
        if not lost:
            return
        for row, reason in lost:
            del found.rows[row.email]
            found.refuse(row.email, row.place, reason)


def _circle(row: UserRow, found: UserFile) -> str | None:
    """Whether somebody is their own manager, directly or through others."""
    above: list[str] = []
    manager = row.values.get("manager")
    while isinstance(manager, str) and manager in found.rows and manager not in above:
        above.append(manager)
        manager = found.rows[manager].values.get("manager")
    if row.email not in above:
        return None
    if above[0] == row.email:
        return "a user cannot be their own manager"
    return f"a user cannot be their own manager, by way of {', '.join(above[: above.index(row.email)])}"


def _lost(row: UserRow, found: UserFile, known: set[str]) -> str | None:
    manager = row.values.get("manager")
    if manager is None or manager in found.rows:
        return _circle(row, found)
    if manager in found.refused_emails:
        return f"manager {manager!r} was refused ({found.refused_emails[str(manager)]})"
    if manager not in known:
        return f"unknown manager {manager!r}"
    return None
