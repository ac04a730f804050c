"""One page from a connector, stored whole in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import update
from sqlmodel import Session, col

from autocapture.application import Application
from autocapture.connect.vault import Place
from autocapture.connector import Broken, Connection, Gone, Page, ReadsText, Record, Ref
from autocapture.connector import Channel as Source
from autocapture.model.accounts import Channel
from autocapture.model.activities import ActivityText
from autocapture.model.ledger import CAPTURED, QUARANTINED, SKIPPED
from autocapture.store import calendar, leases, ledger
from autocapture.store.bulk import upsert
from autocapture.store.directory import load_directory
from autocapture.store.engine import reading, take_turn, writing
from autocapture.store.leases import Lease
from autocapture.store.ledger import Held
from autocapture.workflows.calls import store_calls
from autocapture.workflows.emails import store_emails
from autocapture.workflows.meetings import derive, store_events
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.staging import Scope, Staged, quarantine, stage

SUSPICIOUS_ROWS = 20  # a sweep of fewer items is never held back
RETRY_LIMIT = 100


@dataclass(slots=True)
class Run:
    """One channel within one run over its account. `channel` is kept in step with its row."""

    app: Application
    lease: Lease
    connection: Connection
    channel: Channel
    scope: Scope
    report: CaptureReport

    @property
    def channel_id(self) -> int:
        return self.scope.channel_id

    @property
    def source(self) -> Source:
        return Source(self.channel.source_id, self.channel.kind, self.channel.name)  # type: ignore[arg-type]


@dataclass(slots=True)
class Sorted:
    """The items of a page by what is to be done with them."""

    records: list[Record] = field(default_factory=list)
    to_read: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


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
            case Ref() | Record() if known is not None and known.version == item.version and not reread:
                result.touched.append(item.id)
            case Ref():
                result.to_read.append(item.id)
            case Record():
                result.records.append(item)
    return result


def store_page(run: Run, page: Page) -> None:
    """Reads what the page only lists, judges it, and commits items, ledger and cursor together, under the lease's fence."""
    held = _held(run, page)
    items = sort_items(page.items, held, reread=run.channel.reread)
    _read(run, items, held)
    generation = run.channel.generation if run.channel.mid_run else run.channel.generation + 1
    staged = _staged(run, items, held, generation)
    texts = _texts(run, staged)
    moved = page.cursor != run.channel.cursor or page.more != run.channel.mid_run
    returned = [source_id for source_id in items.touched if held[source_id].gone]
    if not (staged or items.gone or returned or page.complete or moved):
        return  # nothing new, though a source may list its latest items again: an idle pass writes nothing
    channel = {"cursor": page.cursor, "mid_run": page.more, "generation": generation}
    with writing(run.app.engine) as session:
        leases.renew(session, run.lease, run.app.clock.now())
        take_turn(session)
        gone = list(items.gone)
        ledger.touch(session, run.channel_id, items.touched, generation)
        _store(session, run, staged, texts)
        if page.complete:
            swept, doubt = _sweep(session, run, generation)
            gone.extend(swept)
            channel["sweep_doubt"], channel["backfilled"], channel["reread"] = doubt, True, False
            if doubt:  # look again from the start before anything is taken for gone
                channel["cursor"], channel["mid_run"] = None, False
        _came_back(session, run, returned)
        _leave(session, run, gone)
        session.execute(update(Channel).where(col(Channel.id) == run.channel_id).values(**channel))
    for name, value in channel.items():
        setattr(run.channel, name, value)
    _count(run.report, staged, listed=len(page.items), gone=len(gone))


def _held(run: Run, page: Page) -> Mapping[str, Held]:
    if not page.items:
        return {}
    with reading(run.app.engine) as session:
        return ledger.held(session, run.channel_id, [item.id for item in page.items])


def retry_quarantined(run: Run) -> None:
    """Reads again the quarantined items whose time has come."""
    now = run.app.clock.now()
    with reading(run.app.engine) as session:
        ids = ledger.to_retry(session, run.channel_id, now, RETRY_LIMIT)
        held = ledger.held(session, run.channel_id, ids)
    if not ids:
        return
    items = Sorted(to_read=ids)
    _read(run, items, held)
    staged = _staged(run, items, held, run.channel.generation)
    texts = _texts(run, staged)
    with writing(run.app.engine) as session:
        leases.renew(session, run.lease, run.app.clock.now())
        take_turn(session)
        _store(session, run, staged, texts)
        _leave(session, run, items.gone)
    _count(run.report, staged, listed=0, gone=len(items.gone))


