"""Rows found by many keys at once, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import Session

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import CAPTURED
from autocapture.store import ledger, threads
from autocapture.store.engine import reading, writing
from autocapture.store.ledger import Line

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ODD = [
    "1/2",
    "",
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "per%cent",
    "{}",
    "[1]",
    "größe",
    "日本",
    "😀",
    "line\nfeed",
    "\u2028",
]


def _channel(session: Session) -> int:
    account = Account(user_id=1, connector="files", subject="x", options={}, created_at=NOW)
    session.add(account)
    session.flush()
    channel = Channel(account_id=account.id or 0, source_id="x", kind="email", name="x")
    session.add(channel)
    session.flush()
    return channel.id or 0


def test_an_item_is_found_whatever_its_id_is_made_of(either_app: Application) -> None:
    with writing(either_app.engine) as session:
        channel_id = _channel(session)
        ledger.write(session, [Line(channel_id, each, CAPTURED, 1, NOW, NOW, version=each) for each in ODD])
    with reading(either_app.engine) as session:
        found = ledger.held(session, channel_id, [*ODD, "not there", "1"])
        assert {source_id: each.version for source_id, each in found.items()} == {each: each for each in ODD}
        assert ledger.held(session, channel_id, []) == {}


def test_tens_of_thousands_of_keys_are_one_question(either_app: Application) -> None:
    keys = [2**63 - 1 - number * 2**40 for number in range(40_000)]
    with writing(either_app.engine) as session:
        assert threads.assign(session, [[key] for key in keys]) == keys
    with writing(either_app.engine) as session:
        assert threads.assign(session, [[key] for key in keys]) == keys
