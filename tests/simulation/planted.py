"""Bugs planted in the engine or in a connector for the time of a test: each one was somebody's once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col
from tests.contracts import broken_connectors, broken_engine

from autocapture.errors import RateLimited, ReconnectNeeded
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import QUARANTINED, LedgerEntry
from autocapture.normalize import email as normalize_email
from autocapture.normalize import parts
from autocapture.store import activities, calendar, due, due_accounts, leases, ledger
from autocapture.store.engine import writing
from autocapture.testing.simulation import providers
from autocapture.workflows import capture, connect_account, emails, meetings, outcome, pages, pulling, staging
from autocapture.workflows.pulling import Pulled, Run
from autocapture.workflows.sightings import Told

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]


def connector(family: str, broken: type[Any]) -> Plant:
    """The connection of a family of cursors is replaced by one of `tests.contracts.broken_connectors`."""
    return lambda patch: patch.setattr(providers, family, broken)


def sweeps_on_an_incomplete_page(patch: Patch) -> None:
    store = pages.store_page

    def calls_it_complete(run: Run, pulled: Pulled) -> None:
        store(run, replace(pulled, page=replace(pulled.page, complete=True)))

    patch.setattr(capture, "store_page", calls_it_complete)


def does_not_stamp_what_it_saw_again(patch: Patch) -> None:
    patch.setattr(ledger, "touch", lambda *_: None)


def keeps_what_left_in_quarantine(patch: Patch) -> None:
    leave = ledger.leave

    def readable_alone(session: Session, channel_id: int, source_ids: Iterable[str], at: datetime) -> None:
        held = ledger.held(session, channel_id, list(source_ids))
        leave(session, channel_id, [key for key, entry in held.items() if entry.outcome != QUARANTINED], at)

    patch.setattr(ledger, "leave", readable_alone)


def forgets_to_queue_what_changed(patch: Patch) -> None:
    patch.setattr(activities, "_queue", lambda session, items, now: None)


def queues_every_copy_of_a_mail(patch: Patch) -> None:
    """The CRM is told once more of a mail that another mailbox shows too."""
    store, queue = emails.store_emails, activities._queue

    def twice(session: Session, staged: Sequence[Any], scope: Any, now: Any, **named: Any) -> None:
        store(session, staged, scope, now, **named)
        shown = {item.entry.activity_id for item in staged if item.draft is not None}
        queue(session, list(activities.load(session, shown - {None}).values()), now)

    patch.setattr(pages, "store_emails", twice)


def ignores_retry_after(patch: Patch) -> None:
    failed = outcome.failed

    def at_once(app: Any, lease: Any, problem: Exception, report: Any) -> None:
        if isinstance(problem, RateLimited):
            problem.retry_after = timedelta(seconds=1)
        failed(app, lease, problem, report)

    patch.setattr(outcome, "failed", at_once)


def tries_a_dead_login_again(patch: Patch) -> None:
    failed = outcome.failed

    def goes_on(app: Any, lease: Any, problem: Exception, report: Any) -> None:
        failed(app, lease, problem, report)
        if isinstance(problem, ReconnectNeeded):
            with writing(app.engine) as session:
                session.execute(
                    update(Account).where(col(Account.id) == lease.account_id).values(state="active")
                )

    patch.setattr(outcome, "failed", goes_on)


def loses_cursors_when_reconnecting(patch: Patch) -> None:
    wake = connect_account.wake_channels

    def from_the_start(session: Session, account_id: int, *, anew: bool) -> None:
        wake(session, account_id, anew=anew)
        session.execute(update(Channel).where(col(Channel.account_id) == account_id).values(cursor=None))

    patch.setattr(connect_account, "wake_channels", from_the_start)


def excludes_only_at_first_sight(patch: Patch) -> None:
    """What is held is judged as it was when it came."""
    sort = pulling.sort_items
    patch.setattr(pulling, "sort_items", lambda items, held, *, reread=False: sort(items, held))


def keeps_the_last_copy_alone(patch: Patch) -> None:
    """The second mailbox's copy replaces what the first one's told."""

    def everything_anew(session: Session, stored: Any, staged: Any, scope: Any) -> Told:
        return Told(set(stored), {})

    patch.setattr(emails, "told_anew", everything_anew)


def loses_the_second_sighting(patch: Patch) -> None:
    """Of two mailboxes that show a mail, only the first is told in the ledger."""
    write = ledger.write

    def first_alone(session: Session, lines: Sequence[Any]) -> None:
        for line in lines:
            elsewhere = select(LedgerEntry).where(
                col(LedgerEntry.activity_id) == line.activity_id,
                col(LedgerEntry.channel_id) != line.channel_id,
            )
            if line.activity_id is not None and session.scalars(elsewhere).first() is not None:
                line.activity_id = None
        write(session, lines)

    patch.setattr(ledger, "write", first_alone)


def leaves_its_lease_behind(patch: Patch) -> None:
    patch.setattr(leases, "release", lambda *_: None)


def waits_for_a_clock_that_was_wrong(patch: Patch) -> None:
    def never(now: datetime, longest: timedelta) -> datetime:
        return datetime.max.replace(tzinfo=UTC)

    for module in (due, due_accounts, leases, ledger):
        patch.setattr(module, "far_ahead", never)


def removes_without_marking_the_day(patch: Patch) -> None:
    patch.setattr(activities, "mark_dirty", lambda *_: None)


def lets_departed_copies_tell_what_is_private(patch: Patch) -> None:
    patch.setattr(meetings, "forget_departed", lambda *_: set())


def counts_a_mail_whole_for_each(patch: Patch) -> None:
    """A mail of two reps is one for each of them, and two for their team."""
    share = normalize_email.shared
    patch.setattr(
        normalize_email, "shared", lambda given: tuple(parts._with_share(part, 1.0) for part in share(given))
    )


def tells_mails_apart_by_their_mailbox(patch: Patch) -> None:
    """What two mailboxes show is two."""
    draft_email = staging.draft_email

    def of_this_mailbox(record: Any, owner: Any, *rest: Any, **named: Any) -> Any:
        draft = draft_email(record, owner, *rest, **named)
        return replace(draft, dedupe_key=f"{draft.dedupe_key} of {owner.user_id}")

    patch.setattr(staging, "draft_email", of_this_mailbox)
    patch.setattr(activities, "with_fingerprints", lambda *_: {})


def forgets_who_stands_last(patch: Patch) -> None:
    """Of who takes part in a mail, one is not stored."""
    draft_email = staging.draft_email

    def of_the_others(*given: Any, **named: Any) -> Any:
        draft = draft_email(*given, **named)
        return replace(draft, parties=draft.parties[:-1])

    patch.setattr(staging, "draft_email", of_the_others)


def keeps_a_meeting_as_it_came(patch: Patch) -> None:
    """A calendar's copy that is held is not replaced by what it says now."""
    save = calendar.save

    def new_alone(session: Session, rows: Sequence[Any], now: datetime) -> None:
        save(session, [row for row in rows if not calendar.series_of(session, row[0], [row[1]])], now)

    patch.setattr(calendar, "save", new_alone)


