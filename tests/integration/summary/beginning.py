"""A team in its first days: a manager and a rep of whom next to nothing is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.integration.summary.organization import LONG_BEFORE, MONDAY, reopened
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.connect.vault import create_key
from autocapture.model.crm import Deal, DealState
from autocapture.model.organization import Membership, Team, User
from autocapture.store.engine import writing

THURSDAY = datetime(2026, 11, 12, 7, tzinfo=UTC)


def begin(home: Path) -> None:
    """A database in `home` with the team and its people, before anything is connected or imported."""
    app = reopened(home)
    create_key(app.settings.key_file)
    make_tables(app.engine)
    with writing(app.engine) as session:
        session.add(Team(id=1, name="North"))
        session.flush()
        session.add(User(id=1, email="eva@ours.example", name="Eva Lund", role="manager"))
        session.flush()
        session.add(
            User(
                id=2,
                email="anna@ours.example",
                name="Anna Berg",
                manager_id=1,
                time_zone="Europe/Stockholm",
            )
        )
        session.flush()
        for user_id in (1, 2):
            session.add(Membership(user_id=user_id, team_id=1, valid_from=date(2026, 1, 1)))
    app.engine.dispose()


def deal(
    app: Application,
    number: int,
    *,
    at: datetime = THURSDAY,
    on: date | None = None,
    minor: int | None = None,
) -> None:
    """A deal of the rep, won at `at`, on the rep's day `on`, for `minor` cents or without an amount."""
    currency = None if minor is None else "EUR"
    created = MONDAY - timedelta(days=20)
    with writing(app.engine) as session:
        session.add(
            Deal(
                id=number,
                source_id=f"d{number}",
                name=f"Pumps {number}",
                owner_id=2,
                created_at=created,
                created_on=created.date(),
                outcome="won",
                closed_at=at,
                closed_on=on or at.date(),
                amount_minor=minor,
                currency=currency,
            )
        )
        session.flush()
        session.add(
            DealState(
                deal_id=number,
                valid_from=at,
                known_from=LONG_BEFORE,
                outcome="won",
                owner_id=2,
                amount_minor=minor,
                currency=currency,
            )
        )
