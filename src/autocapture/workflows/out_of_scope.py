"""Taking out of the database what an account's owner no longer wants captured, where nobody else saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import Session, col

from autocapture.admit.reasons import OUT_OF_SCOPE
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import CalendarItem
from autocapture.model.directory import Organization
from autocapture.model.draft import Verdict
from autocapture.model.ledger import CAPTURED, LedgerEntry
from autocapture.store import activities, calendar, ledger, slots
from autocapture.store.activities import Stored
from autocapture.store.bulk import in_chunks
from autocapture.store.sightings import ask_again, sightings
from autocapture.workflows.departed import forget_activities, forget_meetings
from autocapture.workflows.meetings import derive, look_again

_LEFT_OUT = Verdict(OUT_OF_SCOPE, "scope@1")


class _Item(NamedTuple):
    channel_id: int
    kind: str
    source_id: str
    activity_id: int | None


def purge(
    session: Session, account: Account, organization: Organization, now: datetime, *, everything: bool = False
) -> int:
    """Removes what `account`, as its row is now, would not capture: older than `since`, or of a channel that is left out; or
    `everything` that it captured. The number of items concerned.

    An activity that another item shows stays, and is told anew by those; not by departed ones of which who has it keeps it to
    themselves. Dirty metric cells are written; the ledger says
    what became of each item.
    """
    items = _outside(session, account, organization, everything)
    told = _remove_activities(session, items)
    series = _series(session, account)
    apart = calendar.shown_as(session, series)
    by_channel = _by_channel(items)
    for channel_id, source_ids in by_channel.items():
        ledger.skip(session, channel_id, source_ids, _LEFT_OUT, now)
        calendar.forget(session, channel_id, source_ids)
    for kind in ("email", "call"):
        shown = {item.activity_id for item in items if item.kind == kind and item.activity_id is not None}
        forget_activities(session, organization, kind, shown, now)
    forget_meetings(session, organization, series, apart, now)
    derive(session, organization, series, now, apart)
    look_again(session, organization, told, now)
    return len(items)


def is_any(session: Session, account: Account, organization: Organization) -> bool:
    """Whether `purge` would find anything."""
    return bool(_outside(session, account, organization))


def _outside(
    session: Session, account: Account, organization: Organization, everything: bool = False
) -> list[_Item]:
    """A recurring meeting that began before the bound goes on; its occurrences are cut when they are derived."""
    outside: list[ColumnElement[bool]] = [col(Channel.source_id).in_(account.left_out)]
    if everything:
        outside.append(true())
    elif account.since is not None:
        zone = ZoneInfo(organization.colleagues[account.user_id].time_zone)
        start = datetime.combine(account.since, time(), zone)
        outside.append(col(LedgerEntry.occurred_at) < start)
    rows = session.execute(
        select(
            col(LedgerEntry.channel_id),
            col(Channel.kind),
            col(LedgerEntry.source_id),
            col(LedgerEntry.activity_id),
            col(Channel.source_id).in_(account.left_out),
            col(CalendarItem.data),
        )
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .outerjoin(
            CalendarItem,
            (col(CalendarItem.channel_id) == col(LedgerEntry.channel_id))
            & (col(CalendarItem.source_id) == col(LedgerEntry.source_id)),
        )
        .where(col(Channel.account_id) == account.id, col(LedgerEntry.outcome) == CAPTURED, or_(*outside))
    )
    return [
        _Item(channel_id, kind, source_id, activity_id)
        for channel_id, kind, source_id, activity_id, left_out, event in rows
        if everything or left_out or not (event and event.get("recurrence"))
    ]


def _remove_activities(session: Session, items: Sequence[_Item]) -> list[Stored]:
    """Gives what was removed and told something of a meeting."""
    out = {(item.channel_id, item.source_id) for item in items}
    shown = {item.activity_id for item in items if item.activity_id is not None}
    lost: list[int] = []
    for chunk in in_chunks(sorted(shown)):
        for activity_id, seen in sightings(session, chunk).items():
            others = [each for each in seen if each.key not in out]
            if others:
                ask_again(session, [each for each in others if each.live and each.reachable])
            else:
                lost.append(activity_id)
    told: list[Stored] = []
    for chunk in in_chunks(lost):
        removed = list(slots.load(session, chunk).values())
        activities.remove(session, removed)
        told += [item for item in removed if item.meeting_id is not None or item.draft.remark is not None]
    return told


def _series(session: Session, account: Account) -> set[int]:
    """Every series that the account's calendars hold: each may begin before the bound."""
    return set(
        session.scalars(
            select(col(CalendarItem.series_id))
            .join(Channel, col(Channel.id) == col(CalendarItem.channel_id))
            .where(col(Channel.account_id) == account.id)
            .distinct()
        )
    )


def _by_channel(items: Sequence[_Item]) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = {}
    for item in items:
        found.setdefault(item.channel_id, []).append(item.source_id)
    return found
