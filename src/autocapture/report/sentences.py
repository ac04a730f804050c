"""The sentences of a summary whose numbers open: each is made of pieces, and a piece says which number it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from autocapture.errors import without_codes
from autocapture.report import tallies
from autocapture.report.numbers import Number
from autocapture.report.reader import Reader
from autocapture.report.summary import Precision, Summary, Unknown
from autocapture.report.tallies import Piece, Sentence
from autocapture.report.wording import (
    answered,
    count,
    is_waiting,
    listing,
    percent,
    period_name,
    title,
)

KINDS = {"email": "mail", "event": "calendar", "call": "calls"}
STATES = {"needs_reconnect": "must be reconnected", "paused": "paused", "active": "silent"}
Tallies = Mapping[str, Number]


def finding(summary: Summary, reader: Reader) -> Sentence:
    """The headline: where the team stands against its quota, or what the week brought where there is no quota."""
    held = summary.attainment
    if held is not None and held.rate is not None:
        return (
            Piece(f"{summary.team} is at "),
            Piece(percent(held.rate, reader), held.actual),
            Piece(f" of its {period_name(held, reader)} quota with "),
            Piece(percent(held.elapsed, reader), held.actual),
            Piece(" of the working days gone"),
        )
    head = Piece(f"{summary.team} in week {summary.week[-2:].lstrip('0')}: ")
    won = Piece(count(len(summary.wins), "deal won", "deals won"), tallies.tallies(summary)[tallies.WON])
    meetings = next((one.number for one in summary.tiles if one.number.metric == "meetings_held"), None)
    if meetings is None or meetings.value is None:
        return head, won
    held_count = Piece(count(int(meetings.value), "meeting held", "meetings held"), meetings)
    return head, held_count, Piece(", "), won


def coverage(summary: Summary, reader: Reader) -> Sentence:
    """``mail 4/4, calendar 4/4, calls 3/4 reps; 99.98% of what is at the sources``: the share by the last censuses."""
    parts = [f"{KINDS.get(one.kind, one.kind)} {one.connected}/{one.reps}" for one in summary.coverage]
    told = f"{', '.join(parts)} reps" if parts else "nothing connected"
    unknown = summary.unknown
    if unknown.listed:
        share = reader.share(unknown.listed - unknown.missing, unknown.listed)
        told = f"{told}; {share} of what is at the sources"
    return (Piece(told, tallies.of_capture()),)


def precision_note(
    told: Precision, reader: Reader, links: Number | None = None, verdicts: Number | None = None
) -> Sentence:
    """What was judged, and what was not; `links` and `verdicts` are the numbers that open to it."""
    what = "activity was" if told.links == 1 else "activities were"
    head = (
        Piece("Judged are spot checks that were answered: one thread in ten is asked about. "),
        Piece(f"{reader.count(told.links)} {what} put on a deal by themselves in these days", links),
    )
    if not told.corrected:
        return *head, Piece("; nobody corrected one unasked.")
    others = count(told.corrected, "other was corrected unasked", "others were corrected unasked")
    return *head, Piece("; "), Piece(others, verdicts), Piece(".")


def unknowns(summary: Summary, reader: Reader) -> tuple[Sentence, ...]:
    """One sentence for each thing that is not known; empty where nothing is missing."""
    early = "The team's accounts have not been captured yet: what is in them is not counted."
    told = tallies.tallies(summary)
    said: list[Sentence] = [] if summary.sourced else [(Piece(early),)]
    said += _of_capture(summary.unknown, told, reader)
    said += [
        (
            Piece(f"The median of {title(tile.number.metric).lower()} is not known yet: "),
            Piece(answered(tile.number, reader), tile.number),
            Piece("."),
        )
        for tile in summary.tiles
        if is_waiting(tile.number)
    ]
    said += _of_deals(summary.unknown, told, reader)
    return tuple(said)


def _of_capture(unknown: Unknown, told: Tallies, reader: Reader) -> list[Sentence]:
    accounts = tallies.of_capture()
    said: list[Sentence] = [
        (Piece(_trouble(trouble.user, trouble.connector, trouble.state, trouble.why), accounts),)
        for trouble in unknown.troubles
    ]
    if unknown.unconnected:
        said.append(
            (Piece(f"No account of {listing(unknown.unconnected)} is connected: nothing is captured."),)
        )
    if unknown.matchable and unknown.unmatched:
        said.append(_unmatched(unknown, told, reader))
    if unknown.stalled:
        who = listing(unknown.stalled)
        said.append(
            (Piece(f"An account of {who} stands still, though it is connected: counts may be too low."),)
        )
    if unknown.missing:
        what = f"{reader.count(unknown.missing)} of {reader.count(unknown.listed)} missing"
        all_of = Piece("Not all that the sources hold is here (")
        said.append((all_of, Piece(what, accounts), Piece("): it is read again.")))
    if unknown.quarantined:
        what = count(unknown.quarantined, "item in quarantine", "items in quarantine")
        said.append((Piece(what, accounts), Piece(" could not be read.")))
    if unknown.incomplete:
        late = listing(unknown.incomplete)
        said.append((Piece(f"Capture began within these weeks for {late}: earlier counts are too low."),))
    return said


def _unmatched(unknown: Unknown, told: Tallies, reader: Reader) -> Sentence:
    nowhere = told[tallies.UNMATCHED]
    return (
        Piece(percent(Decimal(unknown.unmatched) / unknown.matchable, reader), nowhere),
        Piece(" of the week's activities with people outside ("),
        Piece(str(unknown.unmatched), nowhere),
        Piece(" of "),
        Piece(str(unknown.matchable), told[tallies.OUTSIDE]),
        Piece(") could not be matched to a company or deal."),
    )


def _of_deals(unknown: Unknown, told: Tallies, reader: Reader) -> list[Sentence]:
    said: list[Sentence] = []
    if unknown.without_quota:
        said.append((Piece(f"No quota is set for {listing(unknown.without_quota)}."),))
    if unknown.unpriced:
        what = count(unknown.unpriced, "open deal", "open deals")
        rest = " without an amount: nothing is added to the pipeline for it."
        said.append((Piece(what, told[tallies.UNPRICED]), Piece(rest)))
    if unknown.unpriced_wins and unknown.wins_since:
        what = count(unknown.unpriced_wins, "deal", "deals")
        since = reader.day(unknown.wins_since)
        rest = f" won since {since} without an amount: nothing is added to revenue for it."
        said.append((Piece(what, told[tallies.UNPRICED_WINS]), Piece(rest)))
    if unknown.other_currencies:
        others = listing(unknown.other_currencies)
        said.append((Piece(f"Amounts in {others} stand apart: nothing is converted."),))
    return said


def _trouble(user: str, connector: str, state: str, why: str | None) -> str:
    reason = f" ({without_codes(why).rstrip('.')})" if why else ""
    return f"{user}'s {connector} account {'is ' if state != 'needs_reconnect' else ''}{STATES.get(state, state)}{reason}."