def _read(run: Run, items: Sorted, held: Mapping[str, Held]) -> None:
    """Replaces what was only listed by what it is now.

    An item that was listed and is gone when read leaves a line in the ledger all the same: it is asked for once more later,
    so a server that swallowed one answer loses nothing.
    """
    if not items.to_read:
        return
    for item in run.connection.get(run.source, items.to_read):
        match item:
            case Record():
                items.records.append(item)
            case Gone() if item.id not in held:
                items.broken.append(Broken(item.id, "listed, but not there when it was read"))
            case Gone():
                items.gone.append(item.id)
            case Broken():
                items.broken.append(item)


def _staged(run: Run, items: Sorted, held: Mapping[str, Held], generation: int) -> list[Staged]:
    now = run.app.clock.now()
    staged = [stage(record, run.scope, generation=generation, now=now) for record in items.records]
    for broken in items.broken:
        tries = held[broken.id].tries + 1 if broken.id in held else 1
        staged.append(quarantine(broken, run.channel_id, generation=generation, tries=tries, now=now))
    return staged


def _texts(run: Run, staged: Sequence[Staged]) -> dict[str, str]:
    """The texts of admitted emails with somebody the CRM knows, at capture level *full* alone."""
    if run.scope.level != "full" or not isinstance(run.connection, ReadsText):
        return {}
    drafts = {item.entry.source_id: item.draft for item in staged if item.draft is not None}
    handles = {party.address for draft in drafts.values() for party in draft.parties}
    with reading(run.app.engine) as session:
        directory = load_directory(session, run.scope.organization, handles)
    known = directory.contacts.keys() | {h for h in handles if h.rpartition("@")[2] in directory.companies}
    wanted = [
        source_id
        for source_id, draft in drafts.items()
        if any(party.address in known for party in draft.parties)
    ]
    return run.connection.texts(run.source, wanted) if wanted else {}


def _store(session: Session, run: Run, staged: Sequence[Staged], texts: Mapping[str, str]) -> None:
    now = run.app.clock.now()
    readable = [item for item in staged if item.entry.outcome != QUARANTINED]
    match run.channel.kind:
        case "email":
            store_emails(session, readable, run.scope, now)
        case "event":
            store_events(session, readable, run.scope, now)
        case "call":
            store_calls(session, readable, run.scope, now)
    ledger.write(session, [item.entry for item in readable])
    ledger.write_quarantined(session, [item.entry for item in staged if item.entry.outcome == QUARANTINED])
    rows = []
    for item in readable:
        activity_id, text = item.entry.activity_id, texts.get(item.entry.source_id)
        if text and activity_id is not None:
            sealed = run.app.vault.seal(text.encode(), Place("activity_text", activity_id, "sealed"))
            rows.append({"activity_id": activity_id, "sealed": sealed})
    upsert(session, ActivityText, rows)


def _sweep(session: Session, run: Run, generation: int) -> tuple[list[str], int]:
    """What a complete enumeration did not list, and whether that is doubted: more than half of many items at once must be
    seen missing twice."""
    missing = ledger.not_listed_since(session, run.channel_id, generation)
    live = ledger.live_count(session, run.channel_id)
    if live >= SUSPICIOUS_ROWS and 2 * len(missing) > live and run.channel.sweep_doubt == 0:
        return [], 1
    return missing, 0


def _leave(session: Session, run: Run, source_ids: Sequence[str]) -> None:
    if not source_ids:
        return
    now = run.app.clock.now()
    ledger.leave(session, run.channel_id, source_ids, now)
    if run.channel.kind == "event":
        calendar.leave(session, run.channel_id, source_ids, now)
        series = calendar.series_of(session, run.channel_id, source_ids)
        derive(session, run.scope.organization, series, now)


def _came_back(session: Session, run: Run, source_ids: Sequence[str]) -> None:
    if source_ids and run.channel.kind == "event":
        calendar.leave(session, run.channel_id, source_ids, None)
        series = calendar.series_of(session, run.channel_id, source_ids)
        derive(session, run.scope.organization, series, run.app.clock.now())


def _count(report: CaptureReport, staged: Sequence[Staged], *, listed: int, gone: int) -> None:
    report.pages += 1
    report.listed += listed
    report.gone += gone
    for item in staged:
        match item.entry.outcome:
            case outcome if outcome == CAPTURED:
                report.captured += 1
            case outcome if outcome == SKIPPED:
                report.skipped[item.entry.reason or ""] += 1
            case _:
                report.quarantined += 1
