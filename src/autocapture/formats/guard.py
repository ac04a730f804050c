"""Runs a pure function on bytes in a child process under hard limits, so that no input can stop the service.

Stdlib parsers can be made to run for seconds, to recurse without end or to take all memory (quadratic header
parsing, nested multiparts). The ordinary case stays in process; a cheap look at the bytes decides. The child
is a fresh interpreter, never a fork: the service has threads, and a fork would copy their locks as they
happen to be.
"""

from __future__ import annotations

import importlib
import resource
import subprocess
import sys
from dataclasses import dataclass

from autocapture.errors import RecordUnusable


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may use: processor seconds, bytes of address space, seconds by the clock on the wall."""

    cpu_seconds: int = 2
    memory: int = 256 << 20
    wall_seconds: float = 10.0


DEFAULT_LIMITS = Limits()


def run_guarded(task: str, payload: bytes, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The answer of `task`, named ``module:function`` below `autocapture.formats`, to `payload` (bytes in,
    bytes out).

    Raises RecordUnusable when the child fails in any way or exceeds a limit; the caller's process is never
    at risk.
    """
    command = [sys.executable, "-P", "-m", __name__, task, str(limits.cpu_seconds), str(limits.memory)]
    try:
        done = subprocess.run(
            command,
            input=payload,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.wall_seconds,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise RecordUnusable(f"reading it took longer than {limits.wall_seconds:.0f} s") from None
    except OSError as error:
        raise RecordUnusable(f"the child that reads unusual input could not run: {error.strerror}") from error
    if done.returncode != 0:
        raise RecordUnusable(
            f"it cannot be read within {limits.cpu_seconds} s of processor time and {limits.memory >> 20} MiB"
        )
    return done.stdout


def main(task: str, cpu_seconds: int, memory: int) -> None:
    """The child: limits first, then the input is read and the function called."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    module, _, function = task.partition(":")
    work = getattr(importlib.import_module(f"autocapture.formats.{module}"), function)
    sys.stdout.buffer.write(work(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
