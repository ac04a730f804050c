"""What matching does with what is stored: a merge that touches much of it, and one new mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

from sqlalchemy import update

from autocapture.application import Application
from autocapture.match import match
from autocapture.model.crm import ContactHandle
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.bulk import among, table_of
from autocapture.store.engine import reading, take_turn, writing
from autocapture.testing.bench.match.mails import Writers
from autocapture.workflows.matching import groups_of, place, rematch_in_batches
from autocapture.workflows.people import our_people

_HANDLE = table_of(ContactHandle)


@dataclass(frozen=True, slots=True)
class Single:
    """Medians in milliseconds, by the clock and of processor time: a mail that comes into a stored thread or begins one, matched;
    and stored, with the commit."""

    matched_ms: float
    matched_cpu_ms: float
    stored_ms: float
    stored_cpu_ms: float


Times = tuple[float, float]
"""Seconds by the clock, and of processor time."""


class History:
    """Stored messages of one seed."""

    def __init__(self, app: Application, writers: Writers, seed: int) -> None:
        self._app = app
        self._organization = our_people(app)
        self._writers = writers
        self._seed = seed
        self._ids: list[int] = []
        self._addresses: set[str] = set()

    def store(self, messages: int, batch: int) -> None:
        """As captures do."""
        for items in self._writers.batches(self._seed, messages, batch):
            self._place(items)
            self._ids += [item.activity_id for item in items]
            self._addresses |= {party.address for item in items for party in item.draft.parties}

    def merge(self, *, back: bool) -> tuple[float, int]:
        """Every address of the history becomes somebody else's at another company, or its own again. The seconds until all
        that is stored is matched anew, and how many activities changed."""
        step = -1 if back else 1
        with writing(self._app.engine) as session:
            session.execute(
                update(_HANDLE)
                .where(_HANDLE.c.kind == "email", among(session, _HANDLE.c.value, self._addresses))
                .values(contact_id=_HANDLE.c.contact_id + step)
            )
        started = perf_counter()
        changed = rematch_in_batches(self._app, self._ids)
        return perf_counter() - started, changed

    def single(self, seed: int, mails: int) -> Single:
        """So many mails, one by one, thread by thread; of one thread each is matched, of the next one stored."""
        matched, stored = list[Times](), list[Times]()
        threads = self._writers.batches(seed, 2 * mails, 1)
        for number, mail in ((number % 2, mail) for number, thread in enumerate(threads) for mail in thread):
            if number:
                stored.append(_timed(lambda mail=mail: self._place([mail])))  # type: ignore[misc]
            else:
                matched.append(_timed(lambda mail=mail: self._matched(mail)))  # type: ignore[misc]
                self._place([mail])
        return Single(*_medians_ms(matched), *_medians_ms(stored))

    def _place(self, items: Sequence[Stored]) -> None:
        with writing(self._app.engine) as session:
            take_turn(session)
            place(session, self._organization, new=items, changed=[], now=self._app.clock.now())

    def _matched(self, mail: Stored) -> None:
        with reading(self._app.engine) as session:
            thread = activities.load_group(session, "thread_id", {mail.thread_id or mail.activity_id})
            groups, directory = groups_of(session, self._organization, [*thread.values(), mail])
        for group in groups:
            match(group, directory)


def _timed(task: Callable[[], None]) -> Times:
    started, worked = perf_counter(), process_time()
    task()
    return perf_counter() - started, process_time() - worked


def _medians_ms(times: Sequence[Times]) -> Times:
    return median(each[0] for each in times) * 1_000, median(each[1] for each in times) * 1_000