PLANTED: dict[str, tuple[Plant, str]] = {
    "the cursor is stored before the rows": (
        broken_engine.commits_the_cursor_before_the_records,
        "lost|outdated|ghost",
    ),
    "the lease has no fence": (broken_engine.ignores_the_fence, "without its lease"),
    "everything listed is written blindly": (broken_engine.writes_blindly, "does not come to rest"),
    "an incomplete page is swept": (sweeps_on_an_incomplete_page, "disappeared|lost|does not come to rest"),
    "what is seen again is not stamped": (does_not_stamp_what_it_saw_again, "disappeared|lost"),
    "changes are not queued for the CRM": (forgets_to_queue_what_changed, "the CRM was told"),
    "the CRM is told of every copy": (queues_every_copy_of_a_mail, "told again"),
    "quarantine is not swept": (keeps_what_left_in_quarantine, "ghost"),
    "a reset does not sweep": (broken_engine.resets_without_a_sweep, "ghost|doubled"),
    "Retry-After is ignored": (ignores_retry_after, "before its Retry-After"),
    "a dead login is tried again": (tries_a_dead_login_again, "dead login"),
    "reconnecting loses the cursors": (loses_cursors_when_reconnecting, "reconnecting lost a cursor"),
    "items are excluded only at first sight": (excludes_only_at_first_sight, "misjudged|kept"),
    "what left tells what is private by now": (lets_departed_copies_tell_what_is_private, "kept"),
    "the last copy replaces the others": (keeps_the_last_copy_alone, "merged|parties"),
    "the second sighting is lost": (loses_the_second_sighting, "sighting|unexplained"),
    "what left a channel loses its activity": (
        broken_engine.deletes_the_activity_of_what_left_a_channel,
        "lost|sighting|unexplained",
    ),
    "a reset wipes the store": (broken_engine.wipes_the_store_at_a_reset, "disappeared"),
    "a failed fetch is passed over": (
        broken_engine.advances_past_a_failed_fetch,
        "lost|before its Retry-After",
    ),
    "poison is never read again": (broken_engine.forgets_to_read_poison_again, "misjudged|ghost"),
    "the lease is not handed back": (leaves_its_lease_behind, "lease is held|not captured any more"),
    "a clock that was wrong is waited for": (waits_for_a_clock_that_was_wrong, "not captured any more"),
    "removals leave the rollups as they were": (removes_without_marking_the_day, "rollups"),
    "a mail counts whole for each rep": (counts_a_mail_whole_for_each, "^shares:"),
    "a mail is another one in each mailbox": (tells_mails_apart_by_their_mailbox, "^doubled:"),
    "one who takes part is not stored": (forgets_who_stands_last, "^parties:"),
    "a changed meeting stays as it came": (keeps_a_meeting_as_it_came, "^outdated:"),
    "an expired cursor is swallowed": (
        connector("FeedConnection", broken_connectors.ExpiredCursorSwallowed),
        "lost|ghost|misjudged|outdated",
    ),
    "the watermark is read after listing": (
        connector("FeedConnection", broken_connectors.WatermarkReadAfterListing),
        "lost|ghost|misjudged|outdated",
    ),
    "UIDVALIDITY is ignored": (
        connector("UidConnection", broken_connectors.ValidityIgnored),
        "lost|ghost|misjudged|outdated",
    ),
    "the range is open": (
        connector("WindowConnection", broken_connectors.OpenRange),
        "lost|ghost|misjudged|outdated",
    ),
}
"""By name: how it is planted, and how the simulation names it (a regular expression)."""

QUICKLY_FOUND = frozenset(
    {
        "everything listed is written blindly",
        "the CRM is told of every copy",
        "the second sighting is lost",
        "poison is never read again",
        "the lease is not handed back",
        "a clock that was wrong is waited for",
        "a changed meeting stays as it came",
        "one who takes part is not stored",
    }
)
"""Those that a few worlds find: cheap enough for every test run."""
