"""What a provider's notice does: the channel that it names is due now. Nothing in it is believed.

Notices may come late, twice, out of order, forged or not at all: a pull asks the provider itself, and polling goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connect.pubsub import PubSub
from autocapture.model.accounts import Account, Channel
from autocapture.model.watching import Subscription
from autocapture.store.bulk import in_chunks
from autocapture.store.engine import reading, writing
from autocapture.workflows.pace import APART

Change = Literal["news", "renew", "removed"]
"""Of a channel; its subscription is to be prolonged at once; it was removed, and what came since was told to nobody."""


@dataclass(frozen=True, slots=True)
class Known:
    """A subscription as notices are judged by it."""

    channel_id: int
    secret_hash: str


def known_subscriptions(app: Application) -> dict[tuple[str, str], list[Known]]:
    """The subscriptions that hold, by provider and by what their notices name them."""
    statement = (
        select(col(Account.connector), col(Subscription.notice_key), col(Subscription.channel_id))
        .add_columns(col(Subscription.secret_hash))
        .join(Channel, col(Channel.id) == col(Subscription.channel_id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(col(Subscription.state) == "active")
    )
    with reading(app.engine) as session:
        rows = session.execute(statement).all()
    providers = {connector: app.registry.get(connector).auth.provider for connector, *_ in rows}
    found: dict[tuple[str, str], list[Known]] = {}
    for connector, key, channel_id, secret_hash in rows:
        found.setdefault((providers[connector], key), []).append(Known(channel_id, secret_hash))
    return found


def changed(app: Application, changes: Iterable[tuple[int, Change]]) -> None:
    """Notices about channels and their subscriptions, in one transaction."""
    now = app.clock.now()
    by_change: dict[Change, set[int]] = {"news": set(), "renew": set(), "removed": set()}
    for channel_id, change in changes:
        by_change[change].add(channel_id)
    with writing(app.engine) as session:
        _wake(session, sorted(by_change["news"] | by_change["removed"]), now)
        for change in ("renew", "removed"):
            ended = {"source_id": "", "expires_at": None} if change == "removed" else {}
            for ids in in_chunks(sorted(by_change[change])):
                session.execute(
                    update(Subscription)
                    .where(col(Subscription.channel_id).in_(ids), col(Subscription.state) == "active")
                    .values(due_at=now, **ended)
                )


def _wake(session: Session, channel_ids: Sequence[int], now: datetime) -> None:
    """A channel that is due already stays where it is in the queue, unless it is being pulled now: then the end of that run
    must see that its news may be younger, and leaves it due."""
    last, wakes, soon = col(Channel.last_ok_at), col(Channel.wake_at), now - APART
    held = select(col(Account.id)).where(col(Account.lease_until) > now)
    later = or_(wakes > now, col(Channel.account_id).in_(held))
    for ids in in_chunks(channel_ids):
        these = update(Channel).where(col(Channel.id).in_(ids))
        for rested, at in ((or_(last.is_(None), last <= soon), now), (last > soon, now + APART)):
            session.execute(these.where(rested, later, or_(wakes > at, wakes <= now)).values(wake_at=at))


def pull_notices(app: Application, pubsub: PubSub) -> int:
    """Waits for messages, makes the channels due that they name, and acknowledges all of them; how many there were. Raises what
    Pub/Sub raises, and StoreBusy: then they come again."""
    messages = pubsub.pull()
    if messages:
        known = known_subscriptions(app)
        found = [one for message in messages for one in known.get(("google", message.mailbox), ())]
        changed(app, [(one.channel_id, "news") for one in found])
        pubsub.acknowledge([message.ack_id for message in messages])
    return len(messages)
