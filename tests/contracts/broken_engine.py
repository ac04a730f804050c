"""Bugs of the engine, planted by replacing one of its functions for the time of a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from autocapture.errors import TryLater
from autocapture.model.accounts import Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.store import activities, leases, ledger
from autocapture.store.engine import writing
from autocapture.workflows import capture, pages, pulling, reading, staging
from autocapture.workflows.pulling import Pulled, Run
from autocapture.workflows.reading import Answer

Patch = pytest.MonkeyPatch


def advances_past_a_failed_fetch(patch: Patch) -> None:
    read = reading.read

    def forgiving(*arguments: Any) -> list[Answer]:
        try:
            return read(*arguments)
        except TryLater:
            return []

    patch.setattr(pulling, "read", forgiving)


def resets_without_a_sweep(patch: Patch) -> None:
    patch.setattr(pages, "_sweep", lambda *_: ([], 0))


def commits_the_cursor_before_the_records(patch: Patch) -> None:
    store = pages.store_page

    def two_transactions(run: Run, pulled: Pulled) -> None:
        with writing(run.app.engine) as session:
            leases.renew(session, run.lease, run.app.clock.now())
            session.execute(
                update(Channel).where(col(Channel.id) == run.channel_id).values(cursor=pulled.page.cursor)
            )
        store(run, pulled)

    patch.setattr(capture, "store_page", two_transactions)


def deletes_the_activity_of_what_left_a_channel(patch: Patch) -> None:
    leave = pages._leave

    def deletes(session: Session, run: Run, source_ids: Sequence[str]) -> None:
        leave(session, run, source_ids)
        left = select(col(LedgerEntry.activity_id)).where(
            col(LedgerEntry.channel_id) == run.channel_id, col(LedgerEntry.source_id).in_(source_ids)
        )
        ids = {activity_id for activity_id in session.scalars(left) if activity_id is not None}
        stored = activities.load(session, ids)
        session.execute(
            update(LedgerEntry).where(col(LedgerEntry.activity_id).in_(stored)).values(activity_id=None)
        )
        activities.remove(session, list(stored.values()))

    patch.setattr(pages, "_leave", deletes)


def writes_blindly(patch: Patch) -> None:
    """Whatever is listed is written again, held or not."""
    sort = pulling.sort_items
    patch.setattr(pulling, "sort_items", lambda items, held, **named: sort(items, {}, **named))


def makes_another_activity_of_every_reading(patch: Patch) -> None:
    stage = staging.stage
    readings: list[None] = []

    def new_key(*arguments: Any, **named: Any) -> Any:
        staged = stage(*arguments, **named)
        readings.append(None)
        if staged.draft is not None:
            object.__setattr__(staged.draft, "dedupe_key", f"{staged.draft.dedupe_key} {len(readings)}")
        return staged

    for module in (pulling, reading):  # what a page brings whole, and what it only lists
        patch.setattr(module, "stage", new_key)


def wipes_the_store_at_a_reset(patch: Patch) -> None:
    reset = capture._reset

    def wipes(run: Run, why: str) -> None:
        with writing(run.app.engine) as session:
            pages._leave(session, run, sorted(ledger.live_ids(session, run.channel_id)))
        reset(run, why)

    patch.setattr(capture, "_reset", wipes)


def ignores_the_fence(patch: Patch) -> None:
    patch.setattr(leases, "renew", lambda *_: None)


def forgets_to_read_poison_again(patch: Patch) -> None:
    patch.setattr(capture, "read_again_what_is_due", lambda run: None)
