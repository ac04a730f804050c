"""Graph's messages to `EmailRecord`. What a body says is never looked at here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from autocapture.connector import Broken, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.mime import HEADER_FIELDS, parse_headers
from autocapture.records import Address, EmailRecord
from autocapture_microsoft.shape import Item, flag, instant, member, members, text

FIELDS = (
    *(
        "id",
        "internetMessageId",
        "conversationId",
        "subject",
        "from",
        "sender",
        "toRecipients",
        "ccRecipients",
    ),
    *("bccRecipients", "replyTo", "sentDateTime", "receivedDateTime", "isDraft", "parentFolderId"),
)
HEADERS = "internetMessageHeaders"
"""References, Auto-Submitted and the like. Received mail has them; what was sent from this mailbox has none."""

VERSION = "1"
"""Of every message: one that was sent no longer changes. Raised where this module reads more than before."""

_INVITATION = {"content-class": "urn:content-classes:calendarmessage"}

_TOLD_APART = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID")
_WANTED = frozenset(name.lower() for name in HEADER_FIELDS if name not in _TOLD_APART)


def is_whole(item: Item) -> bool:
    """Whether all that was asked for is there. Of a message that was only read or flagged, a delta tells only that."""
    return "toRecipients" in item and "receivedDateTime" in item


def is_draft(item: Item) -> bool:
    return flag(item, "isDraft")


def read_message(id_: str, item: Item) -> Record | Broken:
    try:
        return Record(id_, email_record(item), VERSION)
    except RecordUnusable as unusable:
        return Broken(id_, str(unusable), f"{VERSION}!")


def email_record(item: Item) -> EmailRecord:
    """Raises RecordUnusable for a value of unknown form."""
    parsed = parse_headers(_headers(item), received_at=instant(item, "receivedDateTime"))
    return replace(
        parsed,
        subject=text(item, "subject"),
        from_=_addresses([member(item, "from")]),
        sender=_addresses([member(item, "sender")]),
        to=_addresses(members(item, "toRecipients")),
        cc=_addresses(members(item, "ccRecipients")),
        bcc=_addresses(members(item, "bccRecipients")),
        reply_to=_addresses(members(item, "replyTo")),
        sent_at=instant(item, "sentDateTime"),
        headers={**parsed.headers, **_INVITATION} if _is_invitation(item) else parsed.headers,
        provider_thread=text(item, "conversationId") or None,
    )


def _is_invitation(item: Item) -> bool:
    """Invitations and answers to them are of types of their own; sent by Outlook, no header line gives them away."""
    return "eventmessage" in text(item, "@odata.type").casefold()


def _headers(item: Item) -> bytes:
    """The header lines that Graph tells by name, in the form in which every other source has them."""
    lines = [f"Message-ID: {text(item, 'internetMessageId')}"]
    for header in members(item, HEADERS):
        name = text(header, "name")
        if name.lower() in _WANTED:
            lines.append(f"{name}: {text(header, 'value')}")
    return "\r\n".join(lines).encode("utf-8", "replace")


def _addresses(recipients: Iterable[Item]) -> tuple[Address, ...]:
    found = []
    for recipient in recipients:
        mailbox = member(recipient, "emailAddress")
        address = text(mailbox, "address")
        if address:
            found.append(Address(address, text(mailbox, "name")))
    return tuple(found)
