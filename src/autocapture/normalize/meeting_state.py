"""What became of a meeting: the state that its signs speak for (METRICS R10).

A sign is something that was seen: an answer to the invitation, a cancellation, a call in the slot, a mail after it. Each speaks
for a state, and is firm (somebody said or did so), fair (it follows as a rule) or weak (nothing speaks against it). The order of
`SIGNS` says which of them is believed, whatever the order in which they were seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, get_args

from autocapture.model.draft import Party, Sign

State = Literal["planned", "held", "cancelled_by_us", "cancelled_by_them", "no_show", "unknown"]
Grade = Literal["firm", "fair", "weak"]
Name = Literal[
    "cancelled",  # by its organizer
    "declined_by_us",  # everybody of ours declined, or took it out of their calendar
    "left_calendars",  # it left every calendar before it began
    "talked",  # a call between a rep of it and a guest, through a good part of the slot
    "missed",  # a mail says that somebody did not come
    "declined_by_them",  # every guest declined
    "accepted",
    "tentative",
    "silence",  # no guest answered
    "doubt",  # a guest declined, and no other is known to come
    "spoke",  # a call in the slot, too short to be the meeting
    "missed_by_some",  # a mail says that one of several did not come
    "policy",  # what nobody knows counts as held
]
SIGNS: tuple[Name, ...] = get_args(Name)
"""The one that is believed first."""

CANCELLED: tuple[State, ...] = ("cancelled_by_us", "cancelled_by_them")
_COMING = ("accepted", "tentative")
_NAMED = 5


def sign(name: Name, says: State, grade: Grade, who: Iterable[str] = (), by: int | None = None) -> Sign:
    """`who` are handles, of which the first few are kept; `by` is the id of the call or mail that tells it."""
    return Sign(name, says, grade, tuple(sorted(set(who)))[:_NAMED], by)


def answers(
    outside: Collection[Party],
    ours: Collection[Party],
    absent: Collection[int],
    *,
    theirs: bool,
    cancelled: bool,
) -> list[Sign]:
    """The signs that calendars give of a meeting that is in one of them, or was when it began.

    `absent` are those of ours who took it out beforehand; `theirs`: it is organised by somebody from outside.
    """
    found = []
    if cancelled:
        found.append(sign("cancelled", "cancelled_by_them" if theirs else "cancelled_by_us", "firm"))
    if ours and all(party.response == "declined" or party.user_id in absent for party in ours):
        found.append(sign("declined_by_us", "cancelled_by_us", "firm", _handles(ours)))
    declined = [party for party in outside if party.response == "declined"]
    if len(declined) == len(outside):
        return [*found, sign("declined_by_them", "cancelled_by_them", "firm", _handles(declined))]
    for response in _COMING:
        if who := [party.address for party in outside if party.response == response]:
            found.append(
                sign("accepted", "held", "fair", who)
                if response == "accepted"
                else sign("tentative", "held", "weak", who)
            )
    if any(party.response in _COMING for party in outside):
        return found
    if declined:
        return [*found, sign("doubt", "unknown", "weak", _handles(declined))]
    return [*found, sign("silence", "held", "weak")]


def departure(*, theirs: bool, taken_back: bool) -> Sign:
    """The sign of a meeting that left every calendar before it began. `taken_back`: its organizer's was one of them; else the
    calendars may have dropped what the organizer took back, and that is the best guess."""
    return sign(
        "left_calendars",
        "cancelled_by_them" if theirs else "cancelled_by_us",
        "fair" if taken_back else "weak",
    )


def concluded(
    signs: Iterable[Sign], *, ended: bool, unknown_counts: bool = False
) -> tuple[State, tuple[Sign, ...]]:
    """The state of a meeting, and its signs in the order in which they are believed. Until its end it is planned, unless it
    was called off. `unknown_counts`: what nobody knows is taken for held."""
    told = sorted(set(signs) - {_POLICY}, key=_rank)
    state: State = told[0].says if told else "unknown"  # type: ignore[assignment]  # no other is made
    if not ended and state not in CANCELLED:
        return "planned", tuple(told)
    if state == "unknown" and unknown_counts:
        return "held", (_POLICY, *told)
    return state, tuple(told)


_POLICY = sign("policy", "held", "weak")


def _rank(of: Sign) -> tuple[int, Sequence[str], int]:
    return SIGNS.index(of.sign), of.who, of.activity_id or 0


def _handles(parties: Iterable[Party]) -> list[str]:
    return [party.address for party in parties]
