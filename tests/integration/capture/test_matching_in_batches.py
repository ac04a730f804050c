"""What is found once for many messages, of a thread or of a batch, is what each of them would find."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.connect.vault import create_key
from autocapture.match import match
from autocapture.model.crm import Contact, ContactHandle, Deal
from autocapture.model.draft import Matched
from autocapture.settings import load_settings
from autocapture.store.activities import Stored
from autocapture.store.bulk import insert, table_of
from autocapture.store.engine import reading, writing
from autocapture.testing.bench.match.crm import Size, load_deals, load_people
from autocapture.testing.bench.match.mails import Writers
from autocapture.workflows.matching import groups_of
from autocapture.workflows.people import our_people

SIZE = Size(contacts=300, companies=30, deals=60)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'own.db'}" if is_sqlite else request.getfixturevalue("postgres_url")
    create_key(tmp_path / "keys" / "master.key")
    app = build(load_settings({"AUTOCAPTURE_HOME": str(tmp_path), "AUTOCAPTURE_DATABASE_URL": url}))
    make_tables(app.engine)
    load_people(app.engine, SIZE)
    load_deals(app.engine, SIZE)
    yield app
    app.engine.dispose()


def _messages(seed: int, number: int) -> list[Stored]:
    return next(Writers(SIZE).batches(seed, number, number))


def _answers(app: Application, items: Sequence[Stored]) -> dict[int, Matched]:
    with reading(app.engine) as session:
        groups, directory = groups_of(session, our_people(app), items)
    return {key: answer for group in groups for key, answer in match(group, directory).items()}


def test_a_thread_gets_the_same_answers_in_a_batch_as_by_itself(crm: Application) -> None:
    batch = _messages(seed=5, number=120)
    threads: dict[int | None, list[Stored]] = defaultdict(list)
    for item in batch:
        threads[item.thread_id].append(item)
    alone: dict[int, Matched] = {}
    for thread in threads.values():
        alone.update(_answers(crm, thread))
    together = _answers(crm, batch)
    assert together == alone
    targets = [link.target for answer in together.values() for link in answer.links]
    assert targets.count("company") > 100
    assert targets.count("deal") > 20


def test_who_wrote_what_in_a_thread_does_not_depend_on_who_else_was_there_before(crm: Application) -> None:
    """The same two people, once with a third: each message has those who take part in it."""
    first = next(item for item in _messages(seed=6, number=60) if len(item.draft.parties) == 3)
    parties = first.draft.parties
    fewer = replace(
        first,
        activity_id=first.activity_id + 1,
        draft=replace(first.draft, dedupe_key="email:fewer@bench.example", parties=parties[:2]),
    )
    again = replace(
        first,
        activity_id=first.activity_id + 2,
        draft=replace(
            first.draft, dedupe_key="email:again@bench.example", parties=(parties[1], *parties[::2])
        ),
    )
    found = _answers(crm, [first, fewer, again])
    alone = [_answers(crm, [item])[item.activity_id] for item in (first, fewer, again)]
    assert [found[item.activity_id].parties for item in (first, fewer, again)] == [
        each.parties for each in alone
    ]


def test_what_the_crm_learns_between_two_batches_is_known_in_the_next(crm: Application) -> None:
    """Nothing that was found before is taken for what holds now: a contact, a name of a deal, and that one taken back."""
    mails = [
        item for item in _messages(seed=7, number=200) if item.draft.parties[-1].address.startswith("new")
    ]
    batch = [replace(mails[0], draft=replace(mails[0].draft, subject="Zeppelin"))]
    newcomer, key = batch[0].draft.parties[-1].address, batch[0].activity_id
    before = _answers(crm, batch)[key]
    assert {party.address for party in before.parties if party.contact_id is None} >= {newcomer}

    with writing(crm.engine) as session:
        insert(session, Contact, [{"id": 9_000, "source_id": "late", "name": "Late", "company_id": 1}])
        insert(session, ContactHandle, [{"kind": "email", "value": newcomer, "contact_id": 9_000}])
    known = _answers(crm, batch)[key]
    assert {party.contact_id for party in known.parties if party.address == newcomer} == {9_000}

    company = next(link.target_id for link in before.links if link.target == "company")
    named = _renamed(crm, company, "Zeppelin")
    assert [link.target_id for link in _answers(crm, batch)[key].links if link.target == "deal"] == [named]
    _renamed(crm, company, "Something else")
    assert "deal" not in {link.target for link in _answers(crm, batch)[key].links if link.method == "words"}


def _renamed(app: Application, company: int, name: str) -> int:
    """The first deal of the company, by another name."""
    deal = table_of(Deal)
    with writing(app.engine) as session:
        wanted = deal.select().where(deal.c.company_id == company).order_by(deal.c.id)
        found = session.connection().execute(wanted).mappings().first()
        assert found is not None
        session.connection().execute(update(deal).where(deal.c.id == found["id"]).values(name=name))
        return int(found["id"])
