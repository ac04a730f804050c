"""One page stored whole in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlmodel import Session

from autocapture.connector import Broken, Connection, Page, ReadsText
from autocapture.errors import AutocaptureError, SetupError, Unreachable
from autocapture.model.accounts import Channel
from autocapture.model.ledger import CAPTURED, QUARANTINED, SKIPPED
from autocapture.store import activities, calendar, leases, ledger
from autocapture.store.bulk import table_of
from autocapture.store.engine import reading, take_turn, writing
from autocapture.store.ledger import Held
from autocapture.workflows.calls import store_calls
from autocapture.workflows.departed import leave
from autocapture.workflows.emails import store_emails
from autocapture.workflows.freshness import note_arrivals
from autocapture.workflows.matching import rematch
from autocapture.workflows.meetings import derive, look_again, store_events
from autocapture.workflows.pulling import Pulled, Run, apart, pull_again, quarantined
from autocapture.workflows.report import CaptureReport
from autocapture.workflows.staging import Staged, next_reading
from autocapture.workflows.texts import TextsDue, keep_texts, texts_due

log = structlog.get_logger()

SUSPICIOUS_ROWS = 20  # a sweep of fewer items is never held back; as many refused items and not one taken is a defect of ours
RETRY_LIMIT = 100


def store_page(run: Run, pulled: Pulled) -> None:
    """Commits items, ledger and cursor together, under the lease's fence."""
    _without_refused(run, pulled, _commit)


def _without_refused(run: Run, pulled: Pulled, store: Callable[[Run, Pulled], None]) -> None:
    """Stores what was read. An item that the database refuses, whatever it may hold, goes to quarantine alone: were the page
    refused for ever, all mail behind it would be lost."""
    try:
        store(run, pulled)
    except AutocaptureError:
        raise
    except Exception as problem:
        refused = _refused(run, pulled)
        if not refused:
            raise
        log.error(
            "items_refused", channel_id=run.channel_id, count=len(refused), error=type(problem).__name__
        )
        try:
            store(run, _without(run, pulled, refused))
        except AutocaptureError:
            raise
        except Exception:
            raise SetupError("the connector names an item in a way that no database can hold") from problem


