"""Subscriptions to providers' notices: asked for, prolonged at half their life, ended where they are no longer wanted.

What is to be done with each channel is decided from its rows (`_step`) before anybody is asked. A row is claimed by one worker,
so that two never subscribe to one channel. One that lapses costs nothing but time: every channel is polled all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from threading import Event, Thread
from typing import Any, Literal

import structlog
from sqlalchemy import delete, select, update
from sqlmodel import col

from autocapture.application import Application
from autocapture.connector import Callback, Connection, Watches
from autocapture.connector import Channel as Source
from autocapture.connector import Subscription as Promised
from autocapture.errors import (
    AutocaptureError,
    ChannelGone,
    RateLimited,
    ReconnectNeeded,
    ScopeMissing,
    StoreBusy,
    Unreachable,
)
from autocapture.model.accounts import Account, Channel
from autocapture.model.watching import Subscription
from autocapture.settings import Settings
from autocapture.store.bulk import insert_missing
from autocapture.store.captured import is_captured
from autocapture.store.due import has_come
from autocapture.store.engine import reading, writing
from autocapture.workflows.open_account import open_account

log = structlog.get_logger()

CLAIM_FOR = timedelta(minutes=5)
ASKED_AGAIN_AFTER = timedelta(days=30)
"""When a channel that could not be watched is tried again."""

LONGEST = timedelta(days=61)
"""However long a provider promises."""

ENDED_WITHIN = timedelta(seconds=5)
"""How long whoever disconnects an account waits for its provider to end what it promised."""

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_SHORTEST_LIFE = timedelta(minutes=1)

Step = Literal["watch", "renew", "end", "drop"]


@dataclass(frozen=True, slots=True)
class Watched:
    """A channel with the target that its notices should have, and its subscription, if it has a row.

    `captured`: whether the account is."""

    account: Account
    channel: Channel
    target: str
    row: Subscription | None
    captured: bool

    @property
    def source(self) -> Source:
        return Source(self.channel.source_id, self.channel.kind, self.channel.name)  # type: ignore[arg-type]


_PROVIDERS = ("google", "microsoft")


def target_of(settings: Settings, provider: str, kind: str) -> str:
    """Where notices of a channel are to be sent; empty where they cannot come."""
    if provider == "google" and kind == "email":
        return settings.push.gmail_topic
    path = {"google": "/notices/google/calendar", "microsoft": "/notices/microsoft"}.get(provider)
    base = settings.web.public_url
    return f"{base}{path}" if path and base.startswith("https://") else ""


def accounts_to_watch(app: Application) -> list[int]:
    """Accounts with a channel to be subscribed to, a subscription to be prolonged, or one to be ended."""
    now = app.clock.now()
    due = {found.account.id for found in _channels(app) if _step(found, now) is not None}
    return sorted(account_id for account_id in due if account_id is not None)


def keep_watched(app: Application, account_id: int) -> int:
    """Does what is due on one account's subscriptions; the number of steps that went well."""
    now = app.clock.now()
    due = [(found, step) for found in _channels(app, account_id) if (step := _step(found, now))]
    claimed = [(found, step) for found, step in due if _claim(app, found, now)]
    return _carry_out(app, claimed) if claimed else 0


def end_subscriptions(app: Application, account_id: int) -> None:
    """Ends the subscriptions of an account that is about to be disconnected, for no longer than `ENDED_WITHIN`.

    What the provider has not taken by then lapses by itself; its notices are ignored, since no row knows them."""
    held = [(found, _end_of(found, app.clock.now())) for found in _channels(app, account_id) if found.row]
    if held:
        over = Event()
        ending = Thread(target=_end, args=(app, held, over), name=f"end {account_id}", daemon=True)
        ending.start()
        ending.join(ENDED_WITHIN.total_seconds())
        over.set()
    with writing(app.engine) as session:
        channels = select(col(Channel.id)).where(col(Channel.account_id) == account_id)
        session.execute(delete(Subscription).where(col(Subscription.channel_id).in_(channels)))


def _end(app: Application, held: Iterable[tuple[Watched, Step]], over: Event) -> None:
    with suppress(StoreBusy):
        _carry_out(app, held, over.is_set)


