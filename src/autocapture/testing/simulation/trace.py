"""What happened in a world, line by line: the same seed tells the same."""

from __future__ import annotations

from hashlib import blake2b


class Violation(AssertionError):
    """A promise of the engine that was broken."""


class Trace:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._hash = blake2b(digest_size=16)

    def tell(self, line: str) -> None:
        self.lines.append(line)
        self.add(line)

    def add(self, text: str) -> None:
        """Adds to the hash alone what is too long to be read."""
        self._hash.update(text.encode() + b"\n")

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()
