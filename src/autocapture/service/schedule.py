"""The schedule, as data: what is asked for, and how often. What is due is decided from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from autocapture.application import Application
from autocapture.jobs.queue import Job
from autocapture.jobs.tasks import (
    CAPTURE,
    CHECK_HABITS,
    CREATE_CONTACTS,
    KEEP_WATCHED,
    PUBLISH_SUMMARIES,
    REFRESH_ROLLUPS,
    SEND_INVITATIONS,
    SETTLE_CALENDARS,
    SETTLE_HISTORY,
    SETTLE_MEETINGS,
    TELL_OF_DEAD_LOGINS,
)
from autocapture.service.ticker import Tick
from autocapture.workflows.capture import A_MOMENT, accounts_done_waiting, due_accounts
from autocapture.workflows.invitation_mails import invitations_wait
from autocapture.workflows.late_knowledge import history_is_left
from autocapture.workflows.subscriptions import accounts_to_watch

SOON_ENOUGH = timedelta(minutes=10)
"""For rollups: days that are not settled are counted from rows all the same, and while mail comes in, the same rep's day is
dirty again a minute later. Every minute, they would cost more than a third of all processor time that a mail takes."""


def schedule(app: Application) -> tuple[Tick, ...]:
    def capture() -> Iterator[Job]:
        return (Job(CAPTURE, {"account_id": account_id}) for account_id in due_accounts(app))

    def go_on() -> Iterator[Job]:
        return (Job(CAPTURE, {"account_id": account_id}) for account_id in accounts_done_waiting(app))

    def watch() -> Iterator[Job]:
        return (Job(KEEP_WATCHED, {"account_id": account_id}) for account_id in accounts_to_watch(app))

    def invite() -> Iterator[Job]:
        return iter([Job(SEND_INVITATIONS)] if invitations_wait(app) else [])

    def settle_history() -> Iterator[Job]:
        return iter([Job(SETTLE_HISTORY)] if history_is_left(app) else [])

    return (
        Tick("capture", A_MOMENT, capture),
        Tick("waits", timedelta(seconds=1), go_on),
        Tick("subscriptions", timedelta(seconds=15), watch),
        Tick("habits", timedelta(hours=1), lambda: [Job(CHECK_HABITS)]),
        Tick("contacts", timedelta(minutes=1), lambda: [Job(CREATE_CONTACTS)]),
        Tick("rollups", SOON_ENOUGH, lambda: [Job(REFRESH_ROLLUPS)]),
        Tick("invitations", timedelta(seconds=10), invite),
        Tick("dead logins", timedelta(minutes=1), lambda: [Job(TELL_OF_DEAD_LOGINS)]),
        Tick("summaries", timedelta(minutes=5), lambda: [Job(PUBLISH_SUMMARIES)]),
        Tick("history", timedelta(minutes=1), settle_history),
        Tick("meetings", timedelta(minutes=5), lambda: [Job(SETTLE_MEETINGS)]),
        Tick("calendars", timedelta(days=1), lambda: [Job(SETTLE_CALENDARS)]),
    )