def _channels(app: Application, account_id: int | None = None) -> list[Watched]:
    """Every channel that is watched or could be, with its row. Where notices can come from nowhere, only those with a row are
    looked at: this is asked every few seconds."""
    targets = {
        target_of(app.settings, provider, kind) for provider in _PROVIDERS for kind in ("email", "event")
    }
    statement = (
        select(Account, Channel, Subscription, is_captured())
        .join(Channel, col(Channel.account_id) == col(Account.id))
        .join(Subscription, col(Subscription.channel_id) == col(Channel.id), isouter=any(targets))
        .order_by(col(Account.id), col(Channel.id))
    )
    if account_id is not None:
        statement = statement.where(col(Account.id) == account_id)
    providers: dict[str, str] = {}
    found = []
    with reading(app.engine) as session:
        for account, channel, row, captured in session.execute(statement):
            if account.connector not in providers:
                providers[account.connector] = _provider(app, account.connector)
            target = target_of(app.settings, providers[account.connector], channel.kind)
            if target or row is not None:
                found.append(Watched(account, channel, target, row, captured))
        session.expunge_all()
    return found


def _provider(app: Application, connector: str) -> str:
    try:
        return app.registry.get(connector).auth.provider
    except AutocaptureError:
        return ""  # capture says what is wrong with it


def _step(found: Watched, now: datetime) -> Step | None:
    """What is due on one channel. Pure."""
    row, account, channel = found.row, found.account, found.channel
    if row is None:
        wanted = found.captured and channel.enabled and channel.backfilled and found.target
        return "watch" if wanted else None
    if now < row.claimed_until <= now + 2 * CLAIM_FOR:
        return None
    promised = bool(row.source_id) and row.expires_at is not None and row.expires_at > now
    is_due = not now < row.due_at <= now + LONGEST
    if account.state == "needs_reconnect":
        return None  # nothing can be asked; it lapses
    if not found.captured or not channel.enabled or found.target != row.target:
        if not promised:
            return "drop"
        return "end" if is_due or not row.fails else None
    if not is_due:
        return None
    return "renew" if promised else "watch"


def _end_of(found: Watched, now: datetime) -> Step:
    row = found.row
    promised = row is not None and row.source_id and row.expires_at is not None and row.expires_at > now
    return "end" if promised else "drop"


def _claim(app: Application, found: Watched, now: datetime) -> bool:
    """Whether the channel's row is this worker's now. It is made where there is none."""
    with writing(app.engine) as session:
        insert_missing(session, Subscription, [{"channel_id": found.channel.id, "target": found.target}])
        as_seen = (
            has_come(col(Subscription.due_at), now, LONGEST)
            if found.row is None
            else col(Subscription.due_at) == found.row.due_at
        )
        claimed = session.execute(
            update(Subscription)
            .where(col(Subscription.channel_id) == found.channel.id, as_seen)
            .where(has_come(col(Subscription.claimed_until), now, 2 * CLAIM_FOR))
            .values(claimed_until=now + CLAIM_FOR)
            .returning(col(Subscription.id))
        )
        return claimed.scalar_one_or_none() is not None


def _never() -> bool:
    return False


def _carry_out(
    app: Application, steps: Iterable[tuple[Watched, Step]], is_over: Callable[[], bool] = _never
) -> int:
    """Each step over one connection, each outcome in a transaction of its own, until it `is_over`."""
    listed = list(steps)
    dropped = [found for found, step in listed if step == "drop"]
    for found in dropped:
        _forget(app, found)
    waiting = deque((found, step) for found, step in listed if step != "drop")
    done = len(dropped)
    if not waiting:
        return done
    try:
        with open_account(app, waiting[0][0].account) as connection:
            while waiting and not is_over():
                done += _tried(app, connection, *waiting[0])
                waiting.popleft()
    except StoreBusy:
        raise
    except Exception as problem:  # whatever it is, it waits: nothing may be asked for at every tick
        for found, step in waiting:
            if step == "end" and isinstance(problem, ReconnectNeeded):
                _forget(app, found)  # who is let in no more can end nothing: it lapses
            else:
                _failed(app, found, problem)
    return done


