"""Which company somebody belongs to of whom nothing is known but an address, and whom they are seen with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autocapture.formats.domains import organization_domains, registrable_domain

_HOSTS = frozenset(
    {
        "amazonses.com", "freshdesk.com", "intercom-mail.com", "mailgun.org", "myshopify.com", "onmicrosoft.com",
        "salesforce.com", "sendgrid.net", "sharepointonline.com", "zendesk.com", "zohodesk.com",
    }
)  # fmt: skip
"""Domains below which every customer has an address of theirs: they name their provider."""


@dataclass(frozen=True, slots=True)
class Belongs:
    """To a company that there is, to one that is to be made for `new_domain`, or to none."""

    company_id: int | None = None
    new_domain: str | None = None


def domains_of(address: str) -> tuple[str, ...]:
    """The domains by which the organisation behind an address may be known, most specific first; none for free mail."""
    domain = address.rpartition("@")[2]
    return () if registrable_domain(domain) in _HOSTS else organization_domains(domain)


def company_of(
    address: str,
    by_domain: Mapping[str, Mapping[int, int]],
    beside: Collection[int],
    untouchable: Collection[str] = (),
) -> Belongs:
    """The company with most contacts on the address's domain, else one that the CRM knows by it; where several have as many,
    and for a domain that names no organisation, the only company (`beside`) with which they are seen; else a new one by the
    registered domain, unless it is `untouchable`.

    Whoever has a domain of their own is no part of the company with which they are seen: an agency, a lawyer, a bank.
    """
    domains = domains_of(address)
    for domain in domains:
        if known := by_domain.get(domain):
            most = max(known.values())
            best = [company_id for company_id, contacts in known.items() if contacts == most]
            if len(best) == 1:
                return Belongs(best[0])
            together = [company_id for company_id in best if company_id in beside]
            return Belongs(together[0]) if len(together) == 1 else Belongs()
    if not domains:
        return Belongs(next(iter(beside))) if len(beside) == 1 else Belongs()
    return Belongs() if domains[-1] in untouchable else Belongs(new_domain=domains[-1])
