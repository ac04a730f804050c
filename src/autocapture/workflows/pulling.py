"""Pulling: the next page of a channel, listed by its connector, sorted by what the ledger holds, and read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from autocapture.application import Application
from autocapture.connector import Broken, Connection, Cursor, Gone, Page, Record, Ref
from autocapture.connector import Channel as Source
from autocapture.errors import AutocaptureError, Unreachable
from autocapture.model.accounts import Channel
from autocapture.model.ledger import QUARANTINED, SKIPPED
from autocapture.store import leases, ledger
from autocapture.store.engine import reading, writing
from autocapture.store.leases import Lease
from autocapture.store.ledger import Held
from autocapture.workflows.reading import Answer, Wanted, judged, read
from autocapture.workflows.reading_ahead import WORTH_READING_AHEAD, ReadAhead, Ticket
from autocapture.workflows.reading_apart import read_apart
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.staging import Scope, Staged, quarantine

T = TypeVar("T")

PAGE_LIMIT = 2_000  # a few hundred bytes each, a few transactions a large folder
FIRST_LIMIT = (
    1_000  # of an enumeration's first page, and of those read while the process that reads ahead starts
)

MOST_VISITS = 1_000  # of one cursor that says there is more: large files are read a part at a time, and keep theirs meanwhile


@dataclass(slots=True)
class Sorted:
    """The items of a page by what is to be done with them."""

    records: list[Record] = field(default_factory=list)
    to_read: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


@dataclass(slots=True)
class Listed:
    """A page before anything of it is read. `generation`: of the enumeration or the pass that it belongs to. `ticket`:
    where it is being read ahead."""

    page: Page
    held: Mapping[str, Held]
    items: Sorted
    generation: int
    ticket: Ticket | None = None


@dataclass(slots=True)
class Pulled:
    """A page that was read: what is to be stored of it, what is held unchanged, what left."""

    page: Page
    held: Mapping[str, Held]
    generation: int
    staged: list[Staged]
    touched: list[str]
    gone: list[str]


@dataclass(slots=True)
class Run:
    """One channel within one run over its account. `channel` is kept in step with its row."""

    app: Application
    lease: Lease
    connection: Connection
    reopen: Callable[[], AbstractContextManager[Connection]]
    ahead: ReadAhead
    channel: Channel
    scope: Scope
    report: CaptureReport
    vanished: bool = False  # something listed in this enumeration was gone when it was read
    told_again: bool = False  # something that was held was told once more, so others may be asked for again
    stored_last: Set[str] = frozenset()  # the page before; the next one was listed when it was not held yet
    following: Listed | None = None  # the page after the one that is stored now
    visits: Counter[int] = field(default_factory=Counter)  # of each cursor, by its hash
    disconnected: bool = False  # its connection broke over an item, and is of no use any more

    @property
    def channel_id(self) -> int:
        return self.scope.channel_id

    def forget_following(self) -> None:
        """The page that was looked ahead at will not be stored."""
        if self.following is not None and self.following.ticket is not None:
            self.ahead.forget(self.following.ticket)
        self.following = None

    @property
    def source(self) -> Source:
        return Source(self.channel.source_id, self.channel.kind, self.channel.name)  # type: ignore[arg-type]


def pull(run: Run) -> Pulled:
    """The channel's next page, read. Raises what the connection raises, and Unreachable for pages without end. Nothing is
    written."""
    listed, run.following = run.following or _listed_first(run), None
    _must_lead_on(run, listed.page)
    _look_ahead(run, listed)
    answers = None if listed.ticket is None else run.ahead.collect(listed.ticket)
    return _pulled(run, listed, answers)


def _must_lead_on(run: Run, page: Page) -> None:
    """Providers were seen whose pages lead back to one before: it would be asked for ever."""
    if page.more:
        visited = hash(page.cursor)
        run.visits[visited] += 1
        if run.visits[visited] > MOST_VISITS:
            raise Unreachable("the provider's pages lead round in a circle")


def pull_again(run: Run, ids: Sequence[str]) -> Pulled:
    """These items read once more, outside any page."""
    with reading(run.app.engine) as session:
        held = ledger.held(session, run.channel_id, ids)
    page = Page((), run.channel.cursor or "")
    return _pulled(run, Listed(page, held, Sorted(to_read=list(ids)), run.channel.generation), None)


def _listed_first(run: Run) -> Listed:
    generation = run.channel.generation if run.channel.mid_run else run.channel.generation + 1
    return _listed(run, run.channel.cursor, generation)


def _listed(run: Run, cursor: Cursor | None, generation: int) -> Listed:
    limit = min(FIRST_LIMIT, PAGE_LIMIT) if cursor is None or run.ahead.is_awaited else PAGE_LIMIT
    page = run.connection.pull(run.source, cursor, limit=limit)
    held: Mapping[str, Held] = {}
    if page.items:
        with reading(run.app.engine) as session:
            held = ledger.held(session, run.channel_id, [item.id for item in page.items])
    return Listed(page, held, sort_items(page.items, held, reread=run.channel.reread), generation)


def _look_ahead(run: Run, listed: Listed) -> None:
    """Lists the page after this one and has it read, where there is much to read.

    Nothing of this page is in the ledger yet, and a complete one may begin another listing. So a page that tells of an item
    once more, and might say that it is gone, is listed again in its turn.
    """
    if not listed.page.more or listed.page.complete:
        return
    if len(listed.items.to_read) >= WORTH_READING_AHEAD:
        run.ahead.start()
    if not run.ahead.has_room():
        return
    try:
        following = _listed(run, listed.page.cursor, listed.generation)
    except AutocaptureError:
        return  # it will be raised again when this page is stored and the next one is due
    if not {item.id for item in listed.page.items}.isdisjoint(item.id for item in following.page.items):
        return
    if following.items.to_read:
        following.ticket = run.ahead.ask(_wanted(run, following), run.scope)
    run.following = following


def sort_items(
    items: Sequence[Record | Ref | Gone | Broken], held: Mapping[str, Held], *, reread: bool = False
) -> Sorted:
    """Decides what each item needs. An id that comes twice counts as it came last.

    `reread`: what is held in the same version is read and judged once more, since what it is judged by has changed.
    """
    result = Sorted()
    for item in {item.id: item for item in items}.values():
        known = held.get(item.id)
        match item:
            case Gone():
                if known is not None and not known.gone:
                    result.gone.append(item.id)
            case Broken():
                if known is not None and known.outcome == QUARANTINED and known.version == item.version:
                    result.touched.append(item.id)  # its next reading has a time of its own
                else:
                    result.broken.append(item)
            case Ref() | Record() if known is not None and not reread and _is_as_held(item, known):
                result.touched.append(item.id)
            case Ref():
                result.to_read.append(item.id)
            case Record():
                result.records.append(item)
    return result


def _is_as_held(item: Record | Ref, known: Held) -> bool:
    """Whether there is nothing to read. What was skipped, left and is back is judged once more: while it was away, it may have
    been skipped for what others of its kind say, and what departed ones tell depends on what is there."""
    return known.version == item.version and not (known.gone and known.outcome == SKIPPED)


def _wanted(run: Run, listed: Listed) -> Wanted:
    return Wanted(run.source, listed.items.to_read, listed.generation, _kept(run, listed.held))


def _kept(run: Run, held: Mapping[str, Held]) -> Set[str]:
    """The items that stay captured although they may lie before the bound, which was moved since."""
    if run.scope.kept_since == run.scope.since:
        return frozenset()
    return frozenset(item_id for item_id, known in held.items() if known.captured)


def _pulled(run: Run, listed: Listed, answers: Sequence[Answer] | None) -> Pulled:
    """What was only listed is replaced by what it is now.

    An item that was listed and is gone when read leaves a line in the ledger all the same: it is asked for once more later,
    so a server that swallowed one answer loses nothing.
    """
    now, items, held, generation = run.app.clock.now(), listed.items, listed.held, listed.generation
    if answers is None:
        answers = _read(run, _wanted(run, listed), now) if items.to_read else ()
    kept = _kept(run, held)
    staged = [judged(each, kept, run.scope, generation=generation, now=now) for each in items.records]
    broken, gone = list(items.broken), list(items.gone)
    for answer in answers:
        match answer:
            case Staged():
                staged.append(answer)
            case Gone() if answer.id not in held:
                run.vanished = True
                broken.append(Broken(answer.id, "listed, but not there when it was read"))
            case Gone():
                gone.append(answer.id)
            case Broken():
                broken.append(answer)
    staged.extend(quarantined(run, item, held, generation) for item in broken)
    return Pulled(listed.page, held, generation, staged, items.touched, gone)


def _read(run: Run, wanted: Wanted, now: datetime) -> Sequence[Answer]:
    def ask(connection: Connection, ids: Sequence[str]) -> list[Answer]:
        return read(connection, replace(wanted, ids=ids), run.scope, now)

    try:
        return ask(run.connection, wanted.ids)
    except Unreachable as problem:
        found, broken = apart(run, wanted.ids, ask, problem)
    answers = [answer for part in found for answer in part]
    return [*answers, *(Broken(source_id, "the connection breaks when it is read") for source_id in broken)]


def apart(
    run: Run, ids: Sequence[str], ask: Callable[[Connection, Sequence[str]], T], problem: Unreachable
) -> tuple[list[T], list[str]]:
    """The items, over which the connection broke, part by part: see `read_apart`. Raises `problem` at the first time, when it
    may be any fault of the network, and while another connection may be the cause."""
    if run.channel.last_error is None or run.ahead.process_id is not None:
        raise problem
    run.disconnected = True

    def ask_in_time(connection: Connection, ids: Sequence[str]) -> T:
        with writing(run.app.engine) as session:
            leases.renew(session, run.lease, run.app.clock.now())
        return ask(connection, ids)

    return read_apart(ids, ask_in_time, run.reopen)


def quarantined(run: Run, item: Broken, held: Mapping[str, Held], generation: int) -> Staged:
    """The line of an item that cannot be used now, to be read again later."""
    tries = held[item.id].tries + 1 if item.id in held else 1
    return quarantine(item, run.channel_id, generation=generation, tries=tries, now=run.app.clock.now())
