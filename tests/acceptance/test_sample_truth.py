"""The sample organisation, captured through the real connectors, is what its world says: each copy, activity, deal and number."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel
from tests.acceptance.capturing import Sample, account_ids, capture_again, captured
from tests.acceptance.counting import COUNTED, Count
from tests.acceptance.deals import LINK_KINDS, LinkKind, judge
from tests.acceptance.stored import ledger_rows, stored_activities
from tests.acceptance.truth import Key, copies, expected_activities, is_kept, meeting_of
from tests.connectors.files.support import id_of

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import metric_named
from autocapture.measure.period import Period
from autocapture.measure.query import Query, Value
from autocapture.store.engine import reading
from autocapture.workflows.census import take_census

OF_THE_RUN = {
    "channel": {"wake_at", "last_ok_at"},
    "account": {"lease_no"},
    "kept_key": {"sealed"},
}
"""Columns that say when an account was last looked at, not what was found."""

FOLDERS = {"INBOX": "", "Sent": ".Sent", "Archive": ".Archive"}

# ---- what became of each item ----


def test_every_copy_of_a_mail_is_captured_or_skipped_for_the_right_reason(sample: Sample) -> None:
    message_ids = _message_ids(sample.paths.maildirs)
    with reading(sample.app.engine) as session:
        rows = ledger_rows(session, "email")
    found = Counter(
        (user, folder, message_ids[user, folder, source_id], *outcome)
        for (user, folder, source_id), outcome in rows.items()
    )
    expected = Counter(
        (user, folder, message.message_id, *_outcome(message.truth.admitted, message.truth.reason))
        for user, folder, message in copies(sample.world)
    )
    assert found == expected


def _message_ids(maildirs: Mapping[str, Path]) -> dict[tuple[str, str, str], str]:
    """The Message-ID of every file, by user, folder and the name without flags."""
    parser, found = BytesHeaderParser(), {}
    for user, maildir in maildirs.items():
        for folder, directory in FOLDERS.items():
            for path in (maildir / directory / "cur").iterdir():
                with path.open("rb") as file:
                    message_id = str(parser.parse(file)["message-id"]).strip().strip("<>")
                found[user, folder, path.name.partition(":2,")[0]] = message_id
    return found


def _outcome(admitted: bool, reason: str | None) -> tuple[str, str | None]:
    return ("captured", None) if admitted else ("skipped", reason)


def test_every_calendar_item_is_captured_or_skipped_for_the_right_reason(sample: Sample) -> None:
    expected = {}
    for event in sample.world.events:
        truth = event.occurrences[0].truth
        for user in event.calendars:
            expected[user, id_of(event.uid)] = _outcome(truth.admitted, truth.reason)
    with reading(sample.app.engine) as session:
        rows = ledger_rows(session, "event")
    assert {(user, source_id): outcome for (user, _, source_id), outcome in rows.items()} == expected


def test_every_call_is_captured_or_skipped_for_the_right_reason(sample: Sample) -> None:
    """The legs of a call that was passed on are items of their own, so that nothing of it is lost."""
    expected: Counter[tuple[str, str, tuple[str, str | None]]] = Counter()
    for call in sample.world.calls:
        outcome = _outcome(is_kept(call), call.truth.reason or "no_external")
        expected[call.log, call.call_id, outcome] += len(call.legs)
    with reading(sample.app.engine) as session:
        rows = ledger_rows(session, "call")
    found = Counter(
        (user, _LEG.sub("", source_id), outcome) for (user, _, source_id), outcome in rows.items()
    )
    assert found == expected


_LEG = re.compile(r"(?<=\.\d{4})\D.*$")
"""What a log adds to the call's id to tell its legs apart."""


def test_the_census_is_equal_for_every_account(sample: Sample) -> None:
    for account_id in account_ids(sample.app):
        unequal = [each.channel for each in take_census(sample.app, account_id) if not each.equal]
        assert unequal == [], account_id


# ---- the activities ----


