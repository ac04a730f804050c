"""Ruth's mailbox and calendar, and what is created of the people in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlmodel import select
from tests.integration.capture.deployment import capture, connect_files, deliver, message

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.model.activities import Match, Participant
from autocapture.model.crm import Company, Contact
from autocapture.settings import load_settings
from autocapture.store.engine import reading
from autocapture.workflows.contact_listings import staged
from autocapture.workflows.creating import CreationReport, create_contacts
from autocapture.workflows.meetings import settle_meetings

RUTH = "Ruth <ruth@ours.example>"
ANNA = "Anna Weber <anna@nordwind.example>"


class Mailbox:
    """Ruth's, captured whenever something comes in."""

    def __init__(self, app: Application, folder: Path) -> None:
        self.app, self.folder, self.number = app, folder, 0
        deliver(folder)
        self.account = connect_files(app, maildir=folder)

    def sent(self, to: str, **given: Any) -> None:
        self._put(message(self._next(), author=RUTH, to=to, **given))

    def got(self, author: str, **given: Any) -> None:
        self._put(message(self._next(), author=author, **given))

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _put(self, mail: bytes) -> None:
        deliver(self.folder, mail)

    def create(self) -> CreationReport:
        capture(self.app, self.account)
        settle_meetings(self.app)
        return create_contacts(self.app)


def with_settings(app: Application, **settings: str) -> Application:
    """The same deployment under other settings, named as in the environment."""
    environ = {
        "AUTOCAPTURE_HOME": str(app.settings.home),
        "AUTOCAPTURE_DATABASE_URL": app.settings.database_url,
    }
    named = {f"AUTOCAPTURE_{name}".upper(): value for name, value in settings.items()}
    return build(load_settings(environ | named), app.clock)


def contacts(app: Application) -> dict[str, str | None]:
    """The contacts that were not there from the beginning, by name, with their companies."""
    with reading(app.engine) as session:
        rows = session.exec(
            select(Contact.name, Company.name)
            .outerjoin(Company, Company.id == Contact.company_id)  # type: ignore[arg-type]
            .where(Contact.source_id != "p1")
            .order_by(Contact.name)
        )
        return {name: company for name, company in rows}  # noqa: C416  rows are no pairs to the type checker


def unknown(app: Application) -> dict[str, str]:
    """Who is staged, and why."""
    return {row["address"]: row["why"] for row in staged(app)}


def linked(app: Application) -> list[tuple[str, str | None, Sequence[str]]]:
    """Of each participant from outside: address, contact, and the companies of the activity."""
    with reading(app.engine) as session:
        parties = session.exec(
            select(Participant.activity_id, Participant.address, Contact.name)
            .outerjoin(Contact, Contact.id == Participant.contact_id)  # type: ignore[arg-type]
            .where(Participant.user_id == None)  # noqa: E711
        ).all()
        found = [
            (
                address,
                name,
                session.exec(
                    select(Company.name)
                    .join(Match, Match.target_id == Company.id)  # type: ignore[arg-type]
                    .where(Match.activity_id == activity_id, Match.target == "company")
                    .order_by(Company.name)
                ).all(),
            )
            for activity_id, address, name in parties
        ]
    return sorted(found)
