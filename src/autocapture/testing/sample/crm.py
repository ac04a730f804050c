"""The CRM's export: other column names, other words and day-first dates, and the mapping that reads them.

A few rows are wrong on purpose, as in real exports: they must be refused with a reason, and nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers

from autocapture.testing.world.model import Company, Contact, Deal, World

MAPPING = "crm.toml"
BAD_ROWS: Mapping[str, int] = {"contacts.csv": 1, "leads.csv": 1, "deals.csv": 2, "stage_changes.csv": 1}
"""How many rows of each file cannot be read."""

_ZONE = ZoneInfo("Europe/Amsterdam")
_STAGES = {
    "qualification": "1 - New",
    "discovery": "2 - Needs analysis",
    "demo": "3 - Demonstration",
    "proposal": "4 - Quote sent",
    "negotiation": "5 - Contract review",
    "won": "Closed Won",
    "lost": "Closed Lost",
}
_LEAD_STATUS = {
    "new": "Open - Not Contacted",
    "working": "Contacted",
    "qualified": "Qualified",
    "disqualified": "Unqualified",
    "nurturing": "Recycled",
}
# what the sales people type for a product where the catalogue says something else
_PRODUCT_ALIASES = {"GTX Pro": "GTXPro", "Atlas Service Plan": "Atlas Service"}

_Row = Sequence[str]


def _toml_words(words: Mapping[str, str]) -> str:
    return "\n".join(f'"{theirs}" = "{ours}"' for ours, theirs in words.items())


_MAPPING_TEXT = f"""\
# How the export of the sample organisation's CRM is read.

[source]
encoding = "utf-8"
delimiter = ","
date_format = "%d/%m/%Y"
time_zone = "{_ZONE.key}"
currency = "EUR"

[companies]
file = "crm/companies.csv"
[companies.columns]
name = "Account Name"
domains = "Websites"
partner = "Type"
[companies.values.partner]
"Customer" = "no"
"Reseller" = "yes"

[contacts]
file = "crm/contacts.csv"
[contacts.columns]
key = "Contact ID"
name = "Full Name"
emails = "E-mail"
phones = "Phone Numbers"
company = "Account Name"
title = "Job Title"
created_at = "Created On"

[leads]
file = "crm/leads.csv"
[leads.columns]
key = "Lead No."
contact = "Contact ID"
source = "Lead Source"
owner = "Lead Owner"
created_at = "Created On"
assigned_at = "Assigned On"
status = "Lead Status"
[leads.values.status]
{_toml_words(_LEAD_STATUS)}

[lead_changes]
file = "crm/lead_status.csv"
[lead_changes.columns]
lead = "Lead No."
status = "New Status"
at = "Changed On"
[lead_changes.values.status]
{_toml_words(_LEAD_STATUS)}

[products]
file = "crm/products.csv"
[products.columns]
name = "Product"

[deals]
file = "crm/deals.csv"
[deals.columns]
key = "Opportunity ID"
name = "Opportunity"
company = "Account Name"
owner = "Sales Agent"
stage = "Deal Stage"
created_at = "Engage Date"
expected_close_on = "Expected Close"
closed_at = "Close Date"
outcome = "Result"
amount = "Close Value"
currency = "Curr."
products = "Products"
[deals.constants]
pipeline = "new business"
[deals.values.stage]
{_toml_words(_STAGES)}
[deals.values.outcome]
"Won" = "won"
"Lost" = "lost"
"In progress" = "open"
[deals.aliases.product]
{_toml_words(_PRODUCT_ALIASES)}

[deal_contacts]
file = "crm/deal_contacts.csv"
[deal_contacts.columns]
deal = "Opportunity ID"
contact = "Contact ID"
role = "Buying Role"
since = "Since"

