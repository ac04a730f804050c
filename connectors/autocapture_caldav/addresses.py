"""Addresses as CalDAV servers write them: one form for each, whatever way it was escaped.

A server may write a reference absolute or relative, with ``@`` or ``%40``, and one way in one answer and another way in the
next. A calendar is known by the path of its collection, an item by what follows that path.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from autocapture.errors import SetupError
from autocapture.formats.domains import registrable_domain
from autocapture.formats.keys import KEY_BYTES

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# Unreserved (RFC 3986, 2.3), and what servers are known to escape in one answer and not in the next.
_ALWAYS_PLAIN = re.compile(r"[A-Za-z0-9._~:@-]")
_KEPT = "/%:@!$&'()*+,;=~"
_UNUSABLE = "?"  # never part of a path, so no item's id begins with it


def path_of(reference: str, base: str) -> str:
    """The path that `reference` names in an answer from `base`. Two ways of escaping one path give one result.

    Raises ValueError for what is no address.
    """
    path = urlsplit(urljoin(base, reference.strip())).path or "/"
    return _ESCAPE.sub(_plain, quote(path, safe=_KEPT))


def _plain(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if _ALWAYS_PLAIN.fullmatch(character) else escape[0].upper()


def item_id(collection: str, reference: str, base: str) -> str:
    """What the item that an answer from `base` names is called within `collection`: the rest of its path, or all of it where
    it lies elsewhere. Empty for the collection itself.

    One that is no address, or too long for a database's index, is called by its hash, and cannot be asked for.
    """
    try:
        path = path_of(reference, base)
    except ValueError:
        return _hashed(reference)
    if path.rstrip("/") == collection.rstrip("/"):
        return ""
    name = path.removeprefix(collection)
    return name if len(name.encode()) <= KEY_BYTES else _hashed(name)


def _hashed(name: str) -> str:
    return _UNUSABLE + blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def item_path(collection: str, name: str) -> str | None:
    """Where the item is; None for one that is known by its hash alone."""
    if name.startswith(_UNUSABLE):
        return None
    return name if name.startswith("/") else collection + name


def at(base: str, path: str) -> str:
    """The whole address of `path` on the server of `base`."""
    parts = urlsplit(base)
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def led_on(base: str, reference: str) -> str:
    """The address that a server at `base` sends us on to, with the password that was given for it.

    Raises SetupError for one to which no password of this host may be sent: a foreign host, or plain http after https.
    """
    try:
        address = urljoin(base, reference.strip())
        here, there = urlsplit(base), urlsplit(address)
        path = path_of(address, base)
        same = _site(here.hostname) == _site(there.hostname)
        _ = there.port
    except ValueError:
        raise SetupError(f"{urlsplit(base).hostname} sends us to something that is no address") from None
    if there.scheme not in ("https", "http") or (here.scheme == "https" and there.scheme == "http"):
        raise SetupError(f"{here.hostname} sends us to an address that is not https")
    if not same:
        raise SetupError(
            f"{here.hostname} sends us to another host, {there.hostname}: if that is yours, connect it by its own address"
        )
    host = there.netloc.rpartition("@")[2]
    return urlunsplit((there.scheme, host, path, "", ""))


def _site(host: str | None) -> str:
    """Hosts below one registered domain are one provider's; any other host stands for itself."""
    name = (host or "").rstrip(".").lower()
    if ":" in name or name.rpartition(".")[2].isdigit():
        return name
    return registrable_domain(name) or name
