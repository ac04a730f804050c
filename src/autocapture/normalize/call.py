"""Calls: one leg to a draft, and the legs of one call joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from autocapture.formats.call_sides import Sides, sides_of
from autocapture.formats.handles import canonical_email, canonical_phone
from autocapture.model.columns import stable_id
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Direction, Draft, Part, Party, Role
from autocapture.normalize.parts import local_date, shared
from autocapture.records import CallRecord

_OUTCOMES = ("unknown", "failed", "no_answer", "busy", "voicemail", "answered")
_DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound", "internal")


SLACK = timedelta(minutes=1)
PAUSE = timedelta(hours=1)
PASSED_ON = timedelta(seconds=10)
"""So soon after a leg the next one begins when a call is passed on."""
ANNOUNCED = timedelta(seconds=45)
"""So long both legs may last while a call is announced to whom it is passed on to."""


def draft_call(record: CallRecord, owner: Colleague, organization: Organization) -> Draft:
    """The activity as one line of a call log of `owner` tells it; legs with one `group` are one call (`merge_calls`).

    The call belongs to the user whose number or extension took part, else to whom the log names (`CallRecord.owner`), else
    to `owner`; to nobody where the log names somebody we do not know. Every outbound attempt counts, an inbound call only
    for who answered it. `duration_s` is the time talked; from when on a call was connected is the metrics' matter.
    """
    sides = sides_of(record, owner.region, organization)
    user_id = _user(record, sides, owner, organization)
    talked = max(0, int(record.talked_for.total_seconds()))
    parts: tuple[Part, ...] = ()
    if user_id is not None:
        colleague = organization.colleagues.get(user_id, owner)
        inbound = sides.direction == "inbound"
        parts = shared(
            [
                Part(
                    user_id,
                    local_date(record.started_at, colleague.time_zone),
                    "callee" if inbound else "caller",
                    counts=not inbound or record.outcome == "answered",
                )
            ]
        )
    return Draft(
        dedupe_key=f"call:{record.group or record.call_id}",
        kind="call",
        occurred_at=record.started_at,
        direction=sides.direction,
        parties=_parties(sides, user_id, organization),
        parts=parts,
        ends_at=record.started_at + record.talked_for if talked else record.started_at,
        duration_s=talked,
        status=record.outcome,
        external=bool(sides.outside),
    )


def merge_calls(drafts: Sequence[Draft]) -> Draft:
    """The legs of one call, and the copies of one leg in several logs, as one: whatever their order, and however often the
    same leg comes again.

    The first start and which way that leg went, and the last end; the best outcome; the longest talk of a leg, which is never
    more than was talked (the sum would count a leg twice that two logs hold). A transferred call counts for each who talked.
    """
    if len(drafts) == 1:
        return drafts[0]
    parties: dict[tuple[str, str], Party] = {}
    for party in (party for draft in drafts for party in draft.parties):
        known = parties.get((party.role, party.address))
        if known is None or (known.user_id or 0) < (party.user_id or 0):
            parties[party.role, party.address] = party
    return replace(
        min(drafts, key=lambda draft: draft.dedupe_key),
        occurred_at=min(draft.occurred_at for draft in drafts),
        direction=min(
            drafts, key=lambda draft: (draft.occurred_at, _DIRECTIONS.index(draft.direction))
        ).direction,
        parties=tuple(parties[key] for key in sorted(parties)),
        parts=shared(part for draft in drafts for part in draft.parts),
        ends_at=max((draft.ends_at for draft in drafts if draft.ends_at is not None), default=None),
        duration_s=max(draft.duration_s or 0 for draft in drafts),
        status=max((draft.status or "unknown" for draft in drafts), key=_OUTCOMES.index),
        external=any(draft.external for draft in drafts),
    )


def conflicts(one: Draft, other: Draft) -> bool:
    """Whether two drafts under one id are different calls: two telephone systems both count from 1.

    The legs of a call, and the copies of one leg in several logs, begin while another of them lasts (`SLACK` for ringing and
    clocks); with the same outside number, within `PAUSE` of it, as nobody counts the time on hold.
    """
    gap = max(one.occurred_at - _end(other), other.occurred_at - _end(one))
    return gap > (PAUSE if outside_numbers(one) & outside_numbers(other) else SLACK)


def continues(one: Draft, other: Draft) -> bool:
    """Whether two calls under different ids are legs of one: with the same number outside, the later of two different lines of
    ours begins where the earlier ends, or they end together. Of one line, only what two logs hold: both talked, at once.

    Somebody of ours who dials the number themselves goes on with nothing unless that leg was talked right after; two who
    dialled it at the same time made two calls.
    """
    first, second = sorted((one, other), key=lambda draft: (draft.occurred_at, draft.dedupe_key))
    if not outside_numbers(first) & outside_numbers(second):
        return False
    begins, ends = second.occurred_at, _end(first)
    both_end = begins < ends and abs(ends - _end(second)) <= PASSED_ON
    if _users(first) & _users(second):
        return both_end and begins - first.occurred_at <= SLACK and _is_talked(first) and _is_talked(second)
    dialled = second.direction == "outbound"
    if dialled and not _is_talked(second):
        return False
    if not _is_talked(first):  # it rang elsewhere first
        return first.direction == "inbound" and not dialled and begins - ends <= SLACK
    follows = -ANNOUNCED <= begins - ends <= PASSED_ON
    if dialled and first.direction == "outbound":
        return follows and begins >= ends
    return follows or both_end


def own_key(draft: Draft) -> str:
    """An identity beside the call that already has this id: the id with what makes this one another call."""
    told = "\n".join((*sorted(outside_numbers(draft)), draft.occurred_at.isoformat()))
    return f"{draft.dedupe_key}#{stable_id(told)}"


def _end(draft: Draft) -> datetime:
    return draft.ends_at or draft.occurred_at


def _users(draft: Draft) -> set[int]:
    return {part.user_id for part in draft.parts}


def _is_talked(draft: Draft) -> bool:
    return draft.status in ("answered", "unknown") and bool(draft.duration_s)


def outside_numbers(draft: Draft) -> set[str]:
    """The numbers that are not our people's; the switchboard's own is one of them only where nothing tells it apart."""
    theirs: Role = "caller" if draft.direction == "inbound" else "callee"
    return {party.address for party in draft.parties if party.role == theirs and party.user_id is None}


def _user(record: CallRecord, sides: Sides, owner: Colleague, organization: Organization) -> int | None:
    talker = organization.user_of(sides.inside) if sides.inside else None
    if not record.owner:
        return owner.user_id if talker is None else talker
    handle = (
        canonical_email(record.owner) if "@" in record.owner else canonical_phone(record.owner, owner.region)
    )
    named = organization.user_of(handle)
    # a leg that was passed on keeps the name of who began the call; the line tells who talked
    return named if named is None or talker is None else talker


def _parties(sides: Sides, user_id: int | None, organization: Organization) -> tuple[Party, ...]:
    """Callee before caller, as they are stored. Our side is the user's even where it shows the switchboard's number."""
    pairs: tuple[tuple[Role, str], ...] = (("callee", sides.callee), ("caller", sides.caller))
    ours: Role = "callee" if sides.direction == "inbound" else "caller"
    return tuple(
        Party(role, handle, user_id=user_id if role == ours else organization.user_of(handle))
        for role, handle in pairs
        if handle
    )