[stage_changes]
file = "crm/stage_changes.csv"
[stage_changes.columns]
deal = "Opportunity ID"
stage = "To Stage"
at = "Changed On"
by = "Changed By"
[stage_changes.values.stage]
{_toml_words(_STAGES)}
"""


def write_crm(world: World, directory: Path) -> Path:
    """Writes `directory`/crm/*.csv and `directory`/crm.toml, and returns the latter."""
    folder = directory / "crm"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in _FILES.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\r\n").writerows(rows(world))
    mapping = directory / MAPPING
    mapping.write_text(_MAPPING_TEXT, encoding="utf-8")
    return mapping


def _day(value: date | datetime | None) -> str:
    """A day as the CRM shows it; of an instant, the day at its head office."""
    if isinstance(value, datetime):
        value = value.astimezone(_ZONE)
    return f"{value:%d/%m/%Y}" if value else ""


def _minute(value: datetime | None) -> str:
    return f"{value.astimezone(_ZONE):%d/%m/%Y %H:%M}" if value else ""


def _names(companies: Iterable[Company]) -> dict[str, str]:
    return {company.key: company.name for company in companies}


def _companies(world: World) -> Iterable[_Row]:
    yield ("Account Name", "Websites", "Type", "Country Desk")
    for company in world.companies:
        kind = "Reseller" if company.partner else "Customer"
        yield (company.name, ";".join(company.domains), kind, company.language.upper())


def _contacts(world: World) -> Iterable[_Row]:
    accounts = _names(world.companies)
    yield ("Contact ID", "Full Name", "E-mail", "Phone Numbers", "Account Name", "Job Title", "Created On")
    for contact in world.contacts:
        yield _contact(contact, accounts[contact.company])
    yield (
        "CON-29999",
        "No Address",
        "no.address(at)nowhere",
        "",
        world.companies[0].name,
        "",
        _day(world.last_on),
    )


def _contact(contact: Contact, account: str) -> _Row:
    phones = ";".join(_spaced(number) for number in contact.phones)
    created = _day(contact.created_at)
    return (contact.key, contact.name, ";".join(contact.emails), phones, account, contact.title, created)


def _spaced(number: str) -> str:
    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _leads(world: World) -> Iterable[_Row]:
    yield ("Lead No.", "Contact ID", "Lead Source", "Lead Owner", "Created On", "Assigned On", "Lead Status")
    for lead in world.leads:
        created, assigned = _minute(lead.created_at), _minute(lead.assigned_at)
        yield (lead.key, lead.contact, lead.source, lead.owner, created, assigned, _LEAD_STATUS[lead.status])
    owner = world.reps[0].email
    yield ("LEAD-9999", "CON-00000", "website", owner, _day(world.last_on), "", _LEAD_STATUS["new"])


def _lead_status(world: World) -> Iterable[_Row]:
    yield ("Lead No.", "New Status", "Changed On")
    for lead in world.leads:
        for change in lead.history:
            yield (lead.key, _LEAD_STATUS[change.status], _minute(change.at))


def _products(world: World) -> Iterable[_Row]:
    yield ("Product", "List Price")
    for product in world.products:
        yield (product.name, str(product.price))


_DEAL_HEADER = (
    "Opportunity ID",
    "Opportunity",
    "Account Name",
    "Sales Agent",
    "Deal Stage",
    "Engage Date",
    "Expected Close",
    "Close Date",
    "Result",
    "Close Value",
    "Curr.",
    "Products",
)


def _deals(world: World) -> Iterable[_Row]:
    accounts = _names(world.companies)
    products = {product.key: product.name for product in world.products}
    yield _DEAL_HEADER
    rows = [_deal(deal, accounts[deal.company], products) for deal in world.deals]
    yield from rows
    if rows:
        sample = rows[0]
        yield ("OPP-9998", "Renewal", "Unknown Trading Ltd", *sample[3:])
        yield ("OPP-9999", "Extension", *sample[2:5], "31/02/2026", *sample[6:])


def _deal(deal: Deal, account: str, products: Mapping[str, str]) -> _Row:
    # every third row was typed by hand, with the short product name
    typed = int(deal.key.rpartition("-")[2]) % 3 == 0
    named = [products[key] for key in deal.products]
    shown = [_PRODUCT_ALIASES.get(name, name) if typed else name for name in named]
    return (
        deal.key,
        deal.name,
        account,
        deal.owner,
        _STAGES[deal.stage],
        _day(deal.created_at),
        _day(deal.expected_close_on),
        _day(deal.closed_at),
        {"won": "Won", "lost": "Lost", None: "In progress"}[deal.outcome],
        "" if deal.amount is None else f"{deal.amount:.2f}",
        deal.currency,
        ";".join(shown),
    )


def _deal_contacts(world: World) -> Iterable[_Row]:
    yield ("Opportunity ID", "Contact ID", "Buying Role", "Since")
    for deal in world.deals:
        for role in deal.contacts:
            yield (deal.key, role.contact, role.role, _day(role.since))


def _stage_changes(world: World) -> Iterable[_Row]:
    yield ("Opportunity ID", "To Stage", "Changed On", "Changed By")
    for deal in world.deals:
        for change in deal.changes:
            yield (deal.key, _STAGES[change.stage], _minute(change.at), change.by)
    yield ("OPP-0000", _STAGES["demo"], _day(world.last_on), world.reps[0].email)


_FILES: Mapping[str, Callable[[World], Iterable[_Row]]] = {
    "companies.csv": _companies,
    "contacts.csv": _contacts,
    "leads.csv": _leads,
    "lead_status.csv": _lead_status,
    "products.csv": _products,
    "deals.csv": _deals,
    "deal_contacts.csv": _deal_contacts,
    "stage_changes.csv": _stage_changes,
}
