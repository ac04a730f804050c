"""What the simulation found in the engine, each told small."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from autocapture.model.accounts import Account
from autocapture.store.engine import open_engine, reading, writing
from autocapture.testing.fakes.uids import UidWorld
from autocapture.testing.loop import Loop


def test_a_commit_that_fails_leaves_the_database_to_others(tmp_path: Path) -> None:
    """SQLite keeps such a transaction open, and with it the right to write; a connection must not be used again like that."""
    engine = open_engine(f"sqlite:///{tmp_path / 'one.db'}")
    other = open_engine(f"sqlite:///{tmp_path / 'one.db'}")
    with writing(engine) as session:
        session.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        session.execute(
            text("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
        )
    with pytest.raises(IntegrityError), writing(engine) as session:
        session.execute(text("INSERT INTO child VALUES (5)"))  # refused by COMMIT alone
    with writing(other) as session:
        session.execute(text("INSERT INTO parent VALUES (1)"))
    with reading(engine) as session:
        assert session.execute(text("SELECT count(*) FROM child")).scalar_one() == 0
    engine.dispose()
    other.dispose()


def test_a_wait_that_a_wrong_clock_wrote_down_ends_with_the_next_capture() -> None:
    """Further ahead than any wait is, it is not waited for; left there, it would be once it is near."""
    with Loop(UidWorld()) as loop:
        loop.drain()
        with writing(loop.app.engine) as session:
            account = session.get_one(Account, loop.account_id)
            account.throttle_until = loop.clock.now() + timedelta(hours=40)
            session.add(account)
        loop.capture()
        assert loop.throttled_until() <= loop.clock.now()
