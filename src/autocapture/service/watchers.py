"""Watchers: where a provider can tell of news (IMAP IDLE), a thread waits for it and wakes the channel.

A notice is only a hint: it sets `Channel.wake_at`, and the next tick captures as ever. A watcher that loses its connection
ends; the next `keep` starts another, once capture itself has got through again.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlmodel import col, select

from autocapture.application import Application
from autocapture.connector import Channel as Source
from autocapture.connector import Waits
from autocapture.errors import AutocaptureError
from autocapture.model.accounts import LONG_AGO, Account, Channel
from autocapture.store import leases
from autocapture.store.captured import is_captured
from autocapture.store.engine import reading, writing
from autocapture.workflows.open_account import open_account

MOST_WATCHERS = 200
"""Threads and connections that one process spends on waiting; accounts beyond it are polled like all others."""

_WAIT_FOR = timedelta(minutes=5)
_FIRST_REST = timedelta(seconds=15)
_LONGEST_REST = timedelta(hours=1)
_INBOX = "INBOX"

log = structlog.get_logger()


class Watchers:
    """At most one watcher for each account, on its inbox."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._threads: dict[int, threading.Thread] = {}
        self._unable: set[int] = set()  # their connector cannot wait
        self._open: set[int] = set()  # accounts whose connection is open
        self._resting: dict[int, tuple[int, datetime]] = {}  # refusals in a row, and when to try again

    def keep(self) -> None:
        """Starts a watcher for every account that is well and has none. Called again and again."""
        self._threads = {key: thread for key, thread in self._threads.items() if thread.is_alive()}
        for account, channel in self._watchable():
            if self._stopping.is_set() or len(self._threads) >= MOST_WATCHERS:
                return
            if account.id is not None and self._may_watch(account.id):
                thread = threading.Thread(
                    target=self._watch, args=(account, channel), name=f"watch-{account.id}", daemon=True
                )
                self._threads[account.id] = thread
                thread.start()

    def _may_watch(self, account_id: int) -> bool:
        _, not_before = self._resting.get(account_id, (0, LONG_AGO))
        return (
            account_id not in self._threads
            and account_id not in self._unable
            and not_before <= self._app.clock.now()
        )

    @property
    def open_connections(self) -> int:
        """How many connections are spent on waiting now."""
        return len(self._open)

    def stop(self) -> None:
        """Starts no more. Threads that wait are let go with the process: they hold nothing but a connection."""
        self._stopping.set()

    def _watchable(self) -> list[tuple[Account, Channel]]:
        """Captured accounts with their inbox, where the last capture of it went well. An account that is being captured is left
        alone: its server may let one connection in."""
        well = (
            select(Account, Channel)
            .where(col(Channel.account_id) == col(Account.id), is_captured())
            .where(Channel.kind == "email", col(Channel.source_id) == _INBOX, col(Channel.enabled))
            .where(Account.fails == 0, col(Channel.last_ok_at).is_not(None))
            .where(leases.is_free(self._app.clock.now()))
            .order_by(col(Account.id))
        )
        with reading(self._app.engine) as session:
            found = [(account, channel) for account, channel in session.exec(well)]
            session.expunge_all()
        return found

    def _watch(self, account: Account, channel: Channel) -> None:
        source = Source(channel.source_id, "email", channel.name)
        try:
            with open_account(self._app, account) as connection:
                self._open.add(channel.account_id)
                if not isinstance(connection, Waits):
                    self._unable.add(channel.account_id)
                    return
                while not self._stopping.is_set() and self._is_captured(channel.account_id):
                    news = connection.wait(source, _WAIT_FOR)
                    self._resting.pop(channel.account_id, None)
                    if news:
                        self._wake(channel)
        except AutocaptureError as problem:  # capture meets the same, and says what it means for the account
            self._rest(channel.account_id)
            self._wake(channel)
            log.info("watcher ended", account_id=account.id, error=type(problem).__name__)
        except (
            Exception
        ) as problem:  # a connector may fail in any way, and each thread is an account's only watcher
            self._rest(channel.account_id)
            log.error("watcher broke", account_id=account.id, error=type(problem).__name__)

        finally:
            self._open.discard(channel.account_id)

    def _is_captured(self, account_id: int) -> bool:
        """Whether the account is captured still: a connection may last for days."""
        with reading(self._app.engine) as session:
            return (
                session.exec(select(Account.id).where(Account.id == account_id, is_captured())).first()
                is not None
            )

    def _rest(self, account_id: int) -> None:
        """Every refusal in a row doubles the wait: a server that limits connections must not be dialled all day."""
        refusals = self._resting.get(account_id, (0, LONG_AGO))[0] + 1
        wait = min(_FIRST_REST * 2 ** min(refusals, 10), _LONGEST_REST)
        self._resting[account_id] = (refusals, self._app.clock.now() + wait)

    def _wake(self, channel: Channel) -> None:
        with writing(self._app.engine) as session:
            session.execute(
                update(Channel).where(col(Channel.id) == channel.id).values(wake_at=self._app.clock.now())
            )
