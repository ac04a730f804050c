"""The one place where parts are chosen and joined."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from functools import partial

from autocapture.application import Application
from autocapture.clock import Clock, SystemClock
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault
from autocapture.settings import Settings
from autocapture.store.engine import open_engine

__all__ = ["Application", "build"]

_COLLECT = (50_000, 50, 100)
"""When Python looks for cycles. A page of mail makes a million values and no cycle; looking every 700 values takes a seventh
of the time of a capture."""

_READER = "autocapture.service.reader"


def build(settings: Settings, clock: Clock | None = None) -> Application:
    """An application over `settings`. Opens nothing yet: database, key file and connectors are read when first used."""
    gc.set_threshold(*_COLLECT)
    return Application(
        settings=settings,
        clock=clock or SystemClock(),
        engine=open_engine(settings.database_url),
        vault=Vault(settings.key_file, settings.vault),
        registry=Registry(),
        start_reader=partial(_start_reader, settings),
    )


def _start_reader(settings: Settings) -> subprocess.Popen[bytes]:
    """A fresh interpreter, never a fork: the service has threads. The settings go through the pipe, since a command line
    can be read by everybody; a session of its own keeps Ctrl-C from it, which its parent handles for both."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", _READER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    if process.stdin is not None:
        pickle.dump(settings, process.stdin)
    return process
