"""One measured program in a process of its own, so that its memory is its own and its caches stay warm as a service's do.

`python -m autocapture.testing.bench.match.process` reads lines of JSON: where it works, then a task at a time, answering each
by one line.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from autocapture.bootstrap import build
from autocapture.connect.vault import create_key
from autocapture.service.logs import configure_logs
from autocapture.settings import load_settings
from autocapture.store import schema
from autocapture.testing.bench.match.crm import Size, load_deals, load_people
from autocapture.testing.bench.match.history import History
from autocapture.testing.bench.match.mails import Writers
from autocapture.testing.bench.match.programs import PROGRAMS, Found
from autocapture.testing.bench.memory import own_peak_mb

HISTORY = 1 << 20
"""The seed of what is stored; the rounds count from 0."""

Answer = Mapping[str, Any]


class Measured:
    """The tasks of one process. `home` is a home folder, `url` its database, `batch` how many messages are matched at once."""

    def __init__(self, home: str, url: str, size: Mapping[str, int], batch: int, program: str) -> None:
        self._home = Path(home)
        self._size = Size(**size)
        self._batch = batch
        self._program = program
        self.app = build(load_settings({"AUTOCAPTURE_HOME": home, "AUTOCAPTURE_DATABASE_URL": url}))

    def make(self) -> Answer:
        """The tables, our people, companies and contacts."""
        self._home.mkdir(parents=True)
        create_key(self._home / "keys" / "master.key")
        schema.upgrade(self.app.engine)
        load_people(self.app.engine, self._size)
        return {}

    def add_deals(self) -> Answer:
        load_deals(self.app.engine, self._size)
        return {}

    def run(self, seed: int, messages: int) -> Answer:
        """The program over so many messages, which are written meanwhile: that is not part of the time."""
        run = self._looks_up
        seconds = cpu = 0.0
        contacts = companies = deals = done = 0
        for items in self._writers.batches(seed, messages, self._batch):
            started, worked = perf_counter(), process_time()
            found = run(items)
            seconds += perf_counter() - started
            cpu += process_time() - worked
            contacts, companies, deals = (
                contacts + found.contacts,
                companies + found.companies,
                deals + found.deals,
            )
            done += len(items)
        found = Found(contacts, companies, deals)
        return {**found._asdict(), "messages": done, "seconds": seconds, "cpu_seconds": cpu, **_memory()}

    def store(self, messages: int) -> Answer:
        self._history.store(messages, self._batch)
        return _memory()

    def merge(self, back: bool) -> Answer:
        worked = process_time()
        seconds, changed = self._history.merge(back=back)
        return {"seconds": seconds, "cpu_seconds": process_time() - worked, "changed": changed, **_memory()}

    def single(self, seed: int, mails: int) -> Answer:
        return {**asdict(self._history.single(seed, mails)), **_memory()}

    @cached_property
    def _writers(self) -> Writers:
        return Writers(self._size)

    @cached_property
    def _looks_up(self) -> Any:
        return PROGRAMS[self._program](self.app)

    @cached_property
    def _history(self) -> History:
        return History(self.app, self._writers, HISTORY)


def _memory() -> Answer:
    return {"peak_mb": own_peak_mb()}


def main() -> None:
    configure_logs(least=logging.WARNING)
    given = Measured(**json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        task = json.loads(line)
        answer = getattr(given, task.pop("do"))(**task)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    given.app.engine.dispose()


if __name__ == "__main__":
    main()