def _tried(app: Application, connection: Connection, found: Watched, step: Step) -> bool:
    if not isinstance(connection, Watches):
        _unwatchable(app, found, "its connector sends no notices")
        return True
    try:
        _taken(app, connection, found, step)
    except (ScopeMissing, ChannelGone) as problem:
        _unwatchable(app, found, str(problem))
    except (ReconnectNeeded, StoreBusy):
        raise  # nothing more can be asked over this connection
    except AutocaptureError as problem:
        _failed(app, found, problem)
        return False
    return True


def _taken(app: Application, connection: Watches, found: Watched, step: Step) -> None:
    secret = token_urlsafe(32)
    callback = Callback(found.target, secret, found.target)
    before = _promise_of(found)
    match step:
        case "watch":
            promised = connection.watch(found.source, callback)
        case "renew":
            promised = connection.renew(found.source, before, callback)
        case _:
            connection.unwatch(found.source, before)
            _forget(app, found)
            return
    if promised is None:
        _unwatchable(app, found, "the provider sends no notices of it")
    else:
        _store(app, found, promised, secret, is_new=step == "watch" or promised.id != before.id)


def _promise_of(found: Watched) -> Promised:
    row = found.row
    if row is None or row.expires_at is None:
        return Promised("", found.account.created_at)
    return Promised(row.source_id, row.expires_at, row.mark)


def _store(app: Application, found: Watched, promised: Promised, secret: str, *, is_new: bool) -> None:
    """Keeps what was promised. A new one has a new secret, and the channel is pulled once for what came before it."""
    now = app.clock.now()
    life = min(promised.expires_at - now, LONGEST)
    if life < _SHORTEST_LIFE:
        raise Unreachable("the provider promises notices for no time at all")
    values: dict[str, Any] = {
        "state": "active",
        "source_id": promised.id,
        "mark": promised.state,
        "notice_key": _notice_key(found, promised),
        "target": found.target,
        "expires_at": now + life,
        "due_at": now + life / 2,
        "fails": 0,
        "last_error": None,
    }
    if is_new:
        values["secret_hash"] = hash_of(secret)
    _write(app, found, values)
    if is_new:
        with writing(app.engine) as session:
            session.execute(
                update(Channel)
                .where(col(Channel.id) == found.channel.id, col(Channel.wake_at) > now)
                .values(wake_at=now)
            )


def hash_of(secret: str) -> str:
    """What is kept of a secret: it has 256 random bits, so a plain hash tells nothing of it."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def _notice_key(found: Watched, promised: Promised) -> str:
    if found.target.startswith("projects/"):
        return (found.account.address or found.account.subject).lower()
    return promised.id


def _unwatchable(app: Application, found: Watched, why: str) -> None:
    due_at = app.clock.now() + ASKED_AGAIN_AFTER
    values = {"state": "unwatchable", "source_id": "", "notice_key": "", "expires_at": None, "fails": 0}
    _write(app, found, {**values, "due_at": due_at, "last_error": why})


def _failed(app: Application, found: Watched, problem: Exception) -> None:
    """The text of an error that is none of ours may quote anything, so only its type is kept."""
    fails = 1 if found.row is None else found.row.fails + 1
    wait = min(_FIRST_WAIT * (1 << min(fails - 1, 10)), _LONGEST_WAIT)
    if isinstance(problem, RateLimited) and problem.retry_after is not None:
        wait = min(max(problem.retry_after, _FIRST_WAIT), _LONGEST_WAIT)
    why = (
        str(problem) if isinstance(problem, AutocaptureError) else f"internal error: {type(problem).__name__}"
    )
    _write(app, found, {"fails": fails, "last_error": why, "due_at": app.clock.now() + wait})
    log.warning(
        "watch_failed",
        account_id=found.account.id,
        channel_id=found.channel.id,
        error=type(problem).__name__,
    )


def _write(app: Application, found: Watched, values: dict[str, Any]) -> None:
    with writing(app.engine) as session:
        session.execute(
            update(Subscription)
            .where(col(Subscription.channel_id) == found.channel.id)
            .values(**values, claimed_until=app.clock.now())
        )


def _forget(app: Application, found: Watched) -> None:
    with writing(app.engine) as session:
        session.execute(delete(Subscription).where(col(Subscription.channel_id) == found.channel.id))
