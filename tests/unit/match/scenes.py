"""A small CRM and short ways to put activities to `match`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.unit.cast import NOON, ORGANIZATION, RUTH, mail

from autocapture.match import match
from autocapture.model.columns import stable_id
from autocapture.model.directory import Directory, KnownContact, KnownDeal
from autocapture.model.draft import Draft, Matched
from autocapture.model.matching import Occurrence
from autocapture.normalize.email import draft_email

NORDWIND, SUBSIDIARY, PARTNER, OTHER = 10, 11, 12, 13
ANNA, CARL, PAUL, OLGA = 100, 101, 102, 103
OWNER = RUTH.user_id
DAY = timedelta(days=1)

CONTACTS: Mapping[str, tuple[KnownContact, ...]] = {
    "anna@nordwind.example": (KnownContact(ANNA, NORDWIND, "Anna"),),
    "carl@nordwind.example": (KnownContact(CARL, NORDWIND, "Carl"),),
    "carl.consultant@gmail.com": (KnownContact(CARL, NORDWIND, "Carl"),),
    "paul@partner.example": (KnownContact(PAUL, PARTNER, "Paul"),),
    "olga@other.example": (KnownContact(OLGA, OTHER, "Olga"),),
    "+49309876543": (KnownContact(ANNA, NORDWIND, "Anna"),),
}
DOMAINS: Mapping[str, tuple[int, ...]] = {
    "nordwind.example": (NORDWIND,),
    "nordwind.co.uk": (NORDWIND,),
    "partner.example": (PARTNER,),
    "other.example": (OTHER,),
    "gmail.com": (OTHER,),
}


def deal(
    deal_id: int,
    company: int | None = NORDWIND,
    *contacts: int,
    created: datetime = NOON - 100 * DAY,
    closed: datetime | None = None,
    outcome: str = "won",
    name: str = "",
    owner: int | None = OWNER,
    **given: Any,
) -> KnownDeal:
    return KnownDeal(
        deal_id,
        company,
        owner,
        created,
        closed,
        outcome if closed else "open",
        name or f"D{deal_id}",
        frozenset(contacts),
        **given,
    )


def directory(*deals: KnownDeal, **given: Any) -> Directory:
    given.setdefault("contacts", CONTACTS)
    given.setdefault("companies", DOMAINS)
    return Directory(
        given.pop("organization", ORGANIZATION),
        company_names={
            NORDWIND: "Nordwind AG",
            SUBSIDIARY: "Nordwind Ltd",
            PARTNER: "Partner",
            OTHER: "Other Inc",
        },
        partners=frozenset({PARTNER}),
        deals={each.deal_id: each for each in deals},
        **given,
    )


def draft(sender: str = "anna@nordwind.example", **given: Any) -> Draft:
    return draft_email(mail(sender, **given), RUTH, ORGANIZATION, level="subject")


def written(
    number: int, sender: str = "anna@nordwind.example", *, text: str | None = None, **given: Any
) -> Occurrence:
    """A mail of a thread; `days` is when, counted from noon."""
    at = NOON + timedelta(days=given.pop("days", number))
    given.setdefault("message_id", f"{number}@nordwind.example")
    made = draft(sender, at=at, **given)
    return Occurrence(stable_id(made.dedupe_key), made, text)


def alone(found: Draft, known: Directory, text: str | None = None) -> Matched:
    """The answer for an activity that belongs to no thread."""
    key = stable_id(found.dedupe_key)
    return match([Occurrence(key, found, text)], known)[key]


def thread(known: Directory, *occurrences: Occurrence) -> list[Matched]:
    """The answers for the mails of one thread, in the order in which they are given."""
    answers = match(occurrences, known)
    return [answers[each.activity_id] for each in occurrences]


def meeting(number: int, *handles: str, subject: str = "Weekly", days: float = 0) -> Occurrence:
    """A date of a series with these guests and Ruth."""
    base = draft(handles[0], cc=", ".join(handles[1:]), subject=subject, at=NOON + timedelta(days=days))
    made = replace(base, kind="meeting", dedupe_key=f"series {number}")
    return Occurrence(stable_id(made.dedupe_key), made)


def links(matched: Matched, target: str) -> dict[int, str]:
    return {link.target_id: link.method for link in matched.links if link.target == target}


def deals(matched: Matched) -> dict[int, float]:
    return {link.target_id: link.weight for link in matched.links if link.target == "deal"}


def outcome(matched: Matched) -> tuple[dict[int, str], dict[int, str], str | None]:
    return links(matched, "company"), links(matched, "deal"), matched.review


def chosen(found: Sequence[Matched]) -> list[list[int]]:
    """The deals of each activity."""
    return [sorted(deals(each)) for each in found]
