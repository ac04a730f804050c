"""What the headers of one mail say together: who wrote it, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from autocapture.formats.addresses import parse_addresses
from autocapture.records import Address, EmailRecord

_VIA = " via "
_ORIGINAL_AUTHOR = ("x-original-from", "x-google-original-from")
_FIRST_YEAR = 1990
_CLOCK_ERROR = timedelta(days=1)


def occurred_at(record: EmailRecord) -> datetime | None:
    """When the mail was sent: its Date header unless that is implausible, else when the server received it, else None.

    Implausible is a Date before 1990 or more than a day after the mail was received. Long before is plausible: mail moved
    to a new server is received there on the day of the move.
    """
    sent, received = record.sent_at, record.received_at
    if sent is None or sent.year < _FIRST_YEAR:
        return received
    if received is not None and sent - received > _CLOCK_ERROR:
        return received
    return sent


def author_of(record: EmailRecord) -> Address | None:
    """Who wrote the mail: the From identity, or whom a list that rewrote From (for DMARC) names instead.

    Lists write ``Anna via Sales <sales@ours>`` and keep the author in X-Original-From, or in a Reply-To of
    one address.
    """
    if not record.from_:
        return record.sender[0] if record.sender else None
    author = record.from_[0]
    for name in _ORIGINAL_AUTHOR:
        if (original := record.headers.get(name)) and (found := parse_addresses(original)):
            return found[0]
    if _VIA in author.name and len(record.reply_to) == 1:
        return Address(record.reply_to[0].email, author.name.partition(_VIA)[0].strip("'\" "))
    return author
