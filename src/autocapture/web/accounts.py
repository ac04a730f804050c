"""The connected accounts: whether they work, and what became of everything seen in them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from sqlmodel import Session, col, func, select

from autocapture.application import Application
from autocapture.errors import without_codes
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.store.engine import reading
from autocapture.web.access import Reach
from autocapture.web.connect import NAMES
from autocapture.web.ownership import sight_of, within
from autocapture.web.templating import render
from autocapture.web.visit import Visit
from autocapture.workflows.account_health import AccountHealth, health_of
from autocapture.workflows.delegation import is_delegated as is_delegated
from autocapture.workflows.file_subjects import files_of_subject
from autocapture.workflows.granting import label_of

OUTCOMES = ("captured", "skipped", "quarantined")
STATES = {
    "active": "active",
    "pending": "waits for its owner's choice",
    "needs_reconnect": "needs to be reconnected",
    "paused": "paused",
    "disconnected": "disconnected",
    "disabled": "not captured, since its owner is disabled",
}
TONES = {"active": "ok", "needs_reconnect": "bad"}
"""What somebody wanted, a pause or an end, is neither well nor wrong."""
MENDED_BY_OPERATOR = (
    "it cannot be read at the moment, and is tried again by itself; whoever runs autocapture knows more, and you need do "
    "nothing"
)
_TO_DO = {
    "pending": "Look at it and begin",
    "needs_reconnect": "Connect it again",
    "disconnected": "Connect it again",
}
_ACTS = {
    "active": ("pause", "disconnect"),
    "pending": ("disconnect",),
    "needs_reconnect": ("pause", "disconnect"),
    "paused": ("resume", "disconnect"),
}


def page(application: Application, visit: Visit) -> str:
    with reading(application.engine) as session:
        seen, newest = _seen(session), _newest(session)
        rows = session.exec(
            select(Account, User)
            .join(User, col(User.id) == col(Account.user_id))
            .where(within(Account.user_id, sight_of(session, visit)))
            .order_by(col(User.name), col(Account.id))
        ).all()
        ids = [account.id for account, _ in rows if account.id is not None]
        health = health_of(session, ids, application.clock.now(), visit.reader.moment_full)
        shown = [
            _account(account, user, seen[account.id or 0], newest.get(account.id or 0), visit)
            | proof(health[account.id or 0], visit)
            for account, user in rows
        ]
    return render("accounts.html", title="Accounts", visit=visit, accounts=shown, outcomes=OUTCOMES)


def _reasons_told(visit: Visit, account: Account) -> tuple[str, ...]:
    """The owner sees why each item was left out; who runs the service what cannot be read; who leads a team, neither."""
    if visit.is_open or account.user_id == visit.user_id:
        return ("skipped", "quarantined")
    return ("quarantined",) if visit.reach is Reach.ALL else ()


def _account(
    account: Account,
    user: User,
    seen: list[tuple[str, str | None, int]],
    last: datetime | None,
    visit: Visit,
) -> dict[str, Any]:
    reader, told = visit.reader, _reasons_told(visit, account)
    state = account.state if user.active else "disabled"
    totals = {outcome: sum(number for found, _, number in seen if found == outcome) for outcome in OUTCOMES}
    reasons = sorted(
        (
            (outcome, reason or "no reason given", number)
            for outcome, reason, number in seen
            if outcome in told
        ),
        key=lambda one: (one[0] != "quarantined", -one[2], one[1]),
    )
    return {
        "user": user.name,
        "connector": NAMES.get(account.connector) or label_of(account.connector),
        "subject": login_of(account),
        "places": _places(login_of(account)),
        "href": f"/accounts/{account.id}" if account.user_id == visit.user_id else None,
        "todo": _TO_DO.get(account.state, "Change what is captured"),
        "id": account.id,
        "acts": acts(account, visit),
        "state": STATES.get(state, state),
        "tone": TONES.get(state, ""),
        "why": why_of(account, visit),
        "level": account.capture_level,
        "since": reader.day(account.since) if account.since else "the beginning",
        "last": reader.moment_full(last) if last else "never",
        "totals": [reader.count(totals[outcome]) for outcome in OUTCOMES],
        "reasons": [(outcome, reason, reader.count(number)) for outcome, reason, number in reasons],
    }


def acts(account: Account, visit: Visit) -> tuple[str, ...]:
    """What the visitor may have done with an account: its owner, or who runs the service. What an organisation granted, only the
    latter ends."""
    if visit.user is None or not (
        visit.reach is Reach.ALL or (account.user_id == visit.user_id and not is_delegated(account))
    ):
        return ()
    return _ACTS.get(account.state, ())


def why_of(account: Account, visit: Visit) -> str:
    """What is wrong, for who sees it. Of what only its organisation can mend, its owner need know no more."""
    if visit.reach is Reach.ALL:
        return account.why or ""
    if is_delegated(account) and account.state == "active" and account.fails:
        return MENDED_BY_OPERATOR
    return without_codes(account.why or "")


def proof(health: AccountHealth, visit: Visit) -> dict[str, Any]:
    """What shows whether the account is whole and fresh."""
    counted, delays = health.counted, health.delays
    return {
        "alerts": health.alerts,
        "whole": None
        if counted is None
        else f"{counted.words} of {visit.reader.count(counted.listed)} items at the source are here "
        f"(counted {visit.reader.moment_full(counted.at)})",
        "fresh": None
        if delays is None
        else f"visible within {lasting(delays.p50)} (half), {lasting(delays.p95)} (95 %), {lasting(delays.p99)} (99 %)",
    }


def lasting(delay: timedelta) -> str:
    """A duration in its largest unit that is not below two."""
    seconds = delay.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def login_of(account: Account) -> str:
    """An account's login as people call it; empty for what is the whole organisation's."""
    return account.address or (
        account.subject.partition(":")[2] if is_delegated(account) else account.subject
    )


def _places(subject: str) -> list[str]:
    """The login; or of each path its last two parts, which tell it from the others."""
    if not subject:
        return []
    return [f"{option} {_short(path)}" for option, path in files_of_subject(subject)] or [subject]


def _short(place: str) -> str:
    parts = PurePath(place).parts
    return f"…/{'/'.join(parts[-2:])}" if len(parts) > 3 else place


def _seen(session: Session) -> defaultdict[int, list[tuple[str, str | None, int]]]:
    rows = session.exec(
        select(Channel.account_id, LedgerEntry.outcome, LedgerEntry.reason, func.count())
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .group_by(col(Channel.account_id), col(LedgerEntry.outcome), col(LedgerEntry.reason))
    ).all()
    by_account: defaultdict[int, list[tuple[str, str | None, int]]] = defaultdict(list)
    for account_id, outcome, reason, number in rows:
        by_account[account_id].append((outcome, reason, number))
    return by_account


def _newest(session: Session) -> dict[int, datetime]:
    rows = session.exec(
        select(Channel.account_id, func.max(Channel.last_ok_at)).group_by(col(Channel.account_id))
    ).all()
    return {account_id: last for account_id, last in rows if last is not None}
