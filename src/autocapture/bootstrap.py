"""The one place where parts are chosen and joined."""

from __future__ import annotations

from autocapture.application import Application
from autocapture.clock import Clock, SystemClock
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault
from autocapture.settings import Settings
from autocapture.store.engine import open_engine

__all__ = ["Application", "build"]


def build(settings: Settings, clock: Clock | None = None) -> Application:
    """An application over `settings`. Opens nothing yet: database, key file and connectors are read when first used."""
    return Application(
        settings=settings,
        clock=clock or SystemClock(),
        engine=open_engine(settings.database_url),
        vault=Vault(settings.key_file),
        registry=Registry(),
    )
