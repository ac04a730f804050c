"""The channels of an account as rows: found anew at each run, or now and then where finding them takes requests of its own;
switched off when they are gone, never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connector import Channel as Found
from autocapture.connector import Connection, KeepsChannels, ListsInPart
from autocapture.model.accounts import LONG_AGO, Account, Channel
from autocapture.store import leases, ledger
from autocapture.store.engine import reading, writing
from autocapture.store.leases import Lease
from autocapture.workflows.connected_reps import not_connected
from autocapture.workflows.departed import leave
from autocapture.workflows.people import our_people

_ENABLED = select(Channel).where(col(Channel.account_id) == bindparam("of"), col(Channel.enabled))


def to_visit(
    app: Application, lease: Lease, connection: Connection, *, resync: bool = False
) -> list[Channel]:
    """The channels in scope, most overdue first: those that are known while their listing stands, else those that the
    connection lists now.

    A listing is over before its time where something says that there may be another one: a channel is to be looked at from
    the start or was woken by whoever connected the account or changed its scope, one is gone, or items left one, for a mail
    that is moved into a new folder leaves its old one first.
    """
    if not resync and _stands(app, lease.account_id, connection):
        known = _known(app, lease.account_id)
        if known and all(channel.wake_at != LONG_AGO for channel in known):
            return known
    began = app.clock.now()
    channels = discover(app, lease, connection, resync=resync)
    app.listed.note(lease.account_id, began)
    return channels


def _stands(app: Application, account_id: int, connection: Connection) -> bool:
    return isinstance(connection, KeepsChannels) and app.listed.stands(account_id, connection.channels_for)


def _known(app: Application, account_id: int) -> list[Channel]:
    with reading(app.engine) as session:
        known = list(session.scalars(_ENABLED, {"of": account_id}))
        session.expunge_all()
    return sorted(known, key=_urgency)


def discover(
    app: Application, lease: Lease, connection: Connection, *, resync: bool = False
) -> list[Channel]:
    """Brings the rows in line with what the connection lists, and returns those in scope, most overdue first.

    A channel that is not listed any more is switched off with its items; one that returns is enumerated anew, so that what
    changed in between is found. An empty list is no evidence that everything is gone: nothing is switched off by it. Where
    nothing is in scope, it is looked again after the usual time. What cannot be listed now (`ListsInPart`) is no evidence
    either: those channels stay, and fail by themselves; with no channel that could, raises what is wrong (SetupError).
    What belongs to somebody who is not connected here is not visited, and switched off where it was.
    What the account's owner left out is as if it were not there, but what was captured of it has not left. `resync` has every
    channel enumerated, read and judged anew. Channels that failed last time come last.
    """
    listed_all = connection.channels()
    unlisted = connection.unlisted() if isinstance(connection, ListsInPart) else {}
    known = _known(app, lease.account_id)
    strangers = _strangers(app, lease.account_id, listed_all)
    found = [each for each in listed_all if each.id not in strangers]
    if not found and not known:
        for problem in unlisted.values():
            raise problem
    if not resync and found and {(each.source_id, each.name) for each in known} == set(map(_named, found)):
        return known  # nothing is left out, new, renamed or gone
    with writing(app.engine) as session:
        leases.renew(session, lease, app.clock.now())
        left_out = set(session.get_one(Account, lease.account_id).left_out)
        listed = {channel.id: channel for channel in found if channel.id not in left_out}
        stored = {channel.source_id: channel for channel in _stored(session, lease.account_id)}
        for source_id, each in listed.items():
            _keep(session, lease.account_id, stored.get(source_id), each, resync)
        for source_id, channel in stored.items():
            is_unlisted = source_id.partition(":")[0] in unlisted
            if source_id in strangers and channel.enabled:
                _switch_off(session, app, channel, strangers[source_id])
            elif listed and source_id not in listed and channel.enabled and not is_unlisted:
                _switch_off(session, app, channel)
        session.flush()
        stored_now = _stored(session, lease.account_id)
        channels = [channel for channel in stored_now if channel.enabled]
        if not channels:
            for channel in stored_now:
                channel.wake_at = _next_look(app)
    return sorted(channels, key=_urgency)


def _next_look(app: Application) -> datetime:
    return app.clock.now() + timedelta(seconds=app.settings.capture.interval_seconds)


def _urgency(channel: Channel) -> tuple[bool, bool, datetime, int]:
    return channel.last_error is not None, not channel.backfilled, channel.wake_at, channel.id or 0


def switch_off(app: Application, lease: Lease, channel_id: int) -> None:
    """The provider says that the channel is gone."""
    with writing(app.engine) as session:
        leases.renew(session, lease, app.clock.now())
        _switch_off(session, app, session.get_one(Channel, channel_id))


def _stored(session: Session, account_id: int) -> list[Channel]:
    return list(session.scalars(select(Channel).where(col(Channel.account_id) == account_id)))


def _named(found: Found) -> tuple[str, str]:
    return found.id, found.name or found.id


def _keep(session: Session, account_id: int, stored: Channel | None, found: Found, resync: bool) -> None:
    _, name = _named(found)
    if stored is None:
        session.add(Channel(account_id=account_id, source_id=found.id, kind=found.kind, name=name))
        return
    stored.name = name
    if resync or not stored.enabled:
        stored.enabled, stored.cursor, stored.mid_run, stored.wake_at = True, None, False, LONG_AGO
    stored.reread = stored.reread or resync
    session.add(stored)


def _strangers(app: Application, account_id: int, found: Sequence[Found]) -> dict[str, str]:
    """Why channels are not read, by their id: whose they are is not connected."""
    if not any(each.whose for each in found):
        return {}
    with reading(app.engine) as session:
        return not_connected(session, session.get_one(Account, account_id).connector, found)


def _switch_off(
    session: Session, app: Application, channel: Channel, why: str = "no longer at the provider"
) -> None:
    if channel.id is None:
        raise AssertionError("stored rows have ids")
    if live := sorted(ledger.live_ids(session, channel.id)):
        leave(session, our_people(app), channel.id, channel.kind, live, app.clock.now())
    session.execute(
        update(Channel)
        .where(col(Channel.id) == channel.id)
        .values(
            enabled=False,
            cursor=None,
            mid_run=False,
            wake_at=_next_look(app),
            last_error=why,
        )
    )
