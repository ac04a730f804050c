"""Calendars and call logs bent at random: bytes flipped, lines moved, numbers grown, hostile words put in. Seeded."""

from __future__ import annotations

import random

CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
METHOD:REQUEST\r
BEGIN:VTIMEZONE\r
TZID:Somewhere\r
BEGIN:STANDARD\r
DTSTART:19701025T030000\r
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r
END:STANDARD\r
BEGIN:DAYLIGHT\r
DTSTART:19700329T020000\r
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r
TZOFFSETFROM:+0100\r
TZOFFSETTO:+0200\r
END:DAYLIGHT\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:series@x.example\r
DTSTAMP:20261101T080000Z\r
CREATED:20261001T080000Z\r
DTSTART;TZID=Somewhere:20261102T090000\r
DTEND;TZID=Somewhere:20261102T100000\r
RRULE:FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2;COUNT=30;WKST=SU\r
RDATE;VALUE=DATE-TIME;TZID=Somewhere:20261105T090000,20261106T090000\r
EXDATE;TZID=Somewhere:20261116T090000\r
SUMMARY:Weekly\\, as ever\\nwith a se\r
 cond line\r
ORGANIZER;CN="Ruth; of ours":mailto:ruth@ours.example\r
ATTENDEE;CN=Kim;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:kim@customer.example\r
ATTENDEE;CUTYPE=ROOM:mailto:room@ours.example\r
BEGIN:VALARM\r
ACTION:DISPLAY\r
TRIGGER:-PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:series@x.example\r
RECURRENCE-ID;TZID=Somewhere:20261104T090000\r
DTSTART;TZID=Somewhere:20261104T140000\r
DURATION:P1DT2H30M\r
SEQUENCE:2\r
STATUS:CANCELLED\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:day@x.example\r
DTSTART;VALUE=DATE:20261110\r
DTEND;VALUE=DATE:20261112\r
RRULE:FREQ=MONTHLY;BYDAY=2TU;BYSETPOS=-1;UNTIL=20280101\r
CLASS:PRIVATE\r
TRANSP:TRANSPARENT\r
X-MICROSOFT-CDO-BUSYSTATUS:OOF\r
END:VEVENT\r
END:VCALENDAR\r
"""

CALLS = b"""id,from,to,at,length,outcome,direction,group,owner\r
1,+493012345678,+442079460000,2026-11-10 09:00:00,63,answered,out,g1,ruth@ours.example\r
2,+442079460001,12,2026-11-10 09:30:00,1:02:03,busy,in,,\r
3,"0,30/12345","44 20 7946 0002",2026-11-10 10:00:00,"1,5",no answer,,g1,"Ruth ""R"" X"\r
"""

MAPPING = """
duration_unit = "seconds"
[columns]
call_id = "id"
caller = "from"
callee = "to"
started_at = "at"
talked_for = "length"
outcome = "outcome"
direction = "direction"
group = "group"
owner = "owner"
[values.direction]
out = "outbound"
in = "inbound"
"""

ASTERISK = b'''"","+493012345678","12","from-trunk","""Kim"" <+493012345678>","SIP/trunk-1","SIP/12-2","Dial","SIP/12,30",\
"2026-11-10 09:00:00","2026-11-10 09:00:05","2026-11-10 09:01:05",65,60,"ANSWERED","DOCUMENTATION","1793.1",""
"ruth@ours.example","12","+442079460000","internal","Ruth <12>","SIP/12-3","SIP/trunk-4","VoiceMail","12@default",\
"2026-11-10 10:00:00","","2026-11-10 10:00:30",30,0,"NO ANSWER","DOCUMENTATION","1793.2",""
'''

_WORDS = (
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\r",
    b"\n",
    b"\r\n ",
    b"\x1b[31m",
    b"\xef\xbb\xbf",
    b"\xc2\x85",
    b'"',
    b'""',
    b",",
    b";",
    b":",
    b"=",
    b"\\",
    b"^n",
    b"%",
    b"99999999999999999999",
    b"-1",
    b"0",
    b"1e999",
    b"nan",
    b"inf",
    b"FREQ=SECONDLY",
    b"FREQ=DAILY",
    b"FREQ=YEARLY",
    b"INTERVAL=0",
    b"COUNT=50000",
    b"UNTIL=99991231T235959Z",
    b"BYDAY=53SU",
    b"BYMONTHDAY=31",
    b"BYYEARDAY=366",
    b"BYWEEKNO=53",
    b"BYSETPOS=-366",
    b"BYHOUR=0,1,2,3,4,5",
    b"BYMONTH=2",
    b"WKST=XX",
    b"00010101T000000Z",
    b"99991231T235959Z",
    b"20260230T250000",
    b"19000101",
    b"22001231T235959",
    b"P99999W",
    b"-PT999999999S",
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b"BEGIN:VCALENDAR\r\n",
    b"END:VCALENDAR\r\n",
    b"BEGIN:VTIMEZONE\r\n",
    b"METHOD:CANCEL\r\n",
    b"TZID=Europe/Berlin",
    b"TZID=../../etc/passwd",
    b"TZID=/",
    b"TZID=America",
    b"+2359",
    b"-235959",
    b"mailto:",
    b"@",
    b"a@b",
    "ıİß日本語".encode(),
    "\u0665\u0666".encode(),
    b"2026-11-10 09:00:00",
    b"99:99:99",
    b"9999-12-31 23:59:59",
    b"ext:12",
    b"+",
)


def bent(sample: bytes, seed: int) -> bytes:
    """`sample` after one to eight changes, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 8)):
        sample = chance.choice((_by_byte, _by_byte, _by_line, _by_value))(sample, chance)
    return sample


def _by_byte(sample: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(sample) + 1)
    until = min(len(sample), at + chance.choice((1, 1, 2, 10, 100)))
    match chance.randrange(6):
        case 0:
            return sample[:at] + bytes([chance.randrange(256)]) + sample[at + 1 :]
        case 1:
            return sample[:at] + sample[until:]
        case 2:
            return sample[:at] + sample[at:until] * chance.choice((2, 3, 50)) + sample[until:]
        case 3:
            return sample[:at] if chance.random() < 0.2 else sample
        case 4:
            return sample[:at] + sample[at:until].swapcase() + sample[until:]
        case _:
            return sample[:at] + chance.choice(_WORDS) + sample[at:]


def _by_line(sample: bytes, chance: random.Random) -> bytes:
    lines = sample.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            del lines[one]
        case 2:
            lines[one:one] = [lines[other]] * chance.choice((1, 2, 20, 300))
        case 3:
            lines[one:one] = lines[min(one, other) : max(one, other)]
        case _:
            lines[one] = lines[one] + lines[other]
    return b"\n".join(lines)[:200_000]


def _by_value(sample: bytes, chance: random.Random) -> bytes:
    """Replaces what stands between two signs by a hostile word."""
    signs = [at for at, byte in enumerate(sample) if byte in b':;=,\n"']
    if len(signs) < 2:
        return sample
    number = chance.randrange(len(signs) - 1)
    word = chance.choice(_WORDS) * chance.choice((1, 1, 1, 2, 100))
    return sample[: signs[number] + 1] + word + sample[signs[number + 1] :]
