"""Telephone numbers as people and telephone systems write them, to E.164."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from babel.core import get_global

_EXTENSION_LONGEST = 6
_SEPARATORS = re.compile(r"[\s().\-/\u2010-\u2015]+")
_LENGTH_LIMIT = 64
_NATIONAL = "nat:"
_NATIONAL_SHORTEST = 7
_E164_LONGEST = 15


@lru_cache(maxsize=16_384)
def to_e164(raw: str, region: str | None) -> str | None:
    """`raw` as ``+`` and digits, an extension behind it dropped; None when it is no public number.

    `region` (ISO 3166, two letters) reads national forms; with None only international ones are read. Names,
    withheld numbers, internal extensions and service codes give None. Never raises.
    """
    text = raw.strip().removeprefix("tel:").removeprefix("sip:").partition("@")[0]
    if not text or len(text) > _LENGTH_LIMIT or is_extension(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_line_of_a_place(number: str) -> bool:
    """Whether a public number (E.164) is a fixed line, as an organisation has many of that begin alike: no mobile one, nor one of
    which its country's plan does not tell."""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
    return bool(kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.UAN))


def is_extension(raw: str) -> bool:
    """Whether `raw` is an internal line: up to six digits without a trunk or international prefix."""
    digits = _SEPARATORS.sub("", raw)
    return (
        digits.isascii()
        and digits.isdigit()
        and len(digits) <= _EXTENSION_LONGEST
        and not digits.startswith("0")
    )


def is_national(handle: str) -> bool:
    """Whether the handle is a number without its country (`national_handle`)."""
    return handle.startswith(_NATIONAL)


def national_handle(raw: str) -> str:
    """The handle of a number in a national form that its region cannot read, ``nat:02079460018``; empty for anything else.

    Of whom it is can be guessed at most: numbers of several countries end with these digits.
    """
    digits = _SEPARATORS.sub("", raw.strip().removeprefix("tel:"))
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _E164_LONGEST
    if not plain or digits.startswith("00") or len(digits.lstrip("0")) < _NATIONAL_SHORTEST:
        return ""
    return _NATIONAL + digits


@lru_cache(maxsize=1_024)
def national_readings(handle: str) -> frozenset[str]:
    """The public numbers (E.164) that a national one may be, one or two for each country; none for another handle."""
    if not is_national(handle):
        return frozenset()
    digits = handle.removeprefix(_NATIONAL)
    forms = {digits, digits.removeprefix("0")}  # most countries drop the trunk prefix, Italy keeps it
    return frozenset(f"+{code}{form}" for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for form in forms)


def region_of(time_zone: str) -> str | None:
    """The country in which an IANA zone lies, None when it lies in none or is unknown: a default for
    national numbers.
    """
    territory = get_global("zone_territories").get(time_zone)
    return territory if territory and len(territory) == 2 and territory.isalpha() else None
