"""What left a mailbox, calendar or log, and what it told.

What left everywhere stays as it was told: deleting a mail does not undo that it was written. But as long as somebody still has
it, what is there decides. Where an item that is there is to be told to nobody (it is private, or the never-log list names who
takes part) and none that is there may be told, nothing stays of what the departed ones told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from datetime import datetime

from sqlmodel import Session

from autocapture.admit.reasons import KEPT_TO_ONESELF
from autocapture.model.directory import Organization
from autocapture.model.draft import Verdict
from autocapture.store import activities, calendar, ledger
from autocapture.store.sightings import captured_as, sightings
from autocapture.workflows import meetings
from autocapture.workflows.emails import bereft
from autocapture.workflows.matching import place
from autocapture.workflows.sightings import forget_departed
from autocapture.workflows.staging import hashed_identity

_NO_PART_OF_IDS = ("mail:", "call:")


def leave(
    session: Session,
    organization: Organization,
    channel_id: int,
    kind: str,
    source_ids: Sequence[str],
    now: datetime,
) -> None:
    """The items left their channel, which is of this kind. What they told stays told, unless who still has them keeps them to
    themselves."""
    ledger.leave(session, channel_id, source_ids, now)
    if kind == "event":
        series = set(calendar.series_of(session, channel_id, source_ids).values())
        calendar.leave(session, channel_id, source_ids, now)
        ledger.ask_again(session, channel_id, _exceptions(session, channel_id, source_ids, series))
        apart = calendar.shown_as(session, series)
        forget_meetings(session, organization, series, apart, now)
        meetings.derive(session, organization, series, now, apart)
    else:
        shown = captured_as(session, channel_id, source_ids)
        forget_activities(session, organization, kind, set(shown.values()), now)


def forget_activities(
    session: Session, organization: Organization, kind: str, activity_ids: Collection[int], now: datetime
) -> None:
    """Removes those of these mails or calls that only departed items show, where who still has them keeps them to themselves."""
    if not ledger.skipped_for(session, kind, KEPT_TO_ONESELF):
        return
    removed = forget_departed(session, _refused_elsewhere(session, organization, kind, activity_ids))
    place(session, organization, new=(), changed=bereft(session, removed, ()), now=now)
    meetings.look_again(session, organization, removed, now)


def forget_meetings(
    session: Session,
    organization: Organization,
    series: Set[int],
    apart: Mapping[tuple[int, str], tuple[int, int]],
    now: datetime,
) -> None:
    """The same of meetings: deletes what departed copies of these series tell, which are to be derived anew by the caller."""
    if not ledger.skipped_for(session, "event", KEPT_TO_ONESELF):
        return
    uids = {
        (copy.record.uid, copy.series_id)
        for copy in calendar.copies(session, series)
        if copy.gone_at is not None
    }
    meetings.forget_departed(session, _refused(session, organization, "event", uids), apart, now)


def _exceptions(
    session: Session, channel_id: int, source_ids: Collection[str], series: Collection[int]
) -> list[str]:
    """What is there of the series that left, item by item. Nobody promises to tell of its end; but who is invited to one date
    alone keeps that."""
    own = [copy for copy in calendar.copies(session, series) if copy.channel_id == channel_id]
    gone = set(source_ids)
    left = {copy.series_id for copy in own if copy.source_id in gone and copy.record.recurrence}
    return [
        copy.source_id
        for copy in own
        if copy.series_id in left and copy.gone_at is None and copy.record.recurrence_id is not None
    ]


def _refused_elsewhere(
    session: Session, organization: Organization, kind: str, activity_ids: Collection[int]
) -> dict[int, Verdict]:
    """Those of these activities that only departed items show, though one that is there is to be told to nobody; and why."""
    seen = sightings(session, activity_ids)
    departed = [key for key, items in seen.items() if not any(each.live for each in items)]
    stored = activities.load(session, departed).values()
    told = {(identity, each.activity_id) for each in stored for identity in _ids(each.draft.dedupe_key)}
    return _refused(session, organization, kind, told)


def _ids(dedupe_key: str) -> Iterator[str]:
    """The id of the mail or call; also where it is made another one's by a mark behind it (`own_key`)."""
    for prefix in _NO_PART_OF_IDS:
        dedupe_key = dedupe_key.removeprefix(prefix)
    yield dedupe_key
    yield dedupe_key.rpartition("#")[0]


def _refused(
    session: Session, organization: Organization, kind: str, told: Collection[tuple[str, int]]
) -> dict[int, Verdict]:
    """What is told under these ids (id and activity or series) of which an item that is there is to be told to nobody."""
    of = {hashed_identity(identity, organization.hash_key): shown for identity, shown in told if identity}
    found = ledger.hashes_skipped(session, kind, KEPT_TO_ONESELF, of)
    return {of[hashed]: verdict for hashed, verdict in found.items()}
