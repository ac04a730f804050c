"""Why an item is not captured: a closed list of words, stored in the ledger and shown to people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BOUNCE: Final = "bounce"
AUTO_REPLY: Final = "auto_reply"
NEWSLETTER: Final = "newsletter"
NOTIFICATION: Final = "notification"
CALENDAR_MAIL: Final = "calendar_mail"
INTERNAL: Final = "internal"
NO_EXTERNAL: Final = "no_external"
EXCLUDED: Final = "excluded"
PRIVATE: Final = "private"
NOT_A_MEETING: Final = "not_a_meeting"
BEFORE_SINCE: Final = "before_since"
OUT_OF_SCOPE: Final = "out_of_scope"
UNUSABLE_TIME: Final = "unusable_time"

REASONS: Mapping[str, str] = MappingProxyType(
    {
        BOUNCE: "a delivery report, or a complaint sent back by a mail system",
        AUTO_REPLY: "an out-of-office note, a read receipt or another automatic answer",
        NEWSLETTER: "sent through a mailing list or in bulk by somebody outside",
        NOTIFICATION: "written by a machine, or from an address that nobody reads",
        CALENDAR_MAIL: "an invitation or an answer to one; the calendar tells of the meeting itself",
        INTERNAL: "everybody who takes part is one of ours",
        NO_EXTERNAL: "nobody from outside takes part, or nobody is named",
        EXCLUDED: "the organisation's never-log list names who takes part",
        PRIVATE: "marked private or confidential by whoever wrote it",
        NOT_A_MEETING: "free time, working location, focus time, absence, a birthday, or nobody else invited",
        BEFORE_SINCE: "older than the day from which this account is captured",
        OUT_OF_SCOPE: "captured once, and removed when its owner chose to have less captured",
        UNUSABLE_TIME: "without a usable time",
    }
)
"""Each reason and what it means."""

KEPT_TO_ONESELF: Final = frozenset({EXCLUDED, PRIVATE})
"""Reasons for which an item is to be told to nobody, also by copies that left their mailbox before."""
