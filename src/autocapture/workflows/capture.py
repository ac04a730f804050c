"""Capture: one run over one connected account, page by page, until every channel is at rest.

The network is asked outside any transaction; then one transaction stores the page: activities, matches, ledger rows, outbox,
dirty metric cells and the cursor, fenced by the account's lease. Killed anywhere, the next run reads the same page again and
the same rows come out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, bindparam, or_, select, update
from sqlmodel import col

from autocapture.admit.exclusions import Exclusions
from autocapture.application import Application
from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    CursorExpired,
    InputError,
    LeaseLost,
    RateLimited,
    ReconnectNeeded,
    SetupError,
    StoreBusy,
    TryLater,
    Unreachable,
)
from autocapture.model.accounts import Account, Channel
from autocapture.model.columns import stable_id
from autocapture.model.directory import Organization
from autocapture.store import leases, ledger
from autocapture.store.bulk import in_chunks, table_of
from autocapture.store.engine import reading, writing
from autocapture.store.leases import Lease
from autocapture.workflows import collector
from autocapture.workflows.channels import discover, switch_off
from autocapture.workflows.exclusions import load_exclusions
from autocapture.workflows.open_account import open_account
from autocapture.workflows.pages import read_again_what_is_due, store_page
from autocapture.workflows.people import our_people
from autocapture.workflows.pulling import Run, pull
from autocapture.workflows.reading_ahead import ReadAhead
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.staging import Scope
from autocapture.workflows.workers import dead_workers, worker_name

log = structlog.get_logger()

MOST_RESETS = 3  # of one channel in one run; more means a provider whose cursors never hold
REST_EVERY = 60.0  # seconds; well below the lease
LONGEST_BACKOFF = timedelta(hours=1)
FIRST_BACKOFF = timedelta(seconds=30)

Progress = Callable[[str, int], None]
"""Called after each stored page with the channel's name and the number of items handled in it."""


def due_accounts(app: Application) -> list[int]:
    """Accounts to capture now, the most overdue first: active, not throttled, not leased, with a channel that is due or
    none discovered yet."""
    with reading(app.engine) as session:
        due = _due(app.clock.now(), dead_workers(session))
        return [account_id for account_id in session.scalars(due) if account_id is not None]


def _due(now: datetime, dead: Collection[str]) -> Select[int | None]:
    due = (
        select(col(Channel.account_id))
        .where(col(Channel.enabled), col(Channel.wake_at) <= now)
        .where(col(Channel.account_id) == col(Account.id))
    )
    undiscovered = ~select(col(Channel.id)).where(col(Channel.account_id) == col(Account.id)).exists()
    return (
        select(col(Account.id))
        .where(
            col(Account.state) == "active",
            col(Account.throttle_until) <= now,
            leases.is_free(now, dead),
            or_(due.exists(), undiscovered),
        )
        .order_by(
            select(col(Channel.wake_at))
            .where(col(Channel.account_id) == col(Account.id), col(Channel.enabled))
            .order_by(col(Channel.wake_at))
            .limit(1)
            .scalar_subquery(),
            col(Account.id),
        )
    )


