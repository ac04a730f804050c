"""Python's search for cycles, kept from the middle of a page."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_rest() -> Iterator[None]:
    """No cycle is looked for inside. A page makes a million values and no cycle, and looking through those that are alive is
    a twentieth of the time of a capture; what other threads leave meanwhile is found afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
