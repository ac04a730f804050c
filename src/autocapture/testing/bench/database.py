"""The database a capture starts from: our people, and a CRM of 100,000 contacts. Made once; every round takes a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from autocapture.bootstrap import Application, build
from autocapture.connect.vault import create_key
from autocapture.connector import PasswordCredential
from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle, Deal, DealContact
from autocapture.model.organization import User
from autocapture.settings import load_settings
from autocapture.store import schema
from autocapture.store.bulk import insert
from autocapture.store.engine import writing
from autocapture.testing.bench.mailbox import COLLEAGUES, CONTACTS, CONTACTS_OF_COMPANY, REP, contact_address
from autocapture.workflows.connect_account import Login, connect_account

_BATCH = 10_000
_SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def make_home(home: Path, *, port: int, username: str, password: str, contacts: int = CONTACTS) -> None:
    """A home folder as `init`, `import` and `connect imap` leave it."""
    home.mkdir(parents=True)
    create_key(home / "keys" / "master.key")
    app = application(home)
    schema.upgrade(app.engine)
    with writing(app.engine) as session:
        insert(session, User, [user_row(address) for address in (REP, *COLLEAGUES)])
        for start in range(0, contacts, _BATCH):
            fill(session, range(start, min(start + _BATCH, contacts)))
    options = {"host": "127.0.0.1", "port": port, "security": "none"}
    connect_account(app, Login(REP, "imap", options, PasswordCredential(username, password)))
    app.engine.dispose()  # the last connection folds the write-ahead log into the file


def copy_home(home: Path, target: Path) -> Path:
    if target.exists():
        shutil.rmtree(target)
    return Path(shutil.copytree(home, target))


def application(home: Path) -> Application:
    return build(load_settings({"AUTOCAPTURE_HOME": str(home)}))


def user_row(address: str) -> dict[str, Any]:
    """A rep as `User` has them."""
    return {
        "email": address,
        "name": address.partition("@")[0].capitalize(),
        "role": "rep",
        "time_zone": "Europe/Berlin",
        "locale": "en",
        "active": True,
    }


def fill(session: Session, numbers: range) -> None:
    """The contacts of these numbers, their companies and deals. A company's contacts belong together: begin at a multiple of
    `CONTACTS_OF_COMPANY`."""
    companies = numbers[::CONTACTS_OF_COMPANY]
    insert(session, Company, [{"id": n + 1, **_named("company", n)} for n in companies])
    insert(
        session,
        CompanyDomain,
        [{"domain": contact_address(n).partition("@")[2], "company_id": n + 1} for n in companies],
    )
    insert(
        session,
        Contact,
        [
            {**_named("contact", n), "id": n + 1, "company_id": n - n % CONTACTS_OF_COMPANY + 1}
            for n in numbers
        ],
    )
    insert(
        session,
        ContactHandle,
        [{"kind": "email", "value": contact_address(n), "contact_id": n + 1} for n in numbers],
    )
    deals = list(_deals(companies))
    insert(session, Deal, deals)
    insert(
        session,
        DealContact,
        [
            {"deal_id": deal["id"], "contact_id": deal["company_id"], "role": "buyer", "source": "crm"}
            for deal in deals
        ],
    )


def _deals(companies: range) -> Iterator[dict[str, Any]]:
    """A deal at half of the companies, two at some."""
    for n in companies[::2]:
        for turn in range(1 + (n % 3 == 0)):
            created = _SINCE + timedelta(days=n % 500)
            yield {
                **_named(f"deal {turn}", n),
                "id": 2 * n + turn + 1,
                "company_id": n + 1,
                "owner_id": 1,
                "pipeline": "default",
                "outcome": "open",
                "created_at": created,
                "created_on": created.date(),
            }


def _named(kind: str, number: int) -> dict[str, Any]:
    return {"source_id": f"{kind} {number}", "name": f"{kind.capitalize()} {number}"}