def capture_account(
    app: Application,
    account_id: int,
    *,
    worker: str | None = None,
    resync: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> CaptureReport:
    """Pulls everything new in every channel of one account. Raises InputError for an unknown account, StoreBusy.

    `resync` enumerates every channel from the start, and reads and judges everything once more.
    """
    report = CaptureReport(account_id)
    with writing(app.engine) as session:
        account = session.get(Account, account_id)
        if account is None:
            raise InputError(f"there is no account {account_id}")
        if account.state != "active":
            report.status, report.why = account.state, account.why
            return report
        owner = worker or worker_name()
        lease = leases.claim(session, account_id, owner, app.clock.now(), dead_workers(session))
    if lease is None:
        report.status, report.why = "busy", "another worker is capturing this account"
        return report
    try:
        try:
            _capture(app, account, lease, report, resync, progress, should_stop or _never)
            _succeeded(app, lease, report)
        except (LeaseLost, StoreBusy):
            raise
        except (
            Exception
        ) as problem:  # whatever it is, it is told and waits: an account must not fail at every tick
            _failed(app, lease, problem, report)
    except LeaseLost as lost:
        report.status, report.why = "busy", str(lost)
    finally:
        with writing(app.engine) as session:
            leases.release(session, lease)
    return report


def release_leases(app: Application, worker: str | None = None) -> int:
    """Hands back every lease of this process, for a clean stop; the number of leases."""
    with writing(app.engine) as session:
        return leases.release_all(session, worker or worker_name())


def _never() -> bool:
    return False


def _capture(
    app: Application,
    account: Account,
    lease: Lease,
    report: CaptureReport,
    resync: bool,
    progress: Progress | None,
    should_stop: Callable[[], bool],
) -> None:
    organization = our_people(app)
    exclusions = load_exclusions(app.settings.capture.exclusions_file)
    finished: set[int] = set()
    while True:
        with open_account(app, account) as connection, ReadAhead(app, lease.account_id) as ahead:
            queue = deque(
                Run(
                    app,
                    lease,
                    connection,
                    ahead,
                    channel,
                    _scope(account, channel, organization, exclusions),
                    report,
                )
                for channel in discover(app, lease, connection, resync=resync and not finished)
                if channel.id not in finished
            )
            at_rest: list[Run] = []
            try:
                broken = _pull_all(app, lease, queue, at_rest, finished, progress, should_stop)
            finally:
                _rest(app, lease, at_rest)
        if broken is None:
            return


def _pull_all(
    app: Application,
    lease: Lease,
    queue: deque[Run],
    at_rest: list[Run],
    finished: set[int],
    progress: Progress | None,
    should_stop: Callable[[], bool],
) -> Run | None:
    """Page after page until the queue is empty. Channels with no more news are collected in `at_rest`, and their rows written
    together now and then: a pass over a hundred quiet folders is one transaction, and the lease is kept.

    A channel that cannot be read ends the pass, since its connection may be dead: it is returned, and the others go on over
    a new connection.
    """
    with reading(app.engine) as session:
        to_retry = ledger.channels_to_retry(session, app.clock.now())
    resets: Counter[int] = Counter()
    rested = app.clock.monotonic()
    while queue:
        run = queue.popleft()
        if should_stop():
            run.report.status = "stopped"
            return None
        try:
            more = _pull_once(run, progress)
        except CursorExpired as expired:
            resets[run.channel_id] += 1
            _reset(run, str(expired))
            more = True
            if resets[run.channel_id] > MOST_RESETS:
                _fault(run, Unreachable(f"the cursor expired {MOST_RESETS} times in a row"), finished)
                return run
        except ChannelGone:
            switch_off(app, lease, run.channel_id)
            continue
        except (Unreachable, SetupError) as problem:
            _fault(run, problem, finished)
            return run
        if more or _is_to_be_seen_twice(run):
            queue.append(run)  # to the back: a long backfill must not starve today's mail
            continue
        if run.told_again or run.channel_id in to_retry:
            read_again_what_is_due(run)
        finished.add(run.channel_id)
        at_rest.append(run)
        if app.clock.monotonic() - rested > REST_EVERY:
            _rest(app, lease, at_rest)
            rested = app.clock.monotonic()
    return None


def _is_to_be_seen_twice(run: Run) -> bool:
    """Whether the channel is enumerated once more before much of it is taken for gone. Mail that left stays counted, so a
    second look at once will do; a meeting would be cancelled, so a calendar is looked at again by a later run."""
    return run.channel.cursor is None and run.channel.kind != "event"


def _fault(run: Run, problem: Unreachable | SetupError, finished: set[int]) -> None:
    """One channel cannot be read. It is told, it wakes after the interval, and the account's other channels go on."""
    now = run.app.clock.now()
    finished.add(run.channel_id)
    run.report.status = "incomplete"
    run.report.why = f"{run.channel.name}: {problem}"
    interval = timedelta(seconds=run.app.settings.capture.interval_seconds)
    with writing(run.app.engine) as session:
        leases.renew(session, run.lease, now)
        session.execute(
            update(Channel)
            .where(col(Channel.id) == run.channel_id)
            .values(last_error=str(problem), wake_at=now + interval * _spread(run.channel_id, now))
        )
        session.execute(
            update(Account).where(col(Account.id) == run.lease.account_id).values(why=run.report.why)
        )
    log.warning("channel_failed", account_id=run.lease.account_id, channel_id=run.channel_id)


def _scope(account: Account, channel: Channel, organization: Organization, exclusions: Exclusions) -> Scope:
    if account.id is None or channel.id is None:
        raise AssertionError("stored rows have ids")
    return Scope(
        channel_id=channel.id,
        account_id=account.id,
        owner=organization.colleagues[account.user_id],
        organization=organization,
        exclusions=exclusions,
        level=account.capture_level,  # type: ignore[arg-type]
        since=account.since,
    )


def _pull_once(run: Run, progress: Progress | None) -> bool:
    with collector.at_rest():
        pulled = pull(run)
        store_page(run, pulled)
    if progress is not None:
        progress(run.channel.name, len(pulled.page.items))
    return pulled.page.more


def _reset(run: Run, why: str) -> None:
    """A new generation beside the live rows: nothing is wiped."""
    log.info("channel_reset", channel_id=run.channel_id, account_id=run.lease.account_id)
    run.channel.cursor, run.channel.mid_run, run.following = None, False, None
    with writing(run.app.engine) as session:
        leases.renew(session, run.lease, run.app.clock.now())
        session.execute(
            update(Channel)
            .where(col(Channel.id) == run.channel_id)
            .values(cursor=None, mid_run=False, last_error=why)
        )


def _rest(app: Application, lease: Lease, at_rest: list[Run]) -> None:
    """These channels are at rest; each wakes after the interval, unless news came in the meantime. Empties the list."""
    if not at_rest:
        return
    now = app.clock.now()
    interval = timedelta(seconds=app.settings.capture.interval_seconds)
    channel = table_of(Channel)
    statement = (
        channel.update()
        .where(channel.c.id == bindparam("of"), channel.c.wake_at == bindparam("was"))
        .values(wake_at=bindparam("next"))
    )
    waking = [
        {
            "of": run.channel_id,
            "was": run.channel.wake_at,
            "next": now + interval * _spread(run.channel_id, now),
        }
        for run in at_rest
    ]
    with writing(app.engine) as session:
        leases.renew(session, lease, now)
        session.connection().execute(statement, waking)
        for ids in in_chunks([run.channel_id for run in at_rest]):
            session.execute(
                update(Channel).where(col(Channel.id).in_(ids)).values(last_ok_at=now, last_error=None)
            )
    at_rest.clear()


def _succeeded(app: Application, lease: Lease, report: CaptureReport) -> None:
    with writing(app.engine) as session:
        well = (
            col(Account.fails) > 0
            if report.status == "incomplete"
            else or_(col(Account.fails) > 0, col(Account.why).is_not(None))
        )
        session.execute(
            update(Account)
            .where(col(Account.id) == lease.account_id, well)
            .values(fails=0, why=report.why if report.status == "incomplete" else None)
        )


def _failed(app: Application, lease: Lease, problem: Exception, report: CaptureReport) -> None:
    """What the error's type asks for: wait, or stop until somebody acts. Cursors and channels stay as they are.

    The text of an error that is none of ours may quote anything, so only its type is kept.
    """
    ours = isinstance(problem, AutocaptureError)
    report.why = str(problem) if ours else f"internal error: {type(problem).__name__}"
    now = app.clock.now()
    with writing(app.engine) as session:
        leases.renew(session, lease, now)
        account = session.get_one(Account, lease.account_id)
        account.why = report.why
        wait = _backoff(account.fails, lease.account_id, now)
        match problem:
            case ReconnectNeeded():
                report.status = account.state = "needs_reconnect"
                wait = timedelta(0)
            case RateLimited():
                report.status = "rate_limited"
                wait = problem.retry_after or wait
            case _:
                report.status = (
                    "unreachable" if isinstance(problem, TryLater) else "setup" if ours else "broken"
                )
                account.fails += 1
        account.throttle_until = now + wait
        session.add(account)
    log.warning(
        "capture_failed", account_id=lease.account_id, status=report.status, error=type(problem).__name__
    )


def _backoff(fails: int, account_id: int, now: datetime) -> timedelta:
    """Doubling from half a minute to an hour."""
    wait = min(FIRST_BACKOFF * (1 << min(fails, 10)), LONGEST_BACKOFF)
    return wait * _spread(account_id, now)


def _spread(number: int, now: datetime) -> float:
    """Between 0.9 and 1.1, so that what started together does not return together; the same for the same run."""
    return 0.9 + stable_id(f"{number} {now.isoformat()}") % 2_000 / 10_000
