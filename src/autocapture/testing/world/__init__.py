"""The simulated world: one seeded sales organisation's life as plain values, for whoever writes it in some format.

`generate(seed, end, size)` makes it; the classes are in `model`. Every activity carries its truth.
"""

from autocapture.testing.world.dates import end_of_last_week
from autocapture.testing.world.generate import generate
from autocapture.testing.world.model import (
    Call,
    Company,
    Contact,
    Deal,
    Event,
    Lead,
    Message,
    Occurrence,
    Size,
    Truth,
    User,
    World,
)

__all__ = [
    "Call",
    "Company",
    "Contact",
    "Deal",
    "Event",
    "Lead",
    "Message",
    "Occurrence",
    "Size",
    "Truth",
    "User",
    "World",
    "end_of_last_week",
    "generate",
]
