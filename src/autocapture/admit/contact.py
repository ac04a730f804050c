"""Who of the people from outside becomes a contact by themselves, and who only when somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autocapture.admit.exclusions import Exclusions
from autocapture.formats.domains import FREE_MAIL
from autocapture.formats.shared_addresses import shared_by
from autocapture.model.created import Stranger
from autocapture.model.directory import Organization
from autocapture.settings import ContactsSettings

Reason = Literal["sent_to", "two_way", "met"]
Obstacle = Literal[
    "own", "excluded", "machine", "list", "role", "number", "bounced", "taken_back", "too_little", "twin"
]

OBSTACLES: dict[Obstacle, str] = {
    "own": "one of our own addresses",
    "excluded": "on the never-log list",
    "machine": "a machine's address",
    "list": "a mailing list",
    "role": "a role's mailbox",
    "number": "a number alone names nobody",
    "bounced": "mail to it bounces",
    "taken_back": "taken back before, or given up by the CRM",
    "too_little": "below the thresholds",
    "twin": "perhaps a contact under another address",
}
"""Why somebody is not created, in words."""


_TO_FREE_MAIL = 2
"""Mails to an address of free mail before it is a contact's, where one of them would do otherwise."""


@dataclass(frozen=True, slots=True)
class Judged:
    """`reason` is the threshold that was met, by `count` activities; None where an `obstacle` stands against it. `twin`: whose
    other address it may be."""

    reason: Reason | None
    count: int = 0
    obstacle: Obstacle | None = None
    twin: str = ""

    @property
    def why_not(self) -> str:
        """The obstacle in words."""
        words = OBSTACLES[self.obstacle] if self.obstacle is not None else ""
        return f"{words}: {self.twin}" if self.twin else words


def obstacle_of(address: str, organization: Organization, exclusions: Exclusions) -> Obstacle | None:
    """What the address alone says against a contact: whose it is, and who is behind it."""
    if organization.is_inside(address):
        return "own"
    if exclusions.apply((), (address,)):
        return "excluded"
    return "number" if "@" not in address else shared_by(address)


def is_free_mail(address: str) -> bool:
    """Whether the address names no organisation: anybody may have one there."""
    return address.rpartition("@")[2] in FREE_MAIL


def judge(stranger: Stranger, thresholds: ContactsSettings, *, is_alone: bool = False) -> Judged:
    """By the first threshold that is met: mails that our people addressed to them, mails in both directions, meetings held.

    Mails are two-way where they and we wrote; one side alone is none. A threshold of 0 is never met. A single mail to somebody on
    free mail who is seen with no company (`is_alone`) may be private: that is not enough.
    """
    two_way = stranger.ours + stranger.theirs if stranger.ours and stranger.theirs else 0
    may_be_private = is_alone and is_free_mail(stranger.address)
    sent_to = thresholds.sent_to and max(thresholds.sent_to, _TO_FREE_MAIL if may_be_private else 0)
    counted: tuple[tuple[Reason, int, int], ...] = (
        ("sent_to", stranger.mailed, sent_to),
        ("two_way", two_way, thresholds.two_way),
        ("met", stranger.met, thresholds.met),
    )
    for reason, count, threshold in counted:
        if threshold and count >= threshold:
            return Judged(reason, count)
    return Judged(None, obstacle="too_little")
