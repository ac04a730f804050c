"""The engine over the connector: what a first import costs and how long it takes, and that a census finds nothing missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.connectors.google.account import MAIL, write, write_many
from tests.contracts.google_worlds import GmailWorld, SignedIn

from autocapture.connector import Tools
from autocapture.testing.fakes.google import FakeGoogle
from autocapture.testing.loop import START, Loop
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census

LIMIT = 6_000
WINDOW = 60.5
SINCE = date(2026, 9, 1)


def since(tools: Tools) -> Tools:
    return replace(tools, since=SINCE)


@pytest.fixture
def import_(google: FakeGoogle) -> Iterator[tuple[GmailWorld, Loop]]:
    """A mailbox that is captured from a day on, through the budget that the database keeps."""
    world = GmailWorld(google)
    world.connector = SignedIn(google.grant(world.address, MAIL), since)
    with Loop(world, page_limit=500) as loop:
        yield world, loop


def run(loop: Loop) -> str:
    return str(capture_account(loop.app, loop.account_id, worker="import").status)


def wait(loop: Loop) -> None:
    loop.clock.advance(max(loop.throttled_until() - loop.clock.now(), timedelta(seconds=1)))


def subjects(loop: Loop) -> set[str]:
    return set(loop.activities())


def test_a_first_import_uses_the_quota_and_no_more_and_hides_no_new_mail() -> None:
    with FakeGoogle() as google:
        world = GmailWorld(google)
        world.connector = SignedIn(google.grant(world.address, MAIL), since)
        write_many(world.user, 900, newest=START, apart=timedelta(minutes=90))
        with Loop(world, page_limit=500) as loop:
            google.clock, google.quota.user = loop.clock, LIMIT
            began, seen_after = loop.clock.now(), None
            while run(loop) == "rate_limited":
                if seen_after is None and len(subjects(loop)) > 300:
                    urgent, urgent_at = write(world.user, loop.clock.now(), "urgent"), loop.clock.now()
                    assert urgent.id in world.user.mailbox.messages
                    seen_after = timedelta(0)
                elif seen_after == timedelta(0) and "urgent" in subjects(loop):
                    seen_after = loop.clock.now() - urgent_at
                wait(loop)
            took = (loop.clock.now() - began).total_seconds()
            assert len(subjects(loop)) >= 901
            assert google.quota.refused == 0
            assert (
                google.quota.spent / (LIMIT * (took / WINDOW + 1)) > 0.75
            )  # of windows that are begun and not filled
            assert google.calls["gmail.messages.get"] <= 925  # nothing was read twice
            assert seen_after is not None
            assert timedelta(0) < seen_after <= timedelta(minutes=2)


def test_a_census_finds_what_is_in_scope_and_nothing_else(import_: tuple[GmailWorld, Loop]) -> None:
    world, loop = import_
    mailbox = world.user.mailbox
    write_many(world.user, 60, newest=START, apart=timedelta(days=2))  # half of them are older
    while run(loop) == "rate_limited":
        wait(loop)
    write(world.user, START - timedelta(days=300), "migrated")
    write(world.user, START, "draft", labels={"DRAFT"})
    trashed = write(world.user, START - timedelta(days=1), "trashed and back")
    mailbox.label(trashed.id, "TRASH")
    old_trash = write(world.user, START - timedelta(days=400), "old trash", labels={"TRASH"})
    assert run(loop) == "ok"
    mailbox.unlabel(trashed.id, "TRASH")
    mailbox.unlabel(old_trash.id, "TRASH")
    assert run(loop) == "ok"
    (counted,) = take_census(loop.app, loop.account_id)
    assert counted.equal, (counted.missing, counted.left)
    assert counted.at_source == counted.in_ledger == sum(counted.outcomes.values()) == 40