def _refused(run: Run, pulled: Pulled) -> list[Staged]:
    """Those that cannot be stored even alone, found by halves; none where nothing seems to be taken, which is no fault of
    theirs. What is in quarantine already may be refused once more: that tells nothing."""
    before = {source_id for source_id, held in pulled.held.items() if held.outcome == QUARANTINED}
    others = [item for item in pulled.staged if item.entry.source_id not in before]
    if len(others) >= SUSPICIOUS_ROWS:
        sample = others[:: len(others) // SUSPICIOUS_ROWS]  # refused ones may stand side by side
        if not any(_is_stored(run, [item]) for item in sample):
            return []
    refused: list[Staged] = []
    waiting: list[Sequence[Staged]] = [pulled.staged] if pulled.staged else []
    while waiting:
        part = waiting.pop()
        if _is_stored(run, part):
            continue
        if len(part) == 1:
            refused.extend(part)
        else:
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
    return refused


class _Undone(Exception):
    """Rolls a trial back."""


def _is_stored(run: Run, staged: Sequence[Staged]) -> bool:
    """Whether the database takes these; nothing of the trial is kept."""
    try:
        with writing(run.app.engine) as session:
            _begin(session, run)
            _store(session, run, staged)
            raise _Undone
    except _Undone:
        return True
    except AutocaptureError:
        raise
    except Exception:
        return False


def _without(run: Run, pulled: Pulled, refused: Sequence[Staged]) -> Pulled:
    """The page with these in quarantine, and of their values none but id and version."""
    ids = {item.entry.source_id for item in refused}
    kept = [item for item in pulled.staged if item.entry.source_id not in ids]
    for item in refused:
        broken = Broken(item.entry.source_id, "the database refuses what it holds", item.entry.version)
        kept.append(quarantined(run, broken, pulled.held, pulled.generation))
    return replace(pulled, staged=kept)


def _commit(run: Run, pulled: Pulled) -> None:
    """At capture level *full* texts are read of what is then stored and matched, and the cursor is committed with them."""
    page, held, staged = pulled.page, pulled.held, pulled.staged
    moved = page.cursor != run.channel.cursor or page.more != run.channel.mid_run
    returned = [source_id for source_id in pulled.touched if held[source_id].gone]
    if not (staged or pulled.gone or returned or page.complete or moved):
        return  # nothing new, though a source may list its latest items again: an idle pass writes nothing
    channel: dict[str, Any] = {"cursor": page.cursor, "mid_run": page.more, "generation": pulled.generation}
    began = run.app.clock.now()
    with writing(run.app.engine) as session:
        _begin(session, run)
        ledger.touch(session, run.channel_id, pulled.touched, pulled.generation)
        ids = {item.entry.source_id for item in staged}
        again = not (ids.isdisjoint(held) and ids.isdisjoint(run.stored_last))
        _store(session, run, staged, again=again)
        channel |= note_arrivals(session, run, staged, began)
        due = _texts_due(session, run, [item.id for item in page.items], staged, held)
        if not due:
            gone = _finish(session, run, page, pulled.gone, returned, channel)
    if due:  # the network is asked outside any transaction; killed before the second one, the run reads the page again
        texts, unread = _texts(run, due)
        with writing(run.app.engine) as session:
            _begin(session, run)
            _keep_texts(session, run, due, texts)
            _read_later(session, run, unread, held)
            gone = _finish(session, run, page, pulled.gone, returned, channel)
    for name, value in channel.items():
        setattr(run.channel, name, value)
    run.told_again, run.stored_last = run.told_again or again, ids
    _count(run.report, staged, listed=len(page.items), gone=gone)


def _begin(session: Session, run: Run) -> None:
    leases.renew(session, run.lease, run.app.clock.now())
    take_turn(session)


def _finish(
    session: Session,
    run: Run,
    page: Page,
    left: Sequence[str],
    returned: Sequence[str],
    channel: dict[str, Any],
) -> int:
    """What left and what came back, and the channel's row as it is after the page; the number of items that left."""
    gone = list(left)
    if page.complete:
        swept, doubt = _sweep(session, run, channel["generation"])
        gone.extend(swept)
        channel["sweep_doubt"], channel["backfilled"], channel["reread"] = doubt, True, False
        if doubt:  # look again from the start before anything is taken for gone
            channel["cursor"], channel["mid_run"] = None, False
    _came_back(session, run, returned)
    _leave(session, run, gone)
    row = table_of(Channel)
    session.connection().execute(row.update().where(row.c.id == run.channel_id).values(channel))
    return len(gone)


def read_again_what_is_due(run: Run) -> None:
    """Reads again the items that are asked for again, all of them, and quarantined ones whose time has come."""
    before: list[str] = []
    while True:
        with reading(run.app.engine) as session:
            asked, due = ledger.to_retry(session, run.channel_id, run.app.clock.now(), RETRY_LIMIT)
        if asked == before and not due:
            return  # nothing more, or only what was not answered
        _without_refused(run, pull_again(run, [*asked, *due]), _commit_again)
        if len(asked) < RETRY_LIMIT:
            return
        before = asked


def _commit_again(run: Run, pulled: Pulled) -> None:
    ids = [item.entry.source_id for item in pulled.staged]
    with writing(run.app.engine) as session:
        _begin(session, run)
        _store(session, run, pulled.staged)
        due = _texts_due(session, run, ids, pulled.staged, pulled.held)
        _leave(session, run, pulled.gone)
    if due:
        texts, unread = _texts(run, due)
        with writing(run.app.engine) as session:
            _begin(session, run)
            _keep_texts(session, run, due, texts)
            _read_later(session, run, unread, pulled.held)
    _count(run.report, pulled.staged, listed=0, gone=len(pulled.gone))


def _texts_due(
    session: Session, run: Run, source_ids: Sequence[str], staged: Sequence[Staged], held: Mapping[str, Held]
) -> TextsDue:
    """The mails whose texts are to be read now; at capture level *full* alone."""
    if run.scope.level != "full" or run.channel.kind != "email" or not isinstance(run.connection, ReadsText):
        return TextsDue()
    changed = {
        item.entry.source_id
        for item in staged
        if item.entry.source_id in held and held[item.entry.source_id].version != item.entry.version
    }
    return texts_due(session, run.channel_id, source_ids, changed)


def _texts(run: Run, due: TextsDue) -> tuple[Mapping[str, str], Sequence[str]]:
    """The texts by item, and the items whose texts cannot be read now even alone."""

    def ask(connection: Connection, ids: Sequence[str]) -> Mapping[str, str]:
        return connection.texts(run.source, ids) if isinstance(connection, ReadsText) else {}

    try:
        return ask(run.connection, due.source_ids), ()
    except Unreachable as problem:
        found, unread = apart(run, due.source_ids, ask, problem)
    return {source_id: text for part in found for source_id, text in part.items()}, unread


def _keep_texts(session: Session, run: Run, due: TextsDue, texts: Mapping[str, str]) -> None:
    """Stores them, and matches their mails anew: what is written may name a deal, or say that a meeting was missed."""
    organization, now = run.scope.organization, run.app.clock.now()
    saying = keep_texts(session, run.app.vault, organization, due, texts)
    kept = [activity_id for source_id, activity_id in due.activities.items() if texts.get(source_id)]
    rematch(session, organization, kept, now)
    look_again(session, organization, list(activities.load(session, saying).values()), now)


def _read_later(session: Session, run: Run, unread: Sequence[str], held: Mapping[str, Held]) -> None:
    """A connection that breaks over a text may be the network's fault, however often: it is tried again, ever more rarely."""
    now = run.app.clock.now()
    tries = {source_id: held[source_id].tries + 1 if source_id in held else 1 for source_id in unread}
    later = {source_id: (made, next_reading(made, now)) for source_id, made in tries.items()}
    ledger.read_text_later(session, run.channel_id, later)


def _store(session: Session, run: Run, staged: Sequence[Staged], *, again: bool = True) -> None:
    now = run.app.clock.now()
    readable = [item for item in staged if item.entry.outcome != QUARANTINED]
    match run.channel.kind:
        case "email":
            store_emails(session, readable, run.scope, now, again=again)
        case "event":
            store_events(session, readable, run.scope, now)
        case "call":
            store_calls(session, readable, run.scope, now, again=again)
    ledger.write(session, [item.entry for item in readable])
    ledger.write_quarantined(session, [item.entry for item in staged if item.entry.outcome == QUARANTINED])


def _sweep(session: Session, run: Run, generation: int) -> tuple[list[str], int]:
    """What a complete enumeration did not list, and whether that is doubted: more than half of many items at once must be
    seen missing twice, and so must anything when what was listed had vanished before it was read (a folder rebuilt between
    the two)."""
    missing = ledger.not_listed_since(session, run.channel_id, generation)
    live = ledger.live_count(session, run.channel_id)
    suspicious = run.vanished or (live >= SUSPICIOUS_ROWS and 2 * len(missing) > live)
    run.vanished = False
    if missing and suspicious and run.channel.sweep_doubt == 0:
        return [], 1
    return missing, 0


def _leave(session: Session, run: Run, source_ids: Sequence[str]) -> None:
    if source_ids:
        now, organization = run.app.clock.now(), run.scope.organization
        leave(session, organization, run.channel_id, run.channel.kind, source_ids, now)


def _came_back(session: Session, run: Run, source_ids: Sequence[str]) -> None:
    if source_ids and run.channel.kind == "event":
        calendar.leave(session, run.channel_id, source_ids, None)
        series = set(calendar.series_of(session, run.channel_id, source_ids).values())
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
