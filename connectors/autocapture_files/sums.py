"""A listing too large to remember, reduced to what still tells a new item from any other change.

Items fall into buckets by their hash; of each bucket the number of items and the XOR of their hashes are kept. Where
exactly one item was added to a bucket, the XOR of then and now is that item's hash, which proves that nothing else
happened there.
"""

from __future__ import annotations

import base64
import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BUCKETS = 4096


@dataclass(frozen=True, slots=True)
class Sums:
    """`counts` and `hashes` have one entry per bucket."""

    counts: array[int]
    hashes: array[int]

    @classmethod
    def of(cls, versions: Mapping[str, str | None]) -> Sums:
        return cls(array("I", bytes(4 * BUCKETS)), array("Q", bytes(8 * BUCKETS))).plus(versions.items())

    def plus(self, items: Iterable[tuple[str, str | None]]) -> Sums:
        counts, hashes = array("I", self.counts), array("Q", self.hashes)
        for item in items:
            number = _hash(*item)
            counts[number % BUCKETS] += 1
            hashes[number % BUCKETS] ^= number
        return Sums(counts, hashes)

    def added(self, present: Mapping[str, str | None]) -> list[str] | None:
        """The ids of `present` that are new, in order; None when anything but single additions may have happened."""
        buckets: dict[int, dict[int, str]] = defaultdict(dict)
        for item in present.items():
            number = _hash(*item)
            buckets[number % BUCKETS][number] = item[0]
        found: list[str] = []
        for bucket in range(BUCKETS):
            held = buckets.get(bucket, {})
            difference = self.hashes[bucket]
            for number in held:
                difference ^= number
            grown = len(held) - self.counts[bucket]
            if grown == 1 and difference in held:
                found.append(held[difference])
            elif grown or difference:
                return None
        return sorted(found)

    def encode(self) -> str:
        return base64.b64encode(self.counts.tobytes() + self.hashes.tobytes()).decode()

    @classmethod
    def decode(cls, text: str) -> Sums:
        """Raises ValueError for anything that `encode` did not write."""
        raw = base64.b64decode(text, validate=True)
        if len(raw) != 12 * BUCKETS:
            raise ValueError("not the sums of a listing")
        return cls(array("I", raw[: 4 * BUCKETS]), array("Q", raw[4 * BUCKETS :]))


def _hash(item_id: str, version: str | None) -> int:
    name = f"{item_id}\0{version or ''}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
