"""What a capture run did, in numbers that a person can check against the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class CaptureReport:
    """One run over one account. `status`: ok, incomplete (a channel could not be read), busy (another worker has it), paused,
    disconnected, disabled (its owner is), needs_reconnect,
    stopped, unreachable, rate_limited, setup or broken; `why` is one line when it is not ok."""

    account_id: int
    status: str = "ok"
    why: str | None = None
    listed: int = 0
    captured: int = 0
    quarantined: int = 0
    gone: int = 0
    pages: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
