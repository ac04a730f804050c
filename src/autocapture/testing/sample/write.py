"""The sample organisation as a folder: written once, whole or not at all, and found again later."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from autocapture.clock import Clock
from autocapture.errors import InputError
from autocapture.testing.sample import calls as call_logs
from autocapture.testing.sample import crm
from autocapture.testing.sample.calendars import write_calendars
from autocapture.testing.sample.calls import CallLog, write_call_logs
from autocapture.testing.sample.crm import write_crm
from autocapture.testing.sample.maildir import write_maildirs
from autocapture.testing.sample.quotas import write_quotas
from autocapture.testing.sample.truth import write_truth
from autocapture.testing.sample.users import write_users
from autocapture.testing.world.generate import generate
from autocapture.testing.world.model import Size, World

SEED = 7
_ANCHOR, _USERS, _QUOTAS, _TRUTH = "anchor.json", "users.csv", "quotas.csv", "truth.jsonl"
_DEFAULT = Size()


@dataclass(frozen=True, slots=True)
class SampleAnchor:
    """What a folder was made from: the seed and the last day (a Sunday) of its last full week."""

    seed: int
    end: date


@dataclass(frozen=True, slots=True)
class SamplePaths:
    """Where everything is. The mappings go by the user's address; only reps have call logs."""

    directory: Path
    anchor: SampleAnchor
    users: Path
    quotas: Path
    crm_mapping: Path
    maildirs: Mapping[str, Path]
    calendars: Mapping[str, Path]
    calls: Mapping[str, CallLog]


def write(world: World, directory: Path, *, truth: bool = False) -> SamplePaths:
    """Writes the world's organisation into `directory`, which may exist and should be empty.

    `truth` adds truth.jsonl. The same world gives the same bytes, names and file times.
    """
    directory.mkdir(parents=True, exist_ok=True)
    anchor = SampleAnchor(world.seed, world.last_on)
    paths = SamplePaths(
        directory=directory,
        anchor=anchor,
        users=write_users(world, directory / _USERS),
        quotas=write_quotas(world, directory / _QUOTAS),
        crm_mapping=write_crm(world, directory),
        maildirs=write_maildirs(world.messages, world.users, directory / "mail"),
        calendars=write_calendars(world.events, world.users, directory / "calendars"),
        calls=write_call_logs(world.calls, world.users, directory / "calls"),
    )
    if truth:
        write_truth(world, directory / _TRUTH)
    (directory / _ANCHOR).write_text(
        json.dumps({"seed": anchor.seed, "end": anchor.end.isoformat()}) + "\n", encoding="utf-8"
    )
    return paths


def ensure_sample(directory: Path, clock: Clock, *, seed: int = SEED, size: Size = _DEFAULT) -> SamplePaths:
    """The sample organisation in `directory`, written first where there is none.

    It ends with the last complete ISO week before today. What was written once stays: a later call finds it by its anchor and
    changes nothing. Writing happens in a temporary folder beside it that is renamed when it is whole. Raises InputError where
    `directory` holds something else.
    """
    if (directory / _ANCHOR).is_file():
        return find_sample(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(
            f"{directory} exists and is not a sample organisation; name another folder or remove it"
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    yesterday = clock.now().date() - timedelta(days=1)  # on a Sunday its week is not over yet
    world = generate(seed, yesterday, size)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        write(world, unfinished)
        unfinished.chmod(0o755)
        os.replace(unfinished, directory)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return find_sample(directory)


def find_sample(directory: Path) -> SamplePaths:
    """The paths of a sample that was written before. Raises InputError where it is not one or lost its parts."""
    anchor = _read_anchor(directory)
    try:
        with (directory / _USERS).open(encoding="utf-8", newline="") as file:
            users = {row["email"]: row["role"] for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error):
        raise InputError(
            f"{directory / _USERS} is missing or unreadable; remove the folder to write it anew"
        ) from None
    folder = {email: email.split("@")[0] for email in users}
    reps = [email for email, role in users.items() if role == "rep"]
    mapping = directory / "calls" / call_logs.MAPPING
    return SamplePaths(
        directory=directory,
        anchor=anchor,
        users=directory / _USERS,
        quotas=directory / _QUOTAS,
        crm_mapping=directory / crm.MAPPING,
        maildirs={email: directory / "mail" / name / "Maildir" for email, name in folder.items()},
        calendars={email: directory / "calendars" / f"{name}.ics" for email, name in folder.items()},
        calls={
            email: CallLog(
                directory / "calls" / f"{folder[email]}.csv",
                mapping if call_logs.is_headed(number) else None,
            )
            for number, email in enumerate(reps)
        },
    )


def _read_anchor(directory: Path) -> SampleAnchor:
    path = directory / _ANCHOR
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return SampleAnchor(int(found["seed"]), date.fromisoformat(found["end"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is missing or unreadable; remove the folder to write it anew") from None
