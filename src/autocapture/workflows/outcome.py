"""What a capture came to, written where the next one finds it: who must act, and how long to wait."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import bindparam, or_, update
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connect.retry_after import LONGEST
from autocapture.errors import (
    AutocaptureError,
    CursorExpired,
    DelegationRefused,
    RateLimited,
    ReconnectNeeded,
    SetupError,
    TryLater,
    Unreachable,
)
from autocapture.model.accounts import LONG_AGO, Account, Channel
from autocapture.model.columns import stable_id
from autocapture.store import leases
from autocapture.store.bulk import table_of
from autocapture.store.engine import writing
from autocapture.store.leases import Lease
from autocapture.workflows.delegation import as_whose_it_is, note_refused
from autocapture.workflows.pulling import Run
from autocapture.workflows.report import CaptureReport

log = structlog.get_logger()

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=2)
"""Longer than any wait that is written down here: what is further away, a clock that was ahead wrote."""
_ACCOUNT = table_of(Account)
_WAITED = or_(_ACCOUNT.c.fails > 0, _ACCOUNT.c.throttle_until > bindparam("present"))
_WAITS_NO_MORE = (
    _ACCOUNT.update().where(_ACCOUNT.c.id == bindparam("of")).values(fails=0, throttle_until=LONG_AGO)
)
_WENT_IN_PART = _WAITS_NO_MORE.where(_WAITED).values(why=bindparam("told"))
_WENT_WELL = _WAITS_NO_MORE.where(or_(_WAITED, _ACCOUNT.c.why.is_not(None))).values(why=None)


def channel_failed(run: Run, problem: Unreachable | SetupError) -> None:
    """One channel cannot be read. It is told, it wakes after the interval, and the account's other channels go on."""
    now = run.app.clock.now()
    run.report.status = "incomplete"
    run.report.why = f"{run.channel.name}: {problem}"
    interval = timedelta(seconds=run.app.settings.capture.interval_seconds)
    with writing(run.app.engine) as session:
        leases.renew(session, run.lease, now)
        session.execute(
            update(Channel)
            .where(col(Channel.id) == run.channel_id)
            .values(last_error=str(problem), wake_at=now + interval * spread(run.channel_id, now))
        )
        session.execute(
            update(Account).where(col(Account.id) == run.lease.account_id).values(why=run.report.why)
        )
    log.warning("channel_failed", account_id=run.lease.account_id, channel_id=run.channel_id)


def succeeded(session: Session, lease: Lease, report: CaptureReport, now: datetime) -> None:
    """The account as a whole was captured, if perhaps not every channel of it. A wait that a clock ahead of time wrote down is
    over: once the clock is right, it would begin when that time is near."""
    values = {"of": lease.account_id, "present": now}
    if report.status == "incomplete":
        session.connection().execute(_WENT_IN_PART, {**values, "told": report.why})
    else:
        session.connection().execute(_WENT_WELL, values)


_PASSING = (TryLater, CursorExpired)
"""A position that is refused where none was given is the word of a proxy."""


def failed(app: Application, lease: Lease, problem: Exception, report: CaptureReport) -> None:
    """What the error's type asks for: wait, or stop until somebody acts. Cursors and channels stay as they are.

    The text of an error that is none of ours may quote anything, so only its type is kept.
    """
    now = app.clock.now()
    with writing(app.engine) as session:
        leases.renew(session, lease, now)
        account = session.get_one(Account, lease.account_id)
        problem = as_whose_it_is(app, account, problem)
        ours = isinstance(problem, AutocaptureError)
        report.why = str(problem) if ours else f"internal error: {type(problem).__name__}"
        account.why = report.why
        wait = _backoff(account.fails, lease.account_id, now)
        match problem:
            case ReconnectNeeded():
                report.status = account.state = "needs_reconnect"
                wait = timedelta(0)
            case RateLimited():
                report.status = "rate_limited"
                wait = min(problem.retry_after or wait, LONGEST)
            case _:
                report.status = (
                    "unreachable" if isinstance(problem, _PASSING) else "setup" if ours else "broken"
                )
                account.fails += 1
                if isinstance(problem, DelegationRefused):
                    note_refused(session, account, problem, now)
        account.throttle_until = now + wait
        session.add(account)
    tell = log.info if isinstance(problem, RateLimited) else log.warning  # an import waits all the time
    tell("capture_failed", account_id=lease.account_id, status=report.status, error=type(problem).__name__)


def _backoff(fails: int, account_id: int, now: datetime) -> timedelta:
    """Doubling from half a minute to an hour."""
    wait = min(FIRST_BACKOFF * (1 << min(fails, 10)), LONGEST_BACKOFF)
    return wait * spread(account_id, now)


def spread(number: int, now: datetime) -> float:
    """Between 0.9 and 1.1, so that what started together does not return together; the same for the same run."""
    return 0.9 + stable_id(f"{number} {now.isoformat()}") % 2_000 / 10_000
