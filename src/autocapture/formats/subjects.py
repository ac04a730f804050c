"""Subject lines without what mailers and lists put before them (after RFC 5256, 2.1)."""

from __future__ import annotations

import re
from functools import lru_cache

# Reply and forward marks of mail programs by language: en, de, nl, sv/da/no, fi, fr, es, pt, it, pl, cs, tr,
# hu, el, he, zh.
_MARKS = frozenset({
    "re", "aw", "antw", "antwort", "sv", "svar", "vs", "ref", "rép", "rif", "r", "res", "odp", "ynt", "vá",
    "απ", "השב", "回复", "回覆", "答复", "返信",
    "fw", "fwd", "wg", "weitergeleitet", "doorst", "vb", "vl", "vidarebefordrat", "videresendt", "tr", "rv", "enc", "i",
    "pd", "ilt", "továbbítás", "πρθ", "הועבר", "转发", "轉寄", "転送",
})  # fmt: skip
_PREFIX = re.compile(
    rf"\s*(?:(?:{'|'.join(sorted(_MARKS))})\s*(?:\[\d+\]|\(\d+\)|\^\d+)?\s*[:：]|\[[^\[\]]{{1,40}}\](?=\s*\S))",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"\s*\(fwd\)\s*$", re.IGNORECASE)
_PREFIX_LIMIT = 50
_MARK_LENGTH = 20


@lru_cache(maxsize=2_048)  # each answer of a thread has the same subject
def base_subject(subject: str) -> str:
    """The subject without reply and forward marks and bracketed list names, case-folded, white space
    joined.
    """
    text = subject[:998]
    for _ in range(_PREFIX_LIMIT):
        head, colon, rest = text.partition(":")
        if colon and len(head) <= _MARK_LENGTH and head.strip().casefold() in _MARKS:
            text = rest  # nearly every answer; numbered marks, list names and full-width colons are left to the pattern
        elif (colon or "[" in text or "：" in text) and (found := _PREFIX.match(text)) is not None:
            text = text[found.end() :]
        else:
            break
    if text.endswith((")", " ")):
        text = _SUFFIX.sub("", text)
    return " ".join(text.split()).casefold()
