"""Capture: one run over one connected account, page by page, until every channel is at rest.

The network is asked outside any transaction; then one transaction stores the page: activities, matches, ledger rows, outbox,
dirty metric cells and the cursor, fenced by the account's lease. Killed anywhere, the next run reads the same page again and
the same rows come out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import bindparam, case, update
from sqlmodel import Session, col

from autocapture.admit.exclusions import Exclusions
from autocapture.application import Application
from autocapture.errors import (
    ChannelGone,
    CursorExpired,
    DelegationRefused,
    InputError,
    LeaseLost,
    SetupError,
    StoreBusy,
    Unreachable,
)
from autocapture.model.accounts import LONG_AGO, Account, Channel
from autocapture.model.columns import UtcDateTime
from autocapture.model.directory import Organization
from autocapture.model.organization import User
from autocapture.store import leases, ledger
from autocapture.store.bulk import table_of
from autocapture.store.due_accounts import due_accounts as accounts_due
from autocapture.store.engine import reading, writing
from autocapture.store.leases import Lease
from autocapture.workflows import collector, outcome
from autocapture.workflows.channels import switch_off, to_visit
from autocapture.workflows.exclusions import load_exclusions
from autocapture.workflows.open_account import asked_since, open_account
from autocapture.workflows.pace import APART, intervals, longest_interval
from autocapture.workflows.pages import read_again_what_is_due, store_page
from autocapture.workflows.people import our_people
from autocapture.workflows.pulling import Run, pull
from autocapture.workflows.reading_ahead import ReadAhead
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.staging import Scope
from autocapture.workflows.stall import look_for_newer
from autocapture.workflows.workers import dead_workers, worker_name

log = structlog.get_logger()

MOST_RESETS = 3  # of one channel in one run; more means a provider whose cursors never hold
A_MOMENT = timedelta(seconds=5)  # until the next look at all accounts
REST_EVERY = 60.0  # seconds; well below the lease

OWNER_DISABLED = "its owner is disabled; it goes on once they are enabled again"

_CHANNEL = table_of(Channel)
_NEXT, _SOON, _PRESENT = (bindparam(name, type_=UtcDateTime()) for name in ("next", "soon", "present"))
_RESTS = (
    _CHANNEL.update()
    .where(_CHANNEL.c.id == bindparam("of"))
    .values(
        wake_at=case(
            (_CHANNEL.c.wake_at == bindparam("was"), _NEXT),
            (_CHANNEL.c.wake_at <= _PRESENT, _SOON),
            else_=_CHANNEL.c.wake_at,
        ),
        last_ok_at=_PRESENT,
        last_error=None,
    )
)

Progress = Callable[[str, int], None]
"""Called after each stored page with the channel's name and the number of items handled in it."""


def due_accounts(app: Application) -> list[int]:
    """Accounts to capture now, the most overdue first: active, of nobody disabled, not throttled, not leased, with a
    channel that is due or none discovered yet. Where every channel is switched off, those say when to look whether one is
    back."""
    return _due(app, app.clock.now(), LONG_AGO)


def accounts_done_waiting(app: Application) -> list[int]:
    """Those of the accounts to capture now that a provider, or our own budget, kept waiting until a moment ago: an import waits
    every few seconds, and would be late for its budget each time."""
    now = app.clock.now()
    return _due(app, now, now - A_MOMENT)


