"""The call logs: Asterisk's Master.csv for every other rep, a headed CSV with its own words for the rest."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from autocapture.testing.world.model import Call, CallOutcome, Leg, User

MAPPING = "telephone.toml"
_DISPOSITION: dict[CallOutcome, str] = {
    "answered": "ANSWERED",
    "no_answer": "NO ANSWER",
    "busy": "BUSY",
    "voicemail": "ANSWERED",
}
_RESULT: dict[CallOutcome, str] = {
    "answered": "Connected",
    "no_answer": "Missed",
    "busy": "Engaged",
    "voicemail": "Voicemail",
}
_HEADER = ("Call ID", "Leg", "Date", "From", "To", "Talk time", "Result", "Direction")
_MAPPING = """\
# How the telephone system's export is read. Times are in the rep's own zone.
delimiter = ";"
date_format = "%d.%m.%Y %H:%M:%S"

[columns]
call_id = "Leg"
group = "Call ID"
started_at = "Date"
caller = "From"
callee = "To"
talked_for = "Talk time"
outcome = "Result"
direction = "Direction"

[values.outcome]
"Connected" = "answered"
"Missed" = "no_answer"
"Engaged" = "busy"
"Voicemail" = "voicemail"

[values.direction]
"out" = "outbound"
"in" = "inbound"
"int" = "internal"
"""


class Writer(Protocol):
    """What `csv.writer` gives."""

    def writerow(self, row: Iterable[Any], /) -> Any: ...


@dataclass(frozen=True, slots=True)
class CallLog:
    """One rep's log; `mapping` None: it is in Asterisk's layout."""

    path: Path
    mapping: Path | None


def is_headed(number: int) -> bool:
    """Whether the log of the rep with that number is a headed CSV."""
    return number % 2 == 1


def write_call_logs(calls: Sequence[Call], users: Iterable[User], directory: Path) -> dict[str, CallLog]:
    """Writes `directory`/<user>.csv for every rep and the mapping beside them; times are local to the rep."""
    directory.mkdir(parents=True, exist_ok=True)
    mapping = directory / MAPPING
    mapping.write_text(_MAPPING, encoding="utf-8")
    written: dict[str, CallLog] = {}
    for number, user in enumerate(user for user in users if user.role == "rep"):
        own = [call for call in calls if call.log == user.email]
        path = directory / f"{user.email.split('@')[0]}.csv"
        headed = is_headed(number)
        with path.open("w", encoding="utf-8", newline="") as file:
            if headed:
                _write_headed(csv.writer(file, delimiter=";", lineterminator="\r\n"), own)
            else:
                # Asterisk's cdr_csv quotes every text and no number
                _write_asterisk(
                    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"), own, user
                )
        written[user.email] = CallLog(path, mapping if headed else None)
    return written


def _write_headed(writer: Writer, calls: Sequence[Call]) -> None:
    writer.writerow(_HEADER)
    for call in calls:
        for number, leg in enumerate(call.legs, start=1):
            writer.writerow(
                (
                    call.call_id,
                    f"{call.call_id}-{number}",
                    f"{leg.started_at:%d.%m.%Y %H:%M:%S}",
                    leg.caller,
                    leg.callee,
                    _clock(leg.talked_for),
                    _RESULT[leg.outcome],
                    {"outbound": "out", "inbound": "in", "internal": "int"}[call.truth.direction],
                )
            )


def _clock(talked: timedelta) -> str:
    minutes, seconds = divmod(round(talked.total_seconds()), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _write_asterisk(writer: Writer, calls: Sequence[Call], user: User) -> None:
    """The legs of a transferred call carry the same uniqueid."""
    for call in calls:
        for leg in call.legs:
            writer.writerow(_asterisk_row(call, leg, user))


def _context(call: Call, leg: Leg, *, outbound: bool) -> str:
    """The dial plan's context in which the leg began."""
    if leg is not call.legs[0]:
        return "from-internal-xfer"
    return "from-internal" if outbound else "from-trunk"


def _asterisk_row(call: Call, leg: Leg, user: User) -> tuple[str | int, ...]:
    answered = leg.started_at + leg.rang_for if leg.talked_for else None
    end = leg.started_at + leg.rang_for + leg.talked_for
    # the exchange knows its own voicemail only; one outside looks like a person who answered
    voicemail = leg.outcome == "voicemail" and not leg.callee.startswith("+")
    outbound = leg.caller == user.extension
    return (
        user.email,
        leg.caller,
        leg.callee,
        _context(call, leg, outbound=outbound),
        f'"{user.name}" <{leg.caller}>' if outbound else f"<{leg.caller}>",
        f"PJSIP/{leg.caller}-{call.call_id[-4:]}",
        f"PJSIP/{leg.callee}-{call.call_id[-4:]}",
        "VoiceMail" if voicemail else "Dial",
        f"PJSIP/{leg.callee},30,tT",
        f"{leg.started_at:%Y-%m-%d %H:%M:%S}",
        f"{answered:%Y-%m-%d %H:%M:%S}" if answered else "",
        f"{end:%Y-%m-%d %H:%M:%S}",
        round((leg.rang_for + leg.talked_for).total_seconds()),
        round(leg.talked_for.total_seconds()),
        _DISPOSITION[leg.outcome],
        "DOCUMENTATION",
        call.call_id,
        "",
    )
