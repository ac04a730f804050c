"""The processes that hold leases: what one is called, and which of them are dead."""

from __future__ import annotations

import os
import socket

from sqlmodel import Session

from autocapture.store import leases


def worker_name() -> str:
    """Names this process in leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


def dead_workers(session: Session) -> set[str]:
    """Holders of leases that were processes of this host and are no longer: killed, they handed nothing back.

    A wrong guess (two containers of one name) costs a run, never a row: the lease's number fences it.
    """
    return {owner for owner in leases.holders(session) if _is_dead(owner)}


def _is_dead(owner: str) -> bool:
    host, _, process = owner.rpartition(":")
    if host != socket.gethostname() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)  # asks whether it is there; sends nothing
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it is there, and somebody else's
    return False