def test_there_is_one_activity_for_each_mail_meeting_and_call_as_the_world_has_it(sample: Sample) -> None:
    with reading(sample.app.engine) as session:
        found = stored_activities(session)
    expected = expected_activities(sample.world, sample.now, _asterisk(sample))
    assert found.keys() == expected.keys()
    different = {
        key: (each.story, found[key].story)
        for key, each in expected.items()
        if found[key].story != each.story
    }
    assert different == {}


def test_a_meeting_counts_as_held_where_the_world_says_so_or_nobody_answered(sample: Sample) -> None:
    with reading(sample.app.engine) as session:
        found = stored_activities(session)
    for key, each in expected_activities(sample.world, sample.now, _asterisk(sample)).items():
        if key[0] != "meeting":
            continue
        held = found[key].story.status == "held"
        assert held or not each.truth.counts, key
        if held and not each.truth.counts:
            event = next(event for event in sample.world.events if event.uid == key[1])
            answers = {guest.response for guest in event.guests if guest.email not in _users(sample)}
            assert not answers & {"ACCEPTED", "TENTATIVE", "DECLINED"} or event.guests[-1].room, key


def _users(sample: Sample) -> set[str]:
    return {user.email for user in sample.world.users}


def _asterisk(sample: Sample) -> frozenset[str]:
    return frozenset(user for user, log in sample.paths.calls.items() if log.mapping is None)


# ---- the deals ----


def test_a_deal_that_is_chosen_is_the_right_one(sample: Sample) -> None:
    """No deal but the true one, save of a call in the slot of a meeting with the same people: that is put down to what the
    meeting is about, while calls of this world fall anywhere. Where the world has none, what goes to a deal all the same is
    near it in time, or names what it is about."""
    with reading(sample.app.engine) as session:
        found = stored_activities(session)
    expected = expected_activities(sample.world, sample.now, _asterisk(sample))
    kinds: dict[str, Counter[LinkKind]] = defaultdict(Counter)
    wrong = []
    for key, each in expected.items():
        kind = judge(sample.world, each, found[key])
        kinds[key[0]][kind] += 1
        if kind == "wrong":
            wrong.append(key)
    total = sum(kinds.values(), Counter[LinkKind]())
    for kind_of_activity, counts in [*kinds.items(), ("all", total)]:
        print(f"{kind_of_activity}: " + ", ".join(f"{name} {counts[name]}" for name in LINK_KINDS))
    linked = total["right"] + sum(total[kind] for kind in ("wrong", "in grace", "only by its words", "named"))
    coverage = total["right"] / (total["right"] + total["abstained"])
    print(f"of all links {total['right'] / linked:.4f}, coverage {coverage:.4f}")
    assert [key for key in wrong if not _is_in_a_meeting(sample, key)] == []
    assert len(wrong) <= 1
    assert total["beside"] == 0
    assert (total["right"] + total["in grace"] + total["named"]) / linked >= 0.97
    assert coverage >= 0.5


def _is_in_a_meeting(sample: Sample, key: Key) -> bool:
    call = next((call for call in sample.world.calls if key == ("call", call.call_id, None)), None)
    return call is not None and meeting_of(sample.world, call, _asterisk(sample)) is not None


# ---- the numbers ----


@pytest.mark.parametrize("name", COUNTED)
def test_a_metric_is_the_count_made_by_hand_for_each_rep_team_and_week(sample: Sample, name: str) -> None:
    count = _count(sample)
    expected = count.cells(COUNTED[name](count))
    assert sum(expected.values()) > 0
    assert _counted(sample, name) == {
        cell: n for cell, n in expected.items() if n and _in_reach(sample, cell[1])
    }


def test_revenue_is_the_sum_made_by_hand_for_each_rep_team_week_and_currency(sample: Sample) -> None:
    expected = _count(sample).revenue_won()
    found = {
        (scope, week, value.currency): value.value
        for scope, week, value in _values(sample, "revenue_won")
        if value.n
    }
    assert found == {cell: amount for cell, amount in expected.items() if _in_reach(sample, cell[1])}


