"""Which permissions are asked for, and what those that were granted allow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autocapture.connector import CaptureLevel

_SIGN_IN = ("openid", "email", "profile", "offline_access", "User.Read")
_BASIC = (*_SIGN_IN, "Mail.ReadBasic", "Calendars.ReadBasic")

SCOPES: Mapping[CaptureLevel, tuple[str, ...]] = {
    "metadata": _BASIC,
    "subject": _BASIC,
    "full": (*_SIGN_IN, "Mail.Read", "Calendars.Read"),
}
"""`Mail.ReadBasic` tells everything of a mail but its text and attachments, `Calendars.ReadBasic` everything of an event but
the same. Graph takes a subscription to mail from who holds the former, and one to events from who holds `Calendars.Read` alone
(https://learn.microsoft.com/graph/api/subscription-post-subscriptions#permissions). That opens the texts of events too, so it is
asked for only by who chose to have texts read, at level *full*; at the others calendars are polled."""

CALLS_SCOPES: Mapping[CaptureLevel, tuple[str, ...]] = dict.fromkeys(SCOPES, ("CallRecords.Read.All",))
"""An application permission: it reaches the calls of the whole organisation, and Microsoft offers no narrower one."""

_WHATEVER_WAS_CONSENTED = ".default"


@dataclass(frozen=True, slots=True)
class Permissions:
    """`mail_text`: also the text of mail; `calendar_notices`: calendars whole, without which Graph tells of no changes."""

    mail: bool
    mail_text: bool
    calendars: bool
    calendar_notices: bool
    calls: bool
    assumed: bool = False
    """Nobody named what was granted, so it shows when it is asked for."""


def permissions(scopes: Collection[str]) -> Permissions:
    """What these scopes allow. They come as ``Mail.Read`` or with the address of their resource before it; ``.default``, which
    stands for whatever an administrator consented to, allows us to try everything."""
    names = {scope.rpartition("/")[2].casefold() for scope in scopes}
    if _WHATEVER_WAS_CONSENTED in names:
        return Permissions(True, True, True, True, True, assumed=True)
    mail = {name for name in names if name.startswith("mail.read")}
    calendars = {name for name in names if name.startswith("calendars.read")}
    return Permissions(
        mail=bool(mail),
        mail_text=any("basic" not in name for name in mail),
        calendars=bool(calendars),
        calendar_notices=any("basic" not in name for name in calendars),
        calls="callrecords.read.all" in names,
    )
