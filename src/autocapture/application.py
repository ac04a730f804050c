"""What every workflow is given: the parts of a running autocapture, chosen once by `bootstrap.build`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from subprocess import Popen

from sqlalchemy import Engine

from autocapture.clock import Clock
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault
from autocapture.settings import Settings


@dataclass(frozen=True, slots=True)
class Application:
    settings: Settings
    clock: Clock
    engine: Engine
    vault: Vault
    registry: Registry
    start_reader: Callable[[], Popen[bytes]] | None = None
    """Starts a process that reads for a large capture (`service.reader`); None where captures read for themselves."""
