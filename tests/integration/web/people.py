"""Two teams with their managers, somebody who leads one of those, ops and admin: who may see what is decided between them."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session
from tests.integration.summary.organization import LONG_BEFORE, application, reopened
from tests.integration.web.tabs import PASSWORD

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.organization import Membership, Team, User
from autocapture.model.sign_in import Password
from autocapture.store.engine import writing
from autocapture.workflows.passwords import make_hash

REP, OTHER_REP, MANAGER, HEAD, OPS, ADMIN = 2, 21, 1, 30, 31, 32
"""A rep and the manager of North; a rep of South; who leads the manager; the others lead nobody."""
EMAILS = {
    REP: "rep2@ours.example",
    OTHER_REP: "south@ours.example",
    MANAGER: "eva@ours.example",
    HEAD: "head@ours.example",
    OPS: "ops@ours.example",
    ADMIN: "admin@ours.example",
}
SOUTHS_MANAGER = 20
SOUTHS_ACTIVITY = 4711


def write(home: Path) -> Application:
    """The organisation of the summaries, and a second team beside it."""
    app = application(home)
    with writing(app.engine) as session:
        _south(session)
        session.flush()
        boss = session.get_one(User, MANAGER)
        boss.manager_id = HEAD
        session.add(boss)
    return app


def let_in(app: Application, *user_ids: int) -> None:
    """Gives these people a password each: from the first on, the pages need sign-in."""
    hashed = make_hash(PASSWORD)
    with writing(app.engine) as session:
        for user_id in user_ids:
            session.add(Password(user_id=user_id, hash=hashed, changed_at=app.clock.now()))


def _south(session: Session) -> None:
    session.add(Team(id=2, name="South"))
    for user_id, email, role in (
        (SOUTHS_MANAGER, "sven@ours.example", "manager"),
        (HEAD, EMAILS[HEAD], "manager"),
        (OPS, EMAILS[OPS], "ops"),
        (ADMIN, EMAILS[ADMIN], "admin"),
    ):
        session.add(User(id=user_id, email=email, name=email.partition("@")[0].title(), role=role))
    session.flush()
    session.add(User(id=OTHER_REP, email=EMAILS[OTHER_REP], name="Olle South", manager_id=SOUTHS_MANAGER))
    session.flush()
    for user_id in (SOUTHS_MANAGER, OTHER_REP):
        session.add(Membership(user_id=user_id, team_id=2, valid_from=LONG_BEFORE.date()))
    session.add(
        Account(
            id=OTHER_REP,
            user_id=OTHER_REP,
            connector="imap",
            subject="the account of south",
            options={},
            created_at=LONG_BEFORE,
        )
    )
    session.flush()
    session.add(Channel(id=910, account_id=OTHER_REP, source_id="in", kind="email", name="in"))
    session.add(
        Activity(
            id=SOUTHS_ACTIVITY,
            dedupe_key="south",
            kind="email",
            occurred_at=LONG_BEFORE,
            direction="outbound",
            subject="South's own matter",
            known_at=LONG_BEFORE,
            changed_at=LONG_BEFORE,
        )
    )
    session.flush()
    session.add(
        Participant(
            activity_id=SOUTHS_ACTIVITY, role="from", address=EMAILS[OTHER_REP], name="", user_id=OTHER_REP
        )
    )
    session.add(
        Participation(
            user_id=OTHER_REP, local_date=LONG_BEFORE.date(), activity_id=SOUTHS_ACTIVITY, role="sender"
        )
    )


__all__ = ["reopened"]
