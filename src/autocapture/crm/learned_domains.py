"""Mail domains that belong to a company though the CRM does not say so: its contacts write from there. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from autocapture.formats.domains import organization_domains

_CONTACTS = 2
"""Of one, nobody knows whether they moved on; where the company has the same name under another ending, one will do."""


def learned_domains(
    written_from: Iterable[tuple[str, int, int]], known: Mapping[str, Collection[int]]
) -> dict[str, int]:
    """The company of each registered domain that is none of the CRM's (`known`: companies by domain) and on which people of one
    company alone have addresses: several, or one of a company that has the domain under another ending (``acme.co.uk`` beside
    ``acme.com``). `written_from`: domain, company, number of its contacts there. Free mail never is anybody's."""
    people: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for domain, company_id, count in written_from:
        domains = organization_domains(domain)
        if domains and not any(each in known for each in domains):
            people[domains[-1]][company_id] += count
    names: dict[int, set[str]] = defaultdict(set)
    for domain, companies in known.items():
        for company_id in companies:
            names[company_id].add(name_of(domain))
    found = {}
    for domain, counted in people.items():
        if len(counted) == 1:
            [(company_id, count)] = counted.items()
            if count >= _CONTACTS or name_of(domain) in names[company_id]:
                found[domain] = company_id
    return found


def name_of(domain: str) -> str:
    """A registered domain without its ending: ``acme`` of ``acme.co.uk``."""
    return domain.partition(".")[0]
