"""What Outlook calls an event across calendars: a Global Object ID in hexadecimal, or another system's UID.

MS-OXOCAL 2.2.1.27: 16 bytes that are always the same, 4 for the date of one instance (zero for a series and for a single
event), 8 for the time of making, 8 reserved, 4 for a length, then data. Data that begins with ``vCal-Uid`` and 1 holds the
UID of the system that the event came from (MS-OXCICAL 2.1.3.1.1.20.26).
"""

from __future__ import annotations

from datetime import date

_ALWAYS = "040000008200E00074C5B7101A82E008"
_DATE_ENDS = 40
_DATA_BEGINS = 80
_FOREIGN = b"vCal-Uid\x01\x00\x00\x00"


def series_uid(uid: str) -> tuple[str, date | None]:
    """The UID that a series and all its instances share, as invitations by mail spell it, and the day of the instance that
    was named, if one was."""
    upper = uid.upper()
    if not upper.startswith(_ALWAYS) or len(upper) < _DATA_BEGINS:
        return uid, None
    try:
        data = bytes.fromhex(upper[_DATA_BEGINS:])
        year, month, day = int(upper[32:36], 16), int(upper[36:38], 16), int(upper[38:40], 16)
    except ValueError:
        return uid, None
    instance = None
    if (year, month, day) != (0, 0, 0):
        try:
            instance = date(year, month, day)
        except ValueError:
            return uid, None
    if data.startswith(_FOREIGN):
        foreign = data[len(_FOREIGN) :].split(b"\0", 1)[0].decode("utf-8", "replace")
        return foreign or uid, instance
    return upper[:32] + "00000000" + upper[_DATE_ENDS:], instance
