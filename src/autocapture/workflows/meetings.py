"""Meetings: derived from every calendar's copy of a series, and derived again whenever a copy or the time of day changes.

Stored are the copies; the meetings of a series are a pure function of them, of our people and of the moment. Only occurrences
inside the window are reconciled: what moved out of it with time stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.model.activities import Activity
from autocapture.model.columns import stable_id
from autocapture.model.directory import Organization
from autocapture.model.draft import Draft, Verdict
from autocapture.normalize.meeting import draft_meetings, series_keys
from autocapture.normalize.same_meeting import CalendarCopy
from autocapture.records import EventRecord
from autocapture.store import activities, calendar, ledger, slots
from autocapture.store.activities import NOT_YET, Stored
from autocapture.store.bulk import in_chunks
from autocapture.store.calendar import Copy
from autocapture.store.engine import reading, take_turn, writing
from autocapture.workflows.matching import place
from autocapture.workflows.people import our_people
from autocapture.workflows.slots import series_around, told
from autocapture.workflows.staging import Scope, Staged, withheld
from autocapture.workflows.switchboards import learn_switchboards

PAST = timedelta(days=366)
FUTURE = timedelta(days=366)
BATCH = 20  # series in one transaction; each may have hundreds of meetings


def store_events(session: Session, staged: Sequence[Staged], scope: Scope, now: datetime) -> None:
    """Keeps the admitted resources, drops those that no longer may be kept, and derives the meetings concerned. Of an exception
    that may not be kept stays which instance it replaces: on that date the series would say what is not so."""
    kept = [item for item in staged if item.event is not None]
    dropped = [item for item in staged if item.event is None and item.withheld is None]
    held = calendar.series_of(session, scope.channel_id, [item.entry.source_id for item in staged])
    touched = set(held.values())
    apart = calendar.shown_as(session, touched)  # before what is forgotten cannot be asked any more
    calendar.forget(session, scope.channel_id, [item.entry.source_id for item in dropped])
    rows = [
        (scope.channel_id, item.entry.source_id, item.entry.series_id, _kept(item.event, scope))
        for item in kept
        if item.event is not None and item.entry.series_id is not None
    ]
    rows += [(scope.channel_id, item.entry.source_id, *item.withheld) for item in staged if item.withheld]
    calendar.save(session, rows, now)
    touched |= forget_departed(session, _no_longer_told(dropped, held, apart), apart, now)
    shown = derive(session, scope.organization, touched | {row[2] for row in rows}, now, apart)
    for item in kept:
        own = shown.get((scope.channel_id, item.entry.source_id))
        item.entry.series_id = own or item.entry.series_id


def _no_longer_told(
    dropped: Sequence[Staged], held: Mapping[str, int], apart: Mapping[tuple[int, str], tuple[int, int]]
) -> dict[int, Verdict]:
    """The series that these items told of, or would tell of were they not to be told to nobody, and why they do not."""
    found: dict[int, Verdict] = {}
    for item in dropped:
        entry = item.entry
        if entry.source_id in held and entry.rule is not None:
            _, own = apart.get((entry.channel_id, entry.source_id), (0, held[entry.source_id]))
            found[own] = Verdict(entry.reason, entry.rule)
        elif item.refused is not None and isinstance(item.refused.shown, int):
            found[item.refused.shown] = item.refused.verdict
    return found


def forget_departed(
    session: Session,
    untold: Mapping[int, Verdict],
    apart: Mapping[tuple[int, str], tuple[int, int]],
    now: datetime,
) -> set[int]:
    """Deletes the copies that left their calendars of those of these series that no copy which is there tells: what is there
    decides. `untold` says why an item that is there does not. Gives the series, as the UIDs tell them, to be derived anew."""
    of_uid = {own: series_id for series_id, own in apart.values()}
    copies: dict[int, list[Copy]] = defaultdict(list)
    for copy in calendar.copies(session, {of_uid.get(own, own) for own in untold}):
        _, own = apart.get((copy.channel_id, copy.source_id), (0, copy.series_id))
        copies[own].append(copy)
    silent = [own for own in untold if own in copies and all(_tells_nothing(each) for each in copies[own])]
    for copy in (each for own in silent for each in copies[own] if each.gone_at is not None):
        _, own = apart.get((copy.channel_id, copy.source_id), (0, copy.series_id))
        calendar.forget(session, copy.channel_id, [copy.source_id])
        ledger.skip(session, copy.channel_id, [copy.source_id], untold[own], now)
    return {of_uid.get(own, own) for own in silent}


def _tells_nothing(copy: Copy) -> bool:
    return copy.gone_at is not None or copy.record.private


def _kept(event: EventRecord, scope: Scope) -> EventRecord:
    """The resource as the capture level lets it be kept; of a private exception only which instance it replaces."""
    overrides = tuple(withheld(each) if each.private else each for each in event.overrides)
    if scope.level != "metadata":
        return replace(event, overrides=overrides)
    return replace(event, title="", overrides=tuple(replace(each, title="") for each in overrides))


def derive(
    session: Session,
    organization: Organization,
    series: Collection[int],
    now: datetime,
    apart: Mapping[tuple[int, str], tuple[int, int]] | None = None,
) -> Mapping[tuple[int, str], int]:
    """Brings the stored meetings of these series, each of one UID, in line with their copies.

    Where the UID stands for several meetings, each is a series of its own. Gives, by channel and source id, which of them a
    copy shows; the ledger rows that are there are brought in line. `apart`: what `calendar.shown_as` told before copies were
    forgotten.
    """
    if not series:
        return {}
    by_series: dict[int, list[Copy]] = defaultdict(list)
    for copy in calendar.copies(session, series):
        by_series[copy.series_id].append(copy)
    before_apart = {**(apart or {}), **calendar.shown_as(session, series)}
    was_apart = {series_id for series_id, _ in before_apart.values()}
    of_uid = {each: each for each in series} | {own: series_id for series_id, own in before_apart.values()}
    with_calls = activities.load_group(session, "series_id", of_uid.keys())
    stored = {key: item for key, item in with_calls.items() if item.draft.kind == "meeting"}
    fresh: dict[int, Draft] = {}
    own_series_of: dict[int, int] = {}
    gone: list[Stored] = []
    shown: dict[tuple[int, str], int] = {}
    for series_id in sorted(series):
        copies = by_series[series_id]
        held = _held(copies, organization)
        telling = [copy for copy in copies if not copy.record.private]
        start, end = _window(telling, now)
        found = draft_meetings(held, organization, window_start=start, window_end=end, now=now)
        drafts = {stable_id(draft.dedupe_key): draft for draft in found}
        own_series = {_series_id(draft.series_key) for draft in found}
        if own_series - {series_id} or series_id in was_apart:
            shown |= {key: _series_id(own) for key, own in series_keys(held, organization).items()}
        own_series_of |= {key: _series_id(draft.series_key) for key, draft in drafts.items()}
        fresh |= {key: replace(draft, series_key=None) for key, draft in drafts.items()}
        gone.extend(
            item
            for item in stored.values()
            if of_uid[item.series_id or 0] == series_id
            and item.activity_id not in drafts
            and _is_decided(item.draft.occurred_at, telling, now)
        )
    activities.remove(session, gone)
    left = _without(with_calls, gone)
    counts = organization.unknown_meetings_count
    of_slots = told(session, fresh, own_series_of, left, now, unknown_counts=counts)
    new, changed = _differing(of_slots.drafts, own_series_of, stored, now)
    place(session, organization, new=new, changed=[*changed, *of_slots.calls], now=now)
    ledger.show_as(session, shown)
    derive(session, organization, calendar.series_of_shown(session, of_slots.others) - set(series), now)
    return shown


def _without(stored: Mapping[int, Stored], gone: Collection[Stored]) -> dict[int, Stored]:
    left = {item.activity_id for item in gone}
    return {key: item for key, item in stored.items() if key not in left}


def _differing(
    drafts: Mapping[int, Draft], series_of: Mapping[int, int], stored: Mapping[int, Stored], now: datetime
) -> tuple[list[Stored], list[tuple[Stored, Stored]]]:
    """The meetings that are new, and those that are told otherwise than they are stored."""
    new: list[Stored] = []
    changed: list[tuple[Stored, Stored]] = []
    for key, draft in drafts.items():
        before, own = stored.get(key), series_of[key]
        if before is None:
            new.append(Stored(key, draft, NOT_YET, now, series_id=own))
        elif draft != before.draft or before.series_id != own:
            changed.append((before, replace(before, draft=draft, matched=NOT_YET, series_id=own)))
    return new, changed


def look_again(
    session: Session, organization: Organization, items: Collection[Stored], now: datetime
) -> None:
    """Derives anew the meetings of which these calls and mails may tell: new ones, changed ones as they were and are, and
    removed ones."""
    series = series_around(session, items) if items else set()
    derive(session, organization, calendar.series_of_shown(session, series), now)


def _series_id(series_key: str | None) -> int:
    return stable_id(f"series:{series_key}")


def _held(copies: Sequence[Copy], organization: Organization) -> list[CalendarCopy]:
    return [
        CalendarCopy(
            organization.colleagues[copy.user_id],
            copy.record,
            copy.first_seen_at,
            copy.gone_at is not None,
            copy.gone_at,
            copy.channel_id,
            copy.source_id,
            copy.moves,
        )
        for copy in copies
        if copy.user_id in organization.colleagues
    ]


def _window(copies: Sequence[Copy], now: datetime) -> tuple[datetime, datetime]:
    """From the earliest bound among the accounts that hold a copy, at most a year back, to a year ahead."""
    return max(now - PAST, _bound(copies)), now + FUTURE


def _bound(copies: Sequence[Copy]) -> datetime:
    """Before this no account that holds a copy captures anything."""
    bounds = [copy.since for copy in copies]
    known = [bound for bound in bounds if bound is not None]
    if not known or len(known) < len(bounds):
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(min(known), time(), UTC) - timedelta(days=1)


def _is_decided(occurred_at: datetime, copies: Sequence[Copy], now: datetime) -> bool:
    """Whether an instance that the copies do not give is no more. What lies further back than a year is not derived anew,
    and stays; but not where nobody who captured so far back holds a copy any longer."""
    if not copies or occurred_at < _bound(copies):
        return True
    return now - PAST <= occurred_at < now + FUTURE


def settle_meetings(app: Application, *, whole_calendar: bool = False) -> int:
    """Derives anew the meetings that have ended since they were last looked at; the number of series derived.

    `whole_calendar` also takes every recurring series, whose window of derived meetings moves on from day to day, and those
    with a call in a slot: whose number it is may have been entered since. What the calls in slots tell of switchboards is
    learned before. Meetings of which nobody knows are looked at again where they count otherwise now.
    """
    with reading(app.engine) as session:
        if (
            session.scalar(select(col(Activity.id)).where(col(Activity.series_id).is_not(None)).limit(1))
            is None
        ):
            return 0
    now = app.clock.now()
    organization = our_people(app)
    if whole_calendar:
        with writing(app.engine) as session:
            take_turn(session)
            learn_switchboards(session, organization, now)
    with reading(app.engine) as session:
        ended = select(col(Activity.series_id)).where(
            col(Activity.kind) == "meeting",
            col(Activity.status) == "planned",
            col(Activity.ends_at) <= now,
            col(Activity.series_id).is_not(None),
        )
        series = {found for found in session.scalars(ended.distinct()) if found is not None}
        if whole_calendar:
            series |= calendar.recurring(session) | slots.series_with_calls(session, (now - PAST).date())
            series |= slots.series_in_doubt(session, organization.unknown_meetings_count)
        series = calendar.series_of_shown(session, series)
    for chunk in in_chunks(sorted(series), BATCH):
        with writing(app.engine) as session:
            take_turn(session)
            derive(session, organization, chunk, now)
    return len(series)
