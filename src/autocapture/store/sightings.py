"""Which items of which channels show an activity: the ledger read from the activity's side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from autocapture.model.accounts import Account, Channel
from autocapture.model.draft import Verdict
from autocapture.model.ledger import ASKED_AGAIN, CAPTURED, SKIPPED, LedgerEntry
from autocapture.store import ledger
from autocapture.store.bulk import table_of
from autocapture.store.ledger import Line
from autocapture.store.lookup import Lookup

_ENTRY, _CHANNEL, _ACCOUNT = table_of(LedgerEntry).c, table_of(Channel).c, table_of(Account).c
_CAPTURED_AS = Lookup(
    lambda among: select(_ENTRY.source_id, _ENTRY.activity_id).where(
        _ENTRY.channel_id == bindparam("of"), among(_ENTRY.source_id, "ids"), _ENTRY.activity_id.is_not(None)
    )
)
_SIGHTINGS = Lookup(
    lambda among: (
        select(
            _ENTRY.activity_id,
            _ENTRY.channel_id,
            _ENTRY.source_id,
            _ENTRY.gone_at,
            _ENTRY.outcome,
            _ENTRY.reason,
            _ENTRY.version,
            _ACCOUNT.user_id,
            _ACCOUNT.state,
        )
        .join(table_of(Channel), _CHANNEL.id == _ENTRY.channel_id)
        .join(table_of(Account), _ACCOUNT.id == _CHANNEL.account_id)
        .where(among(_ENTRY.activity_id, "ids"), _ENTRY.activity_id.is_not(None))
    )
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One item that the ledger names as a sighting of an activity; `live` while it is in its channel.

    `version`: as which it was last read, None where it could not be. `asked`: it is to be read again, though it did not change
    (`ask_again`). `user_id`: whose account shows it; `reachable`: the account is captured, so asking will be answered.
    """

    channel_id: int
    source_id: str
    live: bool
    version: str | None
    asked: bool
    user_id: int
    reachable: bool

    @property
    def key(self) -> tuple[int, str]:
        return self.channel_id, self.source_id


def captured_as(session: Session, channel_id: int, source_ids: Collection[str]) -> dict[str, int]:
    """The activity of each of these items that has one so far."""
    return dict(_CAPTURED_AS(session, of=channel_id, ids=source_ids))


def sightings(session: Session, activity_ids: Collection[int]) -> dict[int, list[Sighting]]:
    """Every item that the ledger names as a sighting of these activities."""
    if not activity_ids:
        return {}
    found: dict[int, list[Sighting]] = defaultdict(list)
    for activity_id, channel_id, source_id, gone_at, outcome, reason, version, user_id, state in _SIGHTINGS(
        session, ids=activity_ids
    ):
        found[activity_id].append(
            Sighting(
                channel_id,
                source_id,
                live=gone_at is None,
                version=version if outcome == CAPTURED else None,
                asked=outcome == CAPTURED and reason == ASKED_AGAIN,
                user_id=user_id,
                reachable=state == "active",
            )
        )
    return found


def ask_again(session: Session, asked: Iterable[Sighting]) -> None:
    """Has these items read once more by the next run over their account."""
    by_channel: dict[int, list[str]] = defaultdict(list)
    for each in asked:
        by_channel[each.channel_id].append(each.source_id)
    for channel_id in sorted(by_channel):
        ledger.ask_again(session, channel_id, by_channel[channel_id])


def follow(session: Session, activity_id: int, line: Line) -> None:
    """The items that showed an activity which is no more are told of as `line` tells of the last one."""
    session.execute(
        update(LedgerEntry)
        .where(col(LedgerEntry.activity_id) == activity_id)
        .values(outcome=line.outcome, reason=line.reason, rule=line.rule, activity_id=line.activity_id)
    )


def skip(session: Session, activity_id: int, verdict: Verdict) -> None:
    """The items that showed an activity which is no more are skipped for what `verdict` says."""
    session.execute(
        update(LedgerEntry)
        .where(col(LedgerEntry.activity_id) == activity_id)
        .values(outcome=SKIPPED, reason=verdict.reason, rule=verdict.rule, activity_id=None)
    )