def _due(app: Application, now: datetime, waited_until: datetime) -> list[int]:
    with reading(app.engine) as session:
        return accounts_due(
            session,
            now,
            dead_workers(session),
            longest_rest=2 * longest_interval(app.settings),
            longest_wait=outcome.LONGEST_WAIT,
            waited_until=waited_until,
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
        if not session.get_one(User, account.user_id).active:
            report.status, report.why = "disabled", OWNER_DISABLED
            return report
        owner = worker or worker_name()
        now = app.clock.now()
        lease = leases.claim(session, account_id, owner, now)
        if lease is None:
            lease = leases.claim(session, account_id, owner, now, dead_workers(session))
    if lease is None:
        report.status, report.why = "busy", "another worker is capturing this account"
        return report
    is_over = False
    try:
        try:
            at_rest = _capture(app, account, lease, report, resync, progress, should_stop or _never)
            _end(app, lease, report, at_rest)
            is_over = True
        except (LeaseLost, StoreBusy):
            raise
        except (
            Exception
        ) as problem:  # whatever it is, it is told and waits: an account must not fail at every tick
            outcome.failed(app, lease, problem, report)
    except LeaseLost as lost:
        report.status, report.why = "busy", str(lost)
    finally:
        if not is_over:
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
) -> list[Run]:
    """The channels that came to rest and were not written down as resting yet."""
    organization = our_people(app)
    exclusions = load_exclusions(app.settings.capture.exclusions_file)
    finished: set[int] = set()
    anew, began = resync, app.clock.now()
    with ReadAhead(app, lease.account_id) as ahead:
        while True:
            with open_account(app, account) as connection:
                channels = to_visit(app, lease, connection, resync=anew)
                anew = False  # what the run resets once goes on where it is, however often it connects
                queue = deque(
                    Run(
                        app,
                        lease,
                        connection,
                        lambda: open_account(app, account),
                        ahead,
                        channel,
                        _scope(account, channel, organization, exclusions),
                        report,
                    )
                    for channel in channels
                    if channel.id not in finished
                )
                at_rest: list[Run] = []
                try:
                    broken = _pull_all(app, lease, queue, at_rest, finished, progress, should_stop)
                    if broken is None and report.status == "ok":
                        look_for_newer(app, lease.account_id, connection, channels, began)
                except BaseException:
                    _rest(app, lease, at_rest)
                    raise
            if broken is None:
                if report.gone:  # perhaps moved into a folder that is new
                    app.listed.forget(lease.account_id)
                return at_rest
            _rest(app, lease, at_rest)


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

    A channel that cannot be read ends the pass, since its connection may be dead: it is returned, and the others go on over a new
    one. So does it where its connection broke while another was read ahead through, or over items that are known by now.
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
            more = _pull_once(run, progress) or _is_to_be_seen_twice(run) or run.disconnected
            if not more and (run.told_again or run.channel_id in to_retry):
                read_again_what_is_due(run)
        except CursorExpired as expired:
            resets[run.channel_id] += 1
            _reset(run, str(expired))
            more = True
            if resets[run.channel_id] > MOST_RESETS:
                finished.add(run.channel_id)
                outcome.channel_failed(run, Unreachable(f"the cursor expired {MOST_RESETS} times in a row"))
                return run
        except ChannelGone:
            run.forget_following()
            switch_off(app, lease, run.channel_id)
            app.listed.forget(lease.account_id)
            continue
        except DelegationRefused:  # it stops the account, whatever the channel
            raise
        except (Unreachable, SetupError) as problem:
            if not (isinstance(problem, Unreachable) and run.ahead.give_up()):
                finished.add(run.channel_id)
                outcome.channel_failed(run, problem)
            return run
        if run.disconnected:
            run.forget_following()
            return run
        if more:
            queue.append(run)  # to the back: a long backfill must not starve today's mail
            continue
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
        kept_since=asked_since(account),
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
    run.forget_following()
    run.channel.cursor, run.channel.mid_run = None, False
    with writing(run.app.engine) as session:
        leases.renew(session, run.lease, run.app.clock.now())
        session.execute(
            update(Channel)
            .where(col(Channel.id) == run.channel_id)
            .values(cursor=None, mid_run=False, last_error=why)
        )


def _end(app: Application, lease: Lease, report: CaptureReport, at_rest: list[Run]) -> None:
    """The run is over: what came to rest, how it went, and the lease handed back, in one transaction."""
    with writing(app.engine) as session:
        _rest_within(session, app, lease, at_rest)
        outcome.succeeded(session, lease, report, app.clock.now())
        leases.release(session, lease)


def _rest(app: Application, lease: Lease, at_rest: list[Run]) -> None:
    """These channels are at rest. Empties the list."""
    if at_rest:
        with writing(app.engine) as session:
            _rest_within(session, app, lease, at_rest)
        at_rest.clear()


def _rest_within(session: Session, app: Application, lease: Lease, at_rest: Sequence[Run]) -> None:
    """Each wakes after its interval, or in a moment where news came in the meantime."""
    now = app.clock.now()
    leases.renew(session, lease, now)
    rests = intervals(session, app.settings, [run.channel_id for run in at_rest], now)
    resting = [
        {
            "of": run.channel_id,
            "was": run.channel.wake_at,
            "next": now + rests[run.channel_id] * outcome.spread(run.channel_id, now),
            "present": now,
            "soon": now + APART,
        }
        for run in at_rest
    ]
    if resting:
        session.connection().execute(_RESTS, resting)
