"""`import crm` on a database: what arrives, what is refused, and that repeating changes nothing."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import SQLModel, select
from tests.integration.imports.conftest import Importer, add_users
from tests.integration.imports.exports import FILES, MAPPING, contents, dirty_days

from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.model.crm import DealState
from autocapture.store.engine import open_engine, reading
from autocapture.workflows.import_crm import import_crm


def amsterdam(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC) - timedelta(hours=2)  # type: ignore[misc, arg-type]


def test_a_whole_export_arrives(run: Importer, engine: Engine) -> None:
    report = run(crm=MAPPING, **FILES)
    assert report.refused == ()
    found = contents(engine)
    assert found["company"][("A1",)] == {
        "name": "Acme B.V.",
        "partner": False,
        "domains": ("acme.example", "acme.test"),
    }
    assert found["company"][("A2",)]["domains"] == ("xn--brger-kva.example",)
    assert found["company"][("A3",)] == {
        "name": "Channel Ltd",
        "partner": True,
        "domains": ("channel.example",),
    }
    assert found["contact"][("C1",)]["emails"] == ("jan@acme.example",)
    assert found["contact"][("C1",)]["phones"] == ("+31207947000",)
    assert found["contact"][("C2",)]["name"] == "Eva\nBürger"
    assert found["lead"][("L1",)]["owner"] == "anna@ours.example"
    assert found["deal_contact"].keys() == {("D1", "C1"), ("D2", "C2")}
    deal = found["deal"][("D1",)]
    assert (deal["amount_minor"], deal["currency"], deal["outcome"]) == (1_250_000, "EUR", "won")
    assert deal["products"] == ("GTX Basic", "GTX Pro")
    assert (deal["created_on"], deal["closed_on"]) == (date(2026, 9, 1), date(2026, 10, 30))
    assert found["deal"][("D2",)]["owner"] == "bob@ours.example"
    assert found["deal"][("D3",)]["amount_minor"] is None


def test_free_mail_is_left_out_of_a_company_and_said(run: Importer) -> None:
    report = run(crm=MAPPING, **FILES)
    assert ["gmail.com" in note.reason for note in report.notes] == [True]


def test_the_history_of_a_deal_is_intervals_without_gaps(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    states = contents(engine)["states"]["D1"]
    assert [(state["stage"], state["outcome"]) for state in states] == [
        ("Qualify", "open"),
        ("Offer", "open"),
        ("Won", "won"),
    ]
    assert states[0]["valid_from"] == amsterdam(2026, 9, 1)
    assert [state["valid_to"] for state in states[:-1]] == [state["valid_from"] for state in states[1:]]
    assert states[-1]["valid_to"] is None


def test_the_same_files_again_write_nothing(run: Importer, engine: Engine, clock: FixedClock) -> None:
    run(crm=MAPPING, **FILES)
    before = contents(engine)
    clock.advance(timedelta(days=1))
    writes: list[str] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: (
            writes.append(statement) if statement.startswith(("INSERT", "UPDATE", "DELETE")) else None
        ),
    )
    report = run()
    assert (sum(report.created.values()), sum(report.updated.values()), report.refused) == (0, 0, ())
    assert writes == []
    assert contents(engine) == before


def test_a_changed_row_is_updated_and_shown_before_and_after(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    report = run(
        companies=FILES["companies"].replace("Acme B.V.", "Acme N.V.").replace("acme.test", "acme2.test")
    )
    [change] = report.changes
    assert change.before == {"name": "Acme B.V.", "domains": ("acme.example", "acme.test")}
    assert change.after == {"name": "Acme N.V.", "domains": ("acme.example", "acme2.test")}
    assert contents(engine)["company"][("A1",)]["domains"] == ("acme.example", "acme2.test")


def test_a_dry_run_shows_the_plan_and_writes_nothing(run: Importer, engine: Engine) -> None:
    report = run(dry_run=True, crm=MAPPING, **FILES)
    assert report.created["deal"] == 3
    assert contents(engine)["deal"] == {}
    assert any(line.startswith("+ company A1: name=Acme B.V.") for line in report.lines())


def test_a_stage_seen_changed_becomes_history_at_the_import(
    run: Importer, engine: Engine, clock: FixedClock
) -> None:
    run(crm=MAPPING, **FILES)
    clock.advance(timedelta(days=3))
    run(deals=FILES["deals"].replace("1 - Qualify", "2 - Offer"))
    found = contents(engine)
    assert ("D3", clock.now().isoformat(), "Offer") in found["stage_change"]
    assert [(state["stage"], state["valid_from"]) for state in found["states"]["D3"]] == [
        ("Qualify", datetime(2026, 11, 2, 10, 30, tzinfo=UTC)),
        ("Offer", clock.now()),
    ]


def test_an_amount_known_before_stays_in_the_history(
    run: Importer, engine: Engine, clock: FixedClock
) -> None:
    run(crm=MAPPING, **FILES)
    first = clock.now()
    clock.advance(timedelta(days=3))
    run(deals=FILES["deals"].replace(",800,", ",950,"))
    amounts = [(state["amount_minor"], state["valid_from"]) for state in contents(engine)["states"]["D2"]]
    assert [amount for amount, _ in amounts] == [80_000, 80_000, 95_000]
    assert amounts[-1][1] == clock.now()
    with reading(engine) as session:
        earlier = [row for row in session.exec(select(DealState)) if row.known_to is not None]
    assert {(row.known_from, row.known_to) for row in earlier} == {(first, clock.now())}


def test_a_reopened_deal_is_open_again_from_its_reopening(
    run: Importer, engine: Engine, clock: FixedClock
) -> None:
    run(crm=MAPPING, **FILES)
    clock.advance(timedelta(days=3))
    report = run(deals=FILES["deals"].replace("9 - Won", "2 - Offer"))
    assert report.refused == ()
    found = contents(engine)
    assert found["deal"][("D1",)]["closed_at"] is None
    assert [(state["stage"], state["outcome"]) for state in found["states"]["D1"]][-2:] == [
        ("Won", "won"),
        ("Offer", "open"),
    ]


def test_a_closing_marks_the_owners_days_to_be_counted_anew(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    assert {(1, "2026-09-01"), (1, "2026-10-30"), (2, "2026-10-05"), (1, "2026-11-02")} <= dirty_days(engine)


def test_a_date_without_a_time_is_the_owners_day(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    deal = contents(engine)["deal"][("D2",)]
    assert deal["created_on"] == date(2026, 10, 5)
    assert deal["created_at"] == datetime(2026, 10, 5, 4, tzinfo=UTC)  # midnight in New York


def test_bad_rows_are_refused_with_line_and_reason_and_the_others_arrive(
    run: Importer, engine: Engine
) -> None:
    header = FILES["deals"].splitlines()[0]
    rows = [
        "E1,Good,A1,7,2 - Offer,01/09/2026,,,100,,",
        "E2,No such company,A9,7,2 - Offer,01/09/2026,,,100,,",
        "E3,Bad date,A1,7,2 - Offer,31/02/2026,,,100,,",
        "E4,No such owner,A1,99,2 - Offer,01/09/2026,,,100,,",
        "E1,Twice,A1,7,2 - Offer,01/09/2026,,,100,,",
        "E6,Bad amount,A1,7,2 - Offer,01/09/2026,,,lots,,",
        "E7,Negative,A1,7,2 - Offer,01/09/2026,,,-5,,",
        "E8,Backwards,A1,7,9 - Won,01/09/2026,,30/08/2026,100,,",
        "E9,Short,A1",
        "E10,No closing,A1,7,9 - Won,01/09/2026,,,100,,",
        ",No key,A1,7,2 - Offer,01/09/2026,,,100,,",
    ]
    report = run(
        crm=MAPPING,
        **{
            **FILES,
            "deals": "\n".join([header, *rows]),
            "changes": "Opportunity ID,New Stage,When\nE3,2 - Offer,02/09/2026\nE1,2 - Offer,02/09/2026\n",
        },
    )
    refused = {(remark.place.file, remark.place.line): remark.reason for remark in report.refused}
    assert set(contents(engine)["deal"]) == {("E1",)}
    assert "unknown company 'A9'" in refused["deals.csv", 3]
    assert "unreadable date '31/02/2026'" in refused["deals.csv", 4]
    assert "unknown owner '99'" in refused["deals.csv", 5]
    assert "duplicate key 'E1': first on line 2" in refused["deals.csv", 6]
    assert "bad amount 'lots'" in refused["deals.csv", 7]
    assert "negative amount '-5'" in refused["deals.csv", 8]
    assert "closed before created" in refused["deals.csv", 9]
    assert "3 cells where the header has 11" in refused["deals.csv", 10]
    assert "won without closed_at" in refused["deals.csv", 11]
    assert "the key is missing" in refused["deals.csv", 12]
    assert "deal 'E3' was refused (deals.csv line 4)" in refused["changes.csv", 2]
    assert len(refused) == 11


def test_rows_that_refer_to_a_refused_row_are_refused_too(run: Importer, engine: Engine) -> None:
    report = run(
        crm=MAPPING, **{**FILES, "contacts": FILES["contacts"].replace("Jan@ACME.example", "jan(at)acme")}
    )
    assert ("C1",) not in contents(engine)["contact"]
    reasons = [remark.reason for remark in report.refused]
    assert reasons[0].startswith("invalid email")
    assert (
        reasons[1:]
        == ["contact 'C1' was refused (contacts.csv line 2)"] * 2
        + ["deal 'D1' was refused (deals.csv line 2)"] * 3
    )


def test_a_row_missing_from_a_later_export_is_reported_and_stays(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    report = run(companies=FILES["companies"].replace("A3,Channel Ltd,channel.example;gmail.com,yes\n", ""))
    assert report.missing == (("company", ("A3",)),)
    assert ("A3",) in contents(engine)["company"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(("\ufeff" + FILES["companies"]).encode(), id="byte order mark"),
        pytest.param(FILES["companies"].replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(FILES["companies"].encode("utf-16"), id="UTF-16"),
    ],
)
def test_what_spreadsheets_write_reads_the_same(run: Importer, engine: Engine, content: bytes) -> None:
    run(crm=MAPPING, **FILES)
    report = run(companies=content)
    assert (report.changes, report.refused) == ((), ())


def test_a_semicolon_file_with_decimal_commas_reads_the_same(run: Importer, engine: Engine) -> None:
    run(crm=MAPPING, **FILES)
    rows = list(csv.reader(io.StringIO(FILES["deals"])))
    rows[1][8] = "12.500,00 EUR"
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    mapping = MAPPING.replace('file = "deals.csv"', 'file = "deals.csv"\ndelimiter = ";"\ndecimal = ","')
    assert run(crm=mapping, deals=out.getvalue()).changes == ()


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("[deals", "not a TOML file"),
        ("[dealz]\nfile = 'x'", "unknown section [dealz]"),
        (MAPPING.replace('partner = "Reseller"', 'partners = "Reseller"'), "unknown field 'partners'"),
        (MAPPING.replace('"Reseller"', '"Agency"'), "companies.csv has no column 'Agency'"),
        (MAPPING.replace("companies.csv", "none.csv"), "none.csv: No such file"),
        (MAPPING.replace("Europe/Amsterdam", "Mars/Base"), "'Mars/Base' is not a time zone"),
        (
            MAPPING.replace('created_at = "Created"\nexpected', "expected"),
            "must say where 'created_at' comes from",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_one_clear_error(
    run: Importer, engine: Engine, mapping: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(crm=mapping, **FILES)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(engine)["company"] == {}


@pytest.mark.parametrize("seed", range(12))
def test_a_part_and_then_the_whole_is_the_whole(
    engine: Engine, tmp_path: Path, clock: FixedClock, seed: int
) -> None:
    """Whichever rows the first file held: afterwards the database is as if the whole had come at once."""
    rng = random.Random(seed)
    part, whole = tmp_path / "part", tmp_path / "whole"
    for folder in (part, whole):
        folder.mkdir()
        (folder / "crm.toml").write_text(MAPPING)
    for name, text in FILES.items():
        (whole / f"{name}.csv").write_text(text)
        header, *rows = csv.reader(io.StringIO(text))
        with (part / f"{name}.csv").open("w", newline="") as out:
            csv.writer(out).writerows([header, *(row for row in rows if rng.random() < 0.6)])
    other = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    SQLModel.metadata.create_all(other)
    found: list[dict[str, Any]] = []
    for database, folders in ((engine, (part, whole, whole)), (other, (whole,))):
        add_users(database)
        for folder in folders:
            import_crm(database, clock, mapping=folder / "crm.toml")
        found.append(contents(database))
    other.dispose()
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", range(6))
def test_order_and_names_of_columns_do_not_matter(run: Importer, engine: Engine, seed: int) -> None:
    run(crm=MAPPING, **FILES)
    rng = random.Random(seed)
    header, *rows = csv.reader(io.StringIO(FILES["deals"]))
    order = rng.sample(range(len(header)), len(header))
    names = {column: f"{column} ({rng.randrange(1000)})" for column in header}
    out = io.StringIO()
    csv.writer(out).writerows(
        [[names[header[at]] for at in order], *([row[at] for at in order] for row in rows)]
    )
    before, deals = MAPPING.split("[deals]\n")
    deals, after = deals.split("[deals.values.stage]")
    for column, name in names.items():
        deals = deals.replace(f'"{column}"', f'"{name}"')
    report = run(crm=f"{before}[deals]\n{deals}[deals.values.stage]{after}", deals=out.getvalue())
    assert (report.changes, report.refused) == ((), ())


def test_numbers_of_quotes_and_who_entered_a_role_arrive(run: Importer, engine: Engine) -> None:
    mapping = MAPPING.replace('products = "Products"', 'products = "Products"\nreferences = "Quotes"', 1) + (
        '\n[deal_contacts]\nfile = "roles.csv"\n[deal_contacts.columns]\ndeal = "Deal"\ncontact = "Contact"\nsource = "By"\n'
    )
    files = {
        **FILES,
        "deals": FILES["deals"].replace(",Contacts", ",Contacts,Quotes").replace(",C1\n", ",,Q-2;PO 17;Q-2\n")
        .replace(",C2\n", ",,\n").replace(",,,,,\n", ",,,,,,\n"),
        "roles": "Deal,Contact,By\nD1,C1,autocapture\nD2,C2,\nD3,C1,somebody\n",
    }  # fmt: skip
    report = run(crm=mapping, **files)
    found = contents(engine)
    assert found["deal"][("D1",)]["references"] == ("PO 17", "Q-2")
    assert found["deal"][("D2",)]["references"] == ()
    assert {key: row["source"] for key, row in found["deal_contact"].items()} == {
        ("D1", "C1"): "autocapture",
        ("D2", "C2"): "crm",
    }
    assert [str(remark.reason) for remark in report.refused] == [
        "unknown source 'somebody'; map it to crm or autocapture"
    ]
    again = run(crm=mapping, **files)
    assert (again.created, again.updated) == ({}, {})
    run(crm=mapping, **{**files, "deals": files["deals"].replace("Q-2;PO 17;Q-2", "Q-3")})
    assert contents(engine)["deal"][("D1",)]["references"] == ("Q-3",)
