"""Sets of UIDs as ascending ranges, the way IMAP writes them (RFC 3501, sequence-set), and the ids the engine sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SET_LIMIT = 4_000
"""Bytes of one set in a command; servers must take lines of 8,000 (RFC 7162, 4)."""

Ranges = tuple[tuple[int, int], ...]
"""Closed ranges, ascending, never touching: the fewest that hold their members."""


def ranges_of(uids: Iterable[int]) -> Ranges:
    found: list[tuple[int, int]] = []
    first = last = None
    for uid in sorted(uids):
        if first is None or last is None:
            first = uid
        elif uid > last + 1:
            found.append((first, last))
            first = uid
        last = uid
    return tuple(found) if first is None or last is None else (*found, (first, last))


def union(left: Ranges, right: Ranges) -> Ranges:
    return _joined(sorted(left + right))


def difference(left: Ranges, right: Ranges) -> Ranges:
    """What is in `left` and not in `right`."""
    found: list[tuple[int, int]] = []
    index = 0
    for first, last in left:
        while index < len(right) and right[index][1] < first:
            index += 1
        at = index
        while at < len(right) and right[at][0] <= last:
            if right[at][0] > first:
                found.append((first, right[at][0] - 1))
            first = right[at][1] + 1
            at += 1
        if first <= last:
            found.append((first, last))
    return tuple(found)


def _joined(ordered: Iterable[tuple[int, int]]) -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in ordered:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def members(ranges: Ranges) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def pieces(ranges: Ranges, count: int) -> Iterator[Ranges]:
    """`ranges` cut into parts of at most `count` members whose text fits into one command."""
    part: list[tuple[int, int]] = []
    room, size = count, 0
    for whole_first, last in ranges:
        first = whole_first
        while first <= last:
            end = min(last, first + room - 1)
            part.append((first, end))
            room -= end - first + 1
            size += len(str(end)) * 2 + 2
            first = end + 1
            if room == 0 or size > SET_LIMIT:
                yield tuple(part)
                part, room, size = [], count, 0
    if part:
        yield tuple(part)


def format_ranges(ranges: Ranges) -> str:
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)


def parse_ranges(text: str) -> Ranges:
    """The inverse of `format_ranges`; ValueError for anything else."""
    found: list[tuple[int, int]] = []
    for piece in text.split(",") if text else ():
        first, _, last = piece.partition(":")
        found.append((int(first), int(last or first)))
    ranges = _joined(found)
    if format_ranges(ranges) != text or any(not 0 <= first <= last for first, last in found):
        raise ValueError("not a set of UIDs")
    return ranges


def item_id(uid_validity: int, uid: int) -> str:
    return f"{uid_validity}/{uid}"


def parse_item_id(text: str) -> tuple[int, int] | None:
    """(UIDVALIDITY, UID), or None for an id that this connector did not make."""
    validity, _, uid = text.partition("/")
    if not (validity.isdecimal() and uid.isdecimal()):
        return None
    parsed = int(validity), int(uid)
    return parsed if item_id(*parsed) == text else None