def test_the_win_rate_is_won_over_closed_for_each_rep_team_and_week(sample: Sample) -> None:
    count = _count(sample)
    won, lost = count.cells(count.deals_won()), count.cells(count.deals_lost())
    for scope, week, value in _values(sample, "win_rate"):
        closed = won[scope, week] + lost[scope, week]
        assert (value.numerator or 0, value.denominator) == (won[scope, week], closed)
        assert value.value == (won[scope, week] / closed if closed else None)


@pytest.mark.parametrize("weeks_ago", [0, 6])
def test_the_open_pipeline_is_what_stood_open_that_day(sample: Sample, weeks_ago: int) -> None:
    day = sample.world.last_on - timedelta(weeks=weeks_ago)
    standing = list(_count(sample).open_on(day))
    query = Query(Period(day, day), sample.now, by=("user",))
    with reading(sample.app.engine) as session:
        counts = aggregate(session, metric_named("open_pipeline_count"), query)
        money = aggregate(session, metric_named("open_pipeline_value"), query)
    assert {v.by["user"]: v.value for v in counts if v.value} == Counter(deal.owner for deal in standing)
    expected: Counter[tuple[str, str]] = Counter()
    for deal in standing:
        if deal.amount is not None:
            expected[deal.owner, deal.currency] += deal.amount  # type: ignore[assignment]
    assert {(v.by["user"], v.currency): v.value for v in money if v.n} == expected


def _count(sample: Sample) -> Count:
    return Count(sample.world, sample.now, _asterisk(sample))


def _reach(sample: Sample) -> Period:
    """Two quarters before the end, in whole weeks: deals have a longer history than mail."""
    return Period(sample.world.last_on - timedelta(weeks=26) + timedelta(days=1), sample.world.last_on)


def _in_reach(sample: Sample, week: date) -> bool:
    reach = _reach(sample)
    return reach.start <= week <= reach.end


def _counted(sample: Sample, name: str) -> dict[tuple[str, date], Any]:
    return {(scope, week): value.value for scope, week, value in _values(sample, name) if value.value}


def _values(sample: Sample, name: str) -> Iterable[tuple[str, date, Value]]:
    with reading(sample.app.engine) as session:
        for by in ((), ("team",), ("user",)):
            query = Query(_reach(sample), sample.now, by=by, grain="week")
            for value in aggregate(session, metric_named(name), query):
                yield value.by[by[0]] or "" if by else "", value.period.start, value


# ---- again, in another order, on another database ----


def test_a_second_capture_changes_nothing(sample: Sample) -> None:
    before = _tables(sample.app.engine)
    capture_again(sample)
    after = _tables(sample.app.engine)
    assert [name for name in before if before[name] != after[name]] == []


one_world_will_do = pytest.mark.parametrize(
    "sample", [7], indirect=True, scope="session", ids="seed {}".format
)

SAME_IN_ANY_ORDER = (
    "activity",
    "participant",
    "participation",
    "match",
    "thread_key",
    "activity_alias",
    "metric_day",
)


@one_world_will_do
def test_the_order_in_which_accounts_are_captured_does_not_matter(sample: Sample, tmp_path: Path) -> None:
    backwards = captured(sample.world, sample.paths, tmp_path / "home", backwards=True)
    one, other = _tables(sample.app.engine), _tables(backwards.app.engine)
    assert one["activity"]
    assert [name for name in SAME_IN_ANY_ORDER if one[name] != other[name]] == []


@pytest.mark.postgres
@one_world_will_do
def test_postgresql_holds_the_same_rows(sample: Sample, tmp_path: Path, postgres_url: str) -> None:
    key = sample.app.settings.key_file
    other = captured(sample.world, sample.paths, tmp_path / "home", url=postgres_url, key=key)
    small, large = _tables(sample.app.engine), _tables(other.app.engine)
    other.app.engine.dispose()
    assert [name for name in small if small[name] != large[name]] == []


def _tables(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every table as sorted rows, without what tells only of the run."""
    found = {}
    with reading(engine) as session:
        for name, table in SQLModel.metadata.tables.items():
            columns = [column for column in table.c if column.name not in OF_THE_RUN.get(name, ())]
            rows = session.connection().execute(table.select().with_only_columns(*columns))
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found
