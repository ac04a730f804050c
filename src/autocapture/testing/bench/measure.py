"""The run: one Dovecot, one mailbox, every program once a round."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from autocapture.errors import SetupError
from autocapture.testing.bench.database import copy_home, make_home
from autocapture.testing.bench.goals import CAPTURE, Measured
from autocapture.testing.bench.mailbox import CONTACTS, write_maildir
from autocapture.testing.bench.memory import peak_while_running
from autocapture.testing.bench.others import (
    Login,
    install_imapflow,
    mbsync_missing,
    run_imapflow,
    run_mbsync,
)
from autocapture.testing.bench.readers import READERS

if TYPE_CHECKING:
    from tests.peers.dovecot import Dovecot

Program = Callable[[], tuple[float, int]]
"""Reads the whole mailbox: seconds, messages."""

Say = Callable[[str], None]

MBSYNC, MBSYNC_UNSAFE, IMAPFLOW = "mbsync, fsync", "mbsync, no fsync", "imapflow"
_HELP_RUNS = 7
_PACKAGES = ("autocapture", "autocapture_imap")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `without` names programs to leave out."""

    messages: int = 20_000
    rounds: int = 5
    contacts: int = CONTACTS
    folders: int = 100
    without: Collection[str] = ()


def measure(plan: Plan, say: Say) -> Measured:
    """All figures. Raises SetupError where there is no Dovecot, RuntimeError where a program did not read everything."""
    try:
        from tests.peers.dovecot import PASSWORD, USER, dovecot, missing
    except ModuleNotFoundError as absent:
        raise SetupError("the bench runs in a checkout of the repository, from its root") from absent
    if reason := missing():
        raise SetupError(f"the bench needs a real IMAP server: {reason}")
    _compile()
    found = Measured(plan.messages, folders=plan.folders)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, dovecot() as server:
        folder = Path(name)
        say(f"writing {plan.messages} messages and {plan.contacts} contacts")
        write_maildir(_maildir(server, USER), plan.messages)
        _hand_over(server)
        login = Login(server.port, USER, PASSWORD)
        home = folder / "home"
        make_home(home, port=server.port, username=USER, password=PASSWORD, contacts=plan.contacts)
        programs = _programs(plan, folder, login, found)
        _task("raw", login)  # the server's own index is filled, for everybody
        for round_ in range(plan.rounds):
            say(f"round {round_ + 1} of {plan.rounds}")
            for program in _rotated(list(programs), round_):
                _run(program, programs[program], found)
        say(f"an idle pass over {plan.folders} folders, and --help")
        _idle(plan, server, folder, found)
        found.help_seconds = _help_seconds()
    return found


def _compile() -> None:
    """As installing does: the process that reads ahead imports within the time of a capture."""
    for name in _PACKAGES:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            compileall.compile_dir(folder, quiet=2)


def _maildir(server: Dovecot, user: str) -> Path:
    return server.folder / "mail" / user / "Maildir"


def _hand_over(server: Dovecot) -> None:
    """What was written becomes the server's."""
    for path in (server.folder / "mail").rglob("*"):
        shutil.chown(path, "dovecot", "dovecot")


def _rotated(names: list[str], by: int) -> list[str]:
    by %= len(names)
    return names[by:] + names[:by]


def _programs(plan: Plan, folder: Path, login: Login, found: Measured) -> dict[str, Program]:
    programs: dict[str, Program] = {CAPTURE: lambda: _capture(folder, found)}
    for name in READERS:
        programs[name] = lambda name=name: _figures(_task(name, login))  # type: ignore[misc]
    if reason := mbsync_missing():
        found.skipped[MBSYNC] = reason
    else:
        programs[MBSYNC] = lambda: run_mbsync(folder, login, fsync=True)
        programs[MBSYNC_UNSAFE] = lambda: run_mbsync(folder, login, fsync=False)
    if IMAPFLOW not in plan.without:
        if reason := install_imapflow(folder / IMAPFLOW):
            found.skipped[IMAPFLOW] = reason
        else:
            programs[IMAPFLOW] = lambda: run_imapflow(folder / IMAPFLOW, login)
    found.skipped.update((name, "left out") for name in plan.without)
    kept = {name: program for name, program in programs.items() if name not in plan.without}
    found.rates = {name: [] for name in kept}
    return kept


def _run(name: str, program: Program, found: Measured) -> None:
    os.sync()  # nobody waits for what another one wrote
    seconds, messages = program()
    if messages != found.messages:
        raise RuntimeError(f"{name} read {messages} of {found.messages} messages")
    found.rates[name].append(messages / seconds)


def _capture(folder: Path, found: Measured) -> tuple[float, int]:
    """A first capture into a fresh copy of the database."""
    home = copy_home(folder / "home", folder / "fresh")
    os.sync()
    answer = _process("capture", str(home))
    found.peak_mb = max(found.peak_mb, answer["peak_mb"])
    found.captured_share = answer["captured"] / answer["messages"]
    shutil.rmtree(home)
    return _figures(answer)


def _idle(plan: Plan, server: Dovecot, folder: Path, found: Measured) -> None:
    """Folders with a message each, captured once; then passes that find nothing new, their requests recorded."""
    user = server.new_user()
    maildir = _maildir(server, user)
    write_maildir(maildir, 1)
    for number in range(plan.folders - 1):
        write_maildir(maildir / f".folder{number:03}", 1, seed=number)
        (maildir / f".folder{number:03}" / "maildirfolder").touch()
    _hand_over(server)
    home = folder / "idle"
    make_home(home, port=server.port, username=user, password=server.password, contacts=1_000)
    record = server.folder / "rawlog"
    record.mkdir()
    shutil.chown(record, "dovecot", "dovecot")
    answer = _process("idle", str(home))
    sessions = sorted(record.glob("*.in"), key=lambda log: log.stat().st_mtime)[-int(answer["passes"]) :]
    found.idle_requests = median(len(log.read_bytes().splitlines()) for log in sessions)
    found.idle_cpu_ms = answer["cpu_seconds"] * 1_000


def _task(name: str, login: Login) -> dict[str, Any]:
    return _process(name, str(login.port), login.username, login.password)


def _figures(answer: dict[str, Any]) -> tuple[float, int]:
    return float(answer["seconds"]), int(answer["messages"])


def _process(*arguments: str) -> dict[str, Any]:
    """Runs one task of `bench.process`; its answer. Raises RuntimeError with the end of what it said."""
    command = [sys.executable, "-m", "autocapture.testing.bench.process", *arguments]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        with subprocess.Popen(command, stdout=said, stderr=complained, text=True) as program:
            try:
                peak_mb = peak_while_running(program)
            finally:
                program.terminate()  # where this one is being stopped
        said.seek(0)
        complained.seek(0)
        if program.returncode != 0:
            raise RuntimeError(f"{arguments[0]} failed: {complained.read().strip()[-2_000:]}")
        answer: dict[str, Any] = json.loads(said.read().splitlines()[-1])
    return {**answer, "peak_mb": peak_mb}


def _help_seconds() -> float:
    times = []
    for _ in range(_HELP_RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "autocapture", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return median(times)
