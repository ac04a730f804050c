"""Corrections as rows: writing one down, listing them, and the locks that they are for a batch of activities.

Nothing here changes or deletes a correction: what is taken back is followed by a row that says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, select
from sqlmodel import Session

from autocapture.model.activities import ActivityAlias, ThreadKey
from autocapture.model.corrections import NO_LOCKS, UNDO, Correction, Lock, Locks
from autocapture.model.crm import Contact, Deal
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.lookup import Lookup

_SAID = table_of(Correction)
_UNDOING = _SAID.alias("undoing")
_DEAL, _CONTACT = table_of(Deal), table_of(Contact)
_ALIAS, _KEY = table_of(ActivityAlias), table_of(ThreadKey)

stands = and_(
    _SAID.c.said != UNDO,
    ~select(_UNDOING.c.id).where(_UNDOING.c.undoes == _SAID.c.id).correlate(_SAID).exists(),
)
"""The condition that a row is a correction that nobody took back."""

_COLUMNS = (
    _SAID.c.id, _SAID.c.said, _SAID.c.scope, _SAID.c.activity_id, _SAID.c.for_users, _SAID.c.since, _SAID.c.handle,
    _SAID.c.deal, _SAID.c.contact, _DEAL.c.id, _CONTACT.c.id, _CONTACT.c.company_id,
)  # fmt: skip
_NAMED = _SAID.outerjoin(_DEAL, _DEAL.c.source_id == _SAID.c.deal).outerjoin(
    _CONTACT, _CONTACT.c.source_id == _SAID.c.contact
)
_IS_WIDE = _SAID.c.scope != "item"

_ANY = select(_SAID.c.id).limit(1)
_OF_ACTIVITY = Lookup(
    lambda among: (
        select(_SAID.c.activity_id, *_COLUMNS)
        .select_from(_NAMED)
        .where(among(_SAID.c.activity_id, "ids"), stands)
    )
)
_OF_COPY = Lookup(
    lambda among: (
        select(_ALIAS.c.activity_id, *_COLUMNS)
        .select_from(_NAMED.join(_ALIAS, _ALIAS.c.key == _SAID.c.activity_id))
        .where(among(_ALIAS.c.activity_id, "ids"), stands)
    )
)
_OF_THREAD = Lookup(
    lambda among: (
        select(_KEY.c.thread_id, *_COLUMNS)
        .select_from(_NAMED.join(_KEY, _KEY.c.key == _SAID.c.thread_key))
        .where(among(_KEY.c.thread_id, "groups"), _SAID.c.scope == "thread", stands)
    )
)
_OF_SERIES = Lookup(
    lambda among: (
        select(_SAID.c.thread_key, *_COLUMNS)
        .select_from(_NAMED)
        .where(among(_SAID.c.thread_key, "groups"), _SAID.c.scope == "thread", stands)
    )
)
_OF_HANDLE = Lookup(
    lambda among: (
        select(_SAID.c.handle, *_COLUMNS)
        .select_from(_NAMED)
        .where(among(_SAID.c.handle, "handles"), _SAID.c.scope == "person", stands)
    )
)
_OF_CONTACT = Lookup(
    lambda among: (
        select(_CONTACT.c.id, *_COLUMNS)
        .select_from(_NAMED)
        .where(among(_CONTACT.c.id, "ids"), _SAID.c.scope == "person", _SAID.c.said != "person", stands)
    )
)
_OF_DOMAIN = Lookup(
    lambda among: (
        select(_SAID.c.domain, *_COLUMNS)
        .select_from(_NAMED)
        .where(among(_SAID.c.domain, "domains"), _SAID.c.scope == "domain", stands)
    )
)


def load_locks(
    session: Session,
    groups: Mapping[int, Collection[int]],
    *,
    handles: Collection[str],
    contact_ids: Collection[int],
) -> Locks:
    """The corrections that stand and may hold for these activities, between these handles. `groups` gives each activity's
    thread and series."""
    if not rows_of(session, _ANY):
        return NO_LOCKS
    of_itself = _by_key(_as_today([*_OF_ACTIVITY(session, ids=groups), *_OF_COPY(session, ids=groups)]))
    threads = {each for found in groups.values() for each in found}
    of_thread = _by_key([*_OF_THREAD(session, groups=threads), *_OF_SERIES(session, groups=threads)])
    near = {
        key: tuple(
            dict.fromkeys(
                (*of_itself.get(key, ()), *(lock for each in of for lock in of_thread.get(each, ())))
            )
        )
        for key, of in groups.items()
    }
    domains = {each for handle in handles if "@" in handle for each in _with_parents(handle)}
    found = Locks(
        of_activity={key: locks for key, locks in near.items() if locks},
        of_handle=_by_key(_OF_HANDLE(session, handles=handles)),
        of_domain=_by_key(_OF_DOMAIN(session, domains=domains)),
    )
    contacts = {*contact_ids, *(lock.contact_id for lock in found if lock.contact_id is not None)}
    return replace(found, of_contact=_by_key(_OF_CONTACT(session, ids=contacts)))


def _with_parents(handle: str) -> list[str]:
    labels = handle.rpartition("@")[2].split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _as_today(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows under the id that the activity has today, where it is known by another copy of it now."""
    return [(key, *row[:3], key, *row[4:]) for key, *row in rows]


def _by_key(rows: Iterable[Any]) -> dict[Any, tuple[Lock, ...]]:
    found: dict[Any, list[Lock]] = defaultdict(list)
    for key, *row in rows:
        found[key].append(_lock(row))
    return {key: tuple(locks) for key, locks in found.items()}


def _lock(row: Sequence[Any]) -> Lock:
    number, said, scope, activity_id, users, since, handle, deal, contact, deal_id, contact_id, company = row
    return Lock(
        correction_id=number,
        said=said,
        scope=scope,
        activity_id=activity_id,
        for_users=frozenset(users),
        since=since,
        handle=handle,
        deal_id=deal_id,
        contact_id=contact_id,
        company_id=company,
        is_lost=(deal is not None and deal_id is None)
        or (said == "person" and contact is not None and contact_id is None),
    )
