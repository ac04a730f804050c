"""Handles: the canonical forms in which addresses and numbers of people are stored, compared and looked
up.
"""

from __future__ import annotations

from functools import lru_cache

import idna

from autocapture.formats.phone import is_extension, national_handle, to_e164


@lru_cache(maxsize=65_536)
def canonical_email(raw: str) -> str:
    """The address trimmed, lower-case, its domain in ASCII (IDNA 2008 after the mapping of UTS 46). Never
    raises.

    Angle brackets, a ``mailto:`` and a final dot of the domain go; a tag (``+news``) stays, see `model.directory.untagged`.
    """
    text = raw.strip().strip("<>").strip().lower().removeprefix("mailto:")
    local, at, domain = text.rpartition("@")
    if not at:
        return text
    domain = domain.rstrip(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:  # not a host name; such an address still names its owner
            return f"{local}@{domain}"
    return f"{local}@{domain}"


def canonical_phone(raw: str, region: str | None) -> str:
    """A public number in E.164, read as in `region` (ISO 3166); an internal line as ``ext:12``; a national form that the region
    cannot read as ``nat:02079460018``; empty for anything else."""
    if (number := to_e164(raw, region or None)) is not None:
        return number
    line = raw.strip().removeprefix("ext:")
    return f"ext:{''.join(filter(str.isdigit, line))}" if is_extension(line) else national_handle(raw)
