"""The tasks that jobs name. Each decides from the rows what there is to do, so a job that comes twice is harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from autocapture.application import Application
from autocapture.jobs.queue import Job
from autocapture.workflows.capture import capture_account
from autocapture.workflows.creating import create_contacts
from autocapture.workflows.dead_logins import tell_of_dead_logins
from autocapture.workflows.delegation_told import tell_operators
from autocapture.workflows.invitation_mails import send_invitations
from autocapture.workflows.late_knowledge import settle_late_knowledge
from autocapture.workflows.meetings import settle_meetings
from autocapture.workflows.rollups import refresh_rollups
from autocapture.workflows.signatures import read_signatures
from autocapture.workflows.stall import check_habits
from autocapture.workflows.subscriptions import keep_watched
from autocapture.workflows.weekly import publish_due_summaries

CAPTURE = "capture"
KEEP_WATCHED = "keep_watched"
CHECK_HABITS = "check_habits"
CREATE_CONTACTS = "create_contacts"
REFRESH_ROLLUPS = "refresh_rollups"
PUBLISH_SUMMARIES = "publish_summaries"
SETTLE_HISTORY = "settle_history"
SETTLE_MEETINGS = "settle_meetings"
SETTLE_CALENDARS = "settle_calendars"
TELL_OF_DEAD_LOGINS = "tell_of_dead_logins"
SEND_INVITATIONS = "send_invitations"

log = structlog.get_logger()


def tasks(app: Application, should_stop: Callable[[], bool]) -> Mapping[str, Callable[[Job], None]]:
    """Every task by name. `should_stop` ends a capture after the page that is under way."""

    def capture(job: Job) -> None:
        report = capture_account(app, int(job.args["account_id"]), should_stop=should_stop)
        if report.listed or report.status != "ok":
            log.info(
                "captured",
                account_id=report.account_id,
                status=report.status,
                captured=report.captured,
                skipped=report.skipped.total(),
                quarantined=report.quarantined,
            )

    def create(_job: Job) -> None:
        report = create_contacts(app)
        read_signatures(app)
        if report.newcomers:
            log.info("contacts_created", batch=report.batch_id, count=len(report.newcomers))

    return {
        CAPTURE: capture,
        CHECK_HABITS: lambda _job: _ignore(check_habits(app)),
        CREATE_CONTACTS: create,
        KEEP_WATCHED: lambda job: _ignore(keep_watched(app, int(job.args["account_id"]))),
        REFRESH_ROLLUPS: lambda _job: _ignore(refresh_rollups(app)),
        PUBLISH_SUMMARIES: lambda _job: _ignore(publish_due_summaries(app)),
        SETTLE_HISTORY: lambda _job: _ignore(settle_late_knowledge(app)),
        SETTLE_MEETINGS: lambda _job: _ignore(settle_meetings(app)),
        SETTLE_CALENDARS: lambda _job: _ignore(settle_meetings(app, whole_calendar=True)),
        SEND_INVITATIONS: lambda _job: _ignore(send_invitations(app, should_stop=should_stop)),
        TELL_OF_DEAD_LOGINS: lambda _job: _ignore(tell_of_dead_logins(app) + tell_operators(app)),
    }


def _ignore(_count: int) -> None:
    """A task answers nothing; what it did is in the rows."""
