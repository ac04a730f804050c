"""An export without keys, dates only where something happened, and agents by name: the layout of a widespread data set."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine
from tests.integration.imports.conftest import Importer
from tests.integration.imports.exports import contents

MAPPING = """
[source]
currency = "USD"
time_zone = "America/New_York"

[companies]
file = "accounts.csv"
[companies.columns]
name = "account"

[products]
file = "products.csv"
[products.columns]
name = "product"

[deals]
file = "pipeline.csv"
[deals.columns]
key = "opportunity_id"
owner = "sales_agent"
products = "product"
company = "account"
stage = "deal_stage"
created_at = "engage_date"
closed_at = "close_date"
amount = "close_value"
[deals.aliases.product]
"GTXPro" = "GTX Pro"
"""

PIPELINE = """opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
1C1I7A6R,Anna Bakker,GTXPro,Cancity,Won,2026-07-20,2026-10-01,1054
Z063OYW0,Bob Stone,GTX Basic,Isdom,Lost,2026-07-25,2026-09-11,0
EC4QE1BX,anna  bakker,GTX Basic,,Engaging,2026-07-26,,
MV1LWRNH,Bob Stone,GTXPro,Isdom,Prospecting,,,
"""

FILES = {
    "accounts": "account,sector\nCancity,retail\nIsdom,medical\nCancity,retail\n",
    "products": "product,series\nGTX Pro,GTX\nGTX Basic,GTX\n",
    "pipeline": PIPELINE,
}


def test_names_serve_as_keys_and_stages_say_the_outcome(run: Importer, engine: Engine) -> None:
    report = run(crm=MAPPING, **FILES)
    deals = contents(engine)["deal"]
    assert {key[0]: (row["outcome"], row["amount_minor"], row["owner"]) for key, row in deals.items()} == {
        "1C1I7A6R": ("won", 105_400, "anna@ours.example"),
        "Z063OYW0": ("lost", 0, "bob@ours.example"),
        "EC4QE1BX": ("open", None, "anna@ours.example"),
    }
    assert deals["1C1I7A6R",]["products"] == ("GTX Pro",)
    assert deals["EC4QE1BX",]["company"] is None
    assert [(remark.place.line, remark.reason) for remark in report.refused] == [(5, "created_at is missing")]


def test_a_constant_fills_the_cells_that_a_column_leaves_empty(run: Importer, engine: Engine) -> None:
    report = run(crm=MAPPING + '[deals.constants]\ncreated_at = "2026-06-30"\n', **FILES)
    assert report.refused == ()
    deals = contents(engine)["deal"]
    assert deals["MV1LWRNH",]["created_on"] == date(2026, 6, 30)
    assert deals["1C1I7A6R",]["created_on"] == date(2026, 7, 20)


def test_the_outcome_is_mapped_from_the_stage(run: Importer, engine: Engine) -> None:
    mapping = MAPPING + '[deals.values.outcome]\n"Binnen" = "won"\n'
    run(crm=mapping, **{**FILES, "pipeline": PIPELINE.replace(",Won,", ",Binnen,")})
    deal = contents(engine)["deal"]["1C1I7A6R",]
    assert (deal["stage"], deal["outcome"]) == ("Binnen", "won")


def test_unmapped_columns_are_left_as_they_are(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    report = run(crm=MAPPING.replace('amount = "close_value"\n', ""), pipeline=PIPELINE.replace("1054", "9"))
    assert report.changes == ()
    assert contents(engine)["deal"]["1C1I7A6R",]["amount_minor"] == 105_400
