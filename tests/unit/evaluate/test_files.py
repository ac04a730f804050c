"""A world's files: what is read is what was written, and what is wrong is told with file, line and column."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.evaluate.tiny import cut, write_tiny

from autocapture.errors import InputError
from autocapture.evaluate.read import read_world
from autocapture.evaluate.world import AMBIGUOUS, Invited
from autocapture.evaluate.write import write_world


def test_a_world_written_by_hand_is_read_whole(tmp_path: Path) -> None:
    world = read_world(write_tiny(tmp_path))
    assert world.users[0].aliases == ("rik@ours-group.example",)
    assert world.users[0].phones == ("+31207940001", "ext:12")
    assert [company.partner for company in world.companies] == [False, False, True]
    assert world.deals[0].amount == Decimal("1200.50")
    assert world.deals[0].references == ("Q-1001",)
    assert world.deals[3].outcome == "lost"
    by_id = {activity.id: activity for activity in world.activities}
    assert by_id["m1"].at == datetime(2026, 2, 10, 9, tzinfo=UTC)
    assert by_id["m2"].to == ("rik@ours.example",)
    assert by_id["m4"].headers == {"list-id": "<news.example>"}
    assert by_id["v1"].attendees == (Invited("ann@acme.example", "accepted"),)
    assert by_id["c1"].duration_s == 90
    assert {each.activity: each.deal for each in world.truth}["m3"] == AMBIGUOUS


def test_a_world_that_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    world = read_world(write_tiny(tmp_path / "hand"))
    write_world(world, tmp_path / "again")
    assert read_world(tmp_path / "again") == world
    write_world(world, tmp_path / "twice")
    for file in (tmp_path / "again").iterdir():
        assert file.read_bytes() == (tmp_path / "twice" / file.name).read_bytes()


def test_the_crm_of_an_earlier_day_lacks_what_came_later(tmp_path: Path) -> None:
    world = read_world(write_tiny(tmp_path))
    before = world.crm_at(datetime(2026, 2, 2, 12, tzinfo=UTC))
    assert [deal.key for deal in before.deals] == ["A1", "B1", "B0"]
    assert {role.deal for role in before.deal_contacts} == {"A1", "B1"}
    assert [change.deal for change in before.stage_changes] == ["A1"]
    long_ago = world.crm_at(datetime(2025, 7, 1, tzinfo=UTC))
    assert [(deal.key, deal.outcome, deal.closed_at) for deal in long_ago.deals] == [("B0", "", None)]
    assert [contact.key for contact in long_ago.contacts] == ["bob"]


WRONG = [
    ("users.csv", "ext:12,Europe/Amsterdam", "ext:12,Europe/Narnia", "users.csv line 2 column time_zone: 'Europe/Narnia'"),
    ("users.csv", "+31207940001", "123456789", "users.csv line 2: phones: '123456789'"),
    ("companies.csv", "helpers.example,1", "helpers.example,yes", "companies.csv line 4 column partner: 'yes'"),
    ("companies.csv", "name,domains", "name,domain", "companies.csv line 1 has the unknown column 'domain'"),
    ("companies.csv", "bolt,Bolt", "acme,Bolt", "companies.csv line 3: key 'acme' stands there twice"),
    ("contacts.csv", "+31207940100,acme", "+31207940100,acne", "contacts.csv line 2 column company: 'acne'"),
    ("contacts.csv", "bob@bolt.example", "bob at bolt", "contacts.csv line 3 column emails: 'bob at bolt'"),
    ("contacts.csv", ",bolt,\n", ",bolt\n", "contacts.csv line 3: 5 cells where the header has 6"),
    ("deals.csv", "Acme line,acme,rik", "Acme line,acme,max", "deals.csv line 2 column owner: 'max@ours.example'"),
    ("deals.csv", "2025-06-02T09:00:00+02:00", "2025-06-02", "deals.csv line 5 column created_at: '2025-06-02' has no"),
    ("deals.csv", "2025-06-02T09:00:00+02:00", "May", "deals.csv line 5 column created_at: 'May' is no time"),
    ("deals.csv", "2025-06-02T09:00:00+02:00", "2025-12-02T09:00:00+02:00", "deals.csv line 5: closed_at lies before"),
    ("deals.csv", ",lost,", ",,", "deals.csv line 5: closed_at and outcome"),
    ("deals.csv", "1200.50", "much", "deals.csv line 2 column amount: 'much' is no number"),
    ("deal_contacts.csv", "A1,ann", "A9,ann", "deal_contacts.csv line 2 column deal: 'A9' is not in deals.csv"),
    ("stage_changes.csv", "A1,new,", "A1,,", "stage_changes.csv line 2 column stage: is empty"),
    ("activities.jsonl", '"id":"m3"', '"id":"m1"', "activities.jsonl line 4: id 'm1' stands there twice"),
    ("activities.jsonl", '"subject":"News"', '"subject":5', "activities.jsonl line 5: subject: must be a text"),
    ("activities.jsonl", '"subject":"News"', '"topic":"News"', "activities.jsonl line 5: unknown key 'topic'"),
    ("activities.jsonl", '"kind":"call"', '"kind":"chat"', "activities.jsonl line 8: kind: must be one of"),
    ("activities.jsonl", '"callee":"+31207940100",', "", "activities.jsonl line 8: a call needs caller and callee"),
    ("activities.jsonl", '"mailbox":"sam@', '"mailbox":"tom@', "activities.jsonl line 9: mailbox: 'tom@ours.example'"),
    ("activities.jsonl", '"accepted"}]', '"yes"}]', "activities.jsonl line 6: attendees: response 'yes'"),
    ("activities.jsonl", '"duration_s":90}', '"duration_s":90', "activities.jsonl line 8: not JSON"),
    ("truth.csv", "m1,ann,acme,A1", "m1,ann,acme,A7", "truth.csv line 2 column deal: 'A7' is not in deals.csv"),
    ("truth.csv", "m1,ann,acme,A1", "m1,ann;eve,acme,A1", "truth.csv line 2 column people: 'eve'"),
    ("truth.csv", "m1,ann,acme,A1,1,", "m1,ann,acme,A1,0,", "truth.csv line 2: deal: what is not admitted"),
    ("truth.csv", "c1,ann,acme,A1,1,,\n", "", "truth.csv: nothing is told of the activity 'c1'"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "told"), WRONG, ids=[case[3][:60] for case in WRONG])
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, file: str, old: str, new: str, told: str
) -> None:
    with pytest.raises(InputError) as problem:
        read_world(write_tiny(tmp_path, **cut(file, old, new)))
    assert str(problem.value).startswith(told)
    assert "\n" not in str(problem.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "world")
    (folder / "deals.csv").unlink()
    with pytest.raises(InputError, match=r"deals\.csv: No such file"):
        read_world(folder)
    with pytest.raises(InputError, match="is no folder"):
        read_world(tmp_path / "nowhere")
