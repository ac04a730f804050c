"""Bytes of mail and calendars to clean text, whatever their label claims."""

from __future__ import annotations

import codecs
import re

# Real senders label a superset by its subset's name, or use names that Python does not know.
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "windows-874": "cp874",
    "x-mac-roman": "mac-roman",
    "cp-850": "cp850",
    "utf8mb4": "utf-8",
}
# Text codecs of Python that no mail uses honestly: quadratic (punycode, idna) or escape interpreters.
_REFUSED = {"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}

_UNWANTED = re.compile("[\x00\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")


def decode(data: bytes, charset: str | None) -> str:
    """`data` as text: the named charset with replacement characters, else UTF-8, else Latin-1. Never raises.

    NUL and lone surrogates, which databases refuse, are removed.
    """
    codec = _codec(charset)
    if codec is not None:
        try:
            return without_unwanted(data.decode(codec, "replace"))
        except (UnicodeError, LookupError):
            pass
    try:
        return without_unwanted(data.decode("utf-8"))
    except UnicodeDecodeError:
        return without_unwanted(data.decode("latin-1"))


def _codec(charset: str | None) -> str | None:
    if not charset or len(charset) > 40 or not charset.isascii() or "\0" in charset:
        return None
    name = charset.strip().strip("\"'").lower()
    try:
        found = codecs.lookup(_ALIASES.get(name, name)).name
    except (LookupError, ValueError):
        return None
    return None if found.replace("_", "-") in _REFUSED else found


def without_unwanted(text: str) -> str:
    """`text` without NUL and lone surrogates."""
    return text if text.isascii() and "\0" not in text else _UNWANTED.sub("", text)


def one_line(text: str) -> str:
    """`text` on one line: every run of control and line-separating characters becomes one space; trimmed."""
    if text.isprintable():
        return text.strip()
    return _CONTROLS.sub(" ", text).strip()
