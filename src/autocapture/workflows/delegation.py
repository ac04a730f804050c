"""Accounts that an organisation granted, without their owners' sign-in: whose matter it is when one is let in no more.

Nobody can sign in to such an account again. Where the key, the certificate, the clock or the consent of the organisation is at
fault, all of them fail together, which is the operator's matter. The accounts stay active and are tried again, so that they go on
by themselves once it is mended. A mailbox that is no more is the matter of that account alone (`workflows.dead_logins`).

Who runs the service is told of it (`workflows.delegation_told`) by rows: one for each account and outage, told apart by the last
good capture.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.connect.providers import LABELS
from autocapture.errors import CredentialRejected, DelegationRefused, ScopeMissing
from autocapture.model.accounts import LONG_AGO, Account, Channel
from autocapture.model.connecting import ReconnectNotice
from autocapture.store.engine import insert_for

DUE, TOLD = "due", "told"

_BY_ORGANISATION = ("application:", "delegate:")
LAST_GOOD = (
    select(func.max(Channel.last_ok_at)).where(col(Channel.account_id) == col(Account.id)).scalar_subquery()
)


def is_delegated(account: Account) -> bool:
    """Whether the organisation granted it, and not its owner."""
    return account.subject.startswith(_BY_ORGANISATION)


def as_whose_it_is(app: Application, account: Account, problem: Exception) -> Exception:
    """A provider that takes the organisation's token and refuses what is asked with it asks nobody to sign in."""
    if not is_delegated(account) or not isinstance(problem, CredentialRejected | ScopeMissing):
        return problem
    label = label_of(app, account)
    return DelegationRefused(
        f"{label} does not let autocapture read what the organisation granted: the permission was taken back, or does not reach "
        f"{account.address or 'all of it'}; look at what was granted there"
    )


def note_refused(session: Session, account: Account, problem: DelegationRefused, now: datetime) -> None:
    """That whoever runs the service is to be told, once in this outage."""
    last = session.exec(select(LAST_GOOD).where(Account.id == account.id)).one()
    row = {
        "account_id": account.id,
        "connected_at": last or LONG_AGO,
        "state": DUE,
        "first_tried_at": now,
        "claimed_at": now,
        "error": _reason(account, str(problem)),
    }
    session.execute(insert_for(session)(ReconnectNotice).values(row).on_conflict_do_nothing())


def _reason(account: Account, why: str) -> str:
    """Without the mailbox: what is alike for several is one."""
    return why.replace(account.address, "the mailbox") if account.address else why


def label_of(app: Application, account: Account) -> str:
    """The provider of an account, as people call it."""
    provider = app.registry.get(account.connector).auth.provider
    return LABELS.get(provider, provider)
