"""The memory of a running program, the processes that it starts included."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

_EVERY = 0.05  # seconds


def peak_while_running(program: subprocess.Popen[str]) -> float:
    """Waits for the program to end; the sum in MB of the peaks (VmHWM) of it and of every process below it.

    Their peaks need not fall together, so this is an upper bound. Not ru_maxrss: it starts with the size of the process that
    started the program.
    """
    peaks: dict[int, float] = {}
    while program.poll() is None:
        for pid in _tree(program.pid):
            peaks[pid] = max(peaks.get(pid, 0.0), _peak_mb(pid))
        time.sleep(_EVERY)
    return sum(peaks.values())


def own_peak_mb() -> float:
    """The peak of this process alone so far."""
    return _peak_mb(os.getpid())


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:  # grows while it is walked
        for listed in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(map(int, _text(listed).split()))
    return found


def _peak_mb(pid: int) -> float:
    line = next(
        (line for line in _text(Path(f"/proc/{pid}/status")).splitlines() if line.startswith("VmHWM:")), ""
    )
    return int(line.split()[1]) / 1024 if line else 0.0


def _text(path: Path) -> str:
    """Empty where the process has ended meanwhile."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
