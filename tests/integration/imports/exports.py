"""A small export of an invented CRM, and how the database looks in natural keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from autocapture.model.measures import DirtyCell
from autocapture.store.engine import reading
from autocapture.workflows.crm_mirror import load_mirror

MAPPING = """
[source]
delimiter = ","
date_format = "%d/%m/%Y"
time_zone = "Europe/Amsterdam"
currency = "EUR"
region = "NL"

[owners]
file = "owners.csv"
[owners.columns]
key = "Id"
email = "Mail"

[companies]
file = "companies.csv"
[companies.columns]
key = "Account ID"
name = "Account"
domains = "Web"
partner = "Reseller"

[products]
file = "products.csv"
[products.columns]
name = "Product"

[contacts]
file = "contacts.csv"
[contacts.columns]
key = "Contact ID"
name = "Name"
emails = "Mail"
phones = "Phone"
company = "Account ID"

[leads]
file = "leads.csv"
[leads.columns]
key = "Lead"
contact = "Contact ID"
source = "Source"
owner = "Owner"
created_at = "Created"
status = "Status"

[deals]
file = "deals.csv"
[deals.columns]
key = "Opportunity ID"
name = "Name"
company = "Account ID"
owner = "Owner"
stage = "Stage"
created_at = "Created"
expected_close_on = "Expected"
closed_at = "Closed"
amount = "Value"
products = "Products"
contacts = "Contacts"
[deals.values.stage]
"1 - Qualify" = "Qualify"
"2 - Offer" = "Offer"
"9 - Won" = "Won"
"0 - Lost" = "Lost"
[deals.aliases.product]
"GTXPro" = "GTX Pro"

[stage_changes]
file = "changes.csv"
[stage_changes.columns]
deal = "Opportunity ID"
stage = "New Stage"
at = "When"
"""

FILES = {
    "owners": "Id,Mail\n7,anna@ours.example\n8,bob@ours.example\n",
    "companies": (
        "Account ID,Account,Web,Reseller\n"
        "A1,Acme B.V.,https://www.acme.example/nl;acme.test,no\n"
        "A2,Bürger & Co,bürger.example,\n"
        "A3,Channel Ltd,channel.example;gmail.com,yes\n"
    ),
    "products": "Product\nGTX Pro\nGTX Basic\n",
    "contacts": (
        "Contact ID,Name,Mail,Phone,Account ID\n"
        "C1,Jan de Vries,Jan@ACME.example,020 794 7000,A1\n"
        'C2,"Eva\nBürger",eva@bürger.example,+31 20 794 7001,A2\n'
    ),
    "leads": "Lead,Contact ID,Source,Owner,Created,Status\nL1,C1,fair,7,01/09/2026,new\n",
    "deals": (
        "Opportunity ID,Name,Account ID,Owner,Stage,Created,Expected,Closed,Value,Products,Contacts\n"
        'D1,Fleet,A1,7,9 - Won,01/09/2026,,30/10/2026,"€ 12,500.00",GTXPro;GTX Basic,C1\n'
        "D2,Pilot,A2,Bob Stone,2 - Offer,05/10/2026,15/12/2026,,800,GTX Basic,C2\n"
        "D3,Small,A1,anna@ours.example,1 - Qualify,2026-11-02T10:30:00Z,,,,,\n"
    ),
    "changes": (
        "Opportunity ID,New Stage,When\n"
        "D1,1 - Qualify,01/09/2026\n"
        "D1,2 - Offer,20/09/2026 11:00\n"
        "D1,9 - Won,30/10/2026\n"
        "D2,1 - Qualify,05/10/2026\n"
        "D2,2 - Offer,02/11/2026\n"
    ),
}


def contents(engine: Engine) -> dict[str, Any]:
    """Every row of the mirror by table and natural key, and the intervals known now."""
    with reading(engine) as session:
        mirror = load_mirror(session).mirror
    states = {deal: [asdict(state) for state in found] for deal, found in mirror.states.items()}
    return {**{table: dict(rows) for table, rows in mirror.tables.items()}, "states": states}


def dirty_days(engine: Engine) -> set[tuple[int, str]]:
    with reading(engine) as session:
        return {(cell.user_id, cell.local_date.isoformat()) for cell in session.exec(select(DirtyCell))}
