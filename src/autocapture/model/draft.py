"""The small frozen values that cross the stages: a verdict, an activity before it is stored, and its links.

`admit` gives a `Verdict`, `normalize` a `Draft`, `match` a `Matched`; `store` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Any, Literal

from autocapture.values import value

Role = Literal["from", "to", "cc", "bcc", "organizer", "attendee", "caller", "callee"]
ActivityKind = Literal["email", "meeting", "call"]
Direction = Literal["inbound", "outbound", "internal"]
Nature = Literal["human", "bulk", "auto"]


@value(frozen=True, slots=True)
class Verdict:
    """Whether an item becomes an activity. `reason` is None when admitted, else a word of `admit.reasons`;
    `rule` is ``name@version`` of the rule that decided."""

    reason: str | None
    rule: str

    @property
    def admitted(self) -> bool:
        return self.reason is None


@value(frozen=True, slots=True)
class Party:
    """One participant: `address` is a canonical handle (email lower-case with IDNA domain, or E.164, or ``ext:12``).

    `user_id` is set for one of ours. `contact_id` is set by `match`.
    """

    role: Role
    address: str
    name: str = ""
    response: str | None = None
    resource: bool = False
    user_id: int | None = None
    contact_id: int | None = None


@value(frozen=True, slots=True)
class Part:
    """What the activity counts for one user; see `model.activities.Participation`."""

    user_id: int
    local_date: date
    role: str
    counts: bool = True
    share: float = 1.0
    booked_date: date | None = None


@value(frozen=True, slots=True)
class Sign:
    """One sign of what became of a meeting, see `normalize.meeting_state`: what was seen, the state it speaks for, and how well
    (firm, fair, weak). `who` are handles, the first few; `activity_id` is the call or mail that tells it."""

    sign: str
    says: str
    grade: str
    who: tuple[str, ...] = ()
    activity_id: int | None = None


@value(frozen=True, slots=True)
class Draft:
    """An activity as one or more copies of it tell it. `normalize.merge_emails` joins the drafts of two copies.

    `thread_keys` are the Message-IDs (own first, then references) that tie an email into a thread; a meeting carries the
    `series_key` of its calendar UID. `fingerprint` is the `stable_id` by which a copy with a rewritten Message-ID is found.
    `evidence` are the signs that a meeting's status stands on, the deciding one first. `remark` is what the subject of a mail
    says of a meeting (`normalize.slot`). `deal_key` is the key of a deal in the CRM that a mail of ours gives in a header.
    """

    dedupe_key: str
    kind: ActivityKind
    occurred_at: datetime
    direction: Direction
    parties: tuple[Party, ...]
    parts: tuple[Part, ...]
    ends_at: datetime | None = None
    duration_s: int | None = None
    nature: Nature = "human"
    status: str | None = None
    subject: str | None = None
    external: bool = True
    thread_keys: tuple[str, ...] = ()
    provider_thread: str | None = None
    series_key: str | None = None
    fingerprint: int | None = None
    booked_at: datetime | None = None
    moved_count: int = 0
    evidence: tuple[Sign, ...] = ()
    remark: str | None = None
    deal_key: str | None = None


@value(frozen=True, slots=True)
class Link:
    """A match to a company or a deal; weights on the deals of one activity sum to at most 1. `rules` is the version of the rules
    (`model.matching`) that made it."""

    target: Literal["company", "deal"]
    target_id: int
    method: str
    weight: float = 1.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    rules: int = 1


@value(frozen=True, slots=True)
class Matched:
    """The answer of `match` for one draft: its parties with contacts filled in, its links, and what stayed undecided."""

    parties: tuple[Party, ...]
    links: tuple[Link, ...] = ()
    review: str | None = None
    business: bool = True
    """False where a person said that it is none: then it counts nothing."""
