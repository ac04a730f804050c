"""What of an account is captured, as its owner chooses it: since when, how much, and of which channels. Also the first choice,
which lets capture begin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.connector import CaptureLevel
from autocapture.errors import InputError, ScopeMissing
from autocapture.model.accounts import LONG_AGO, Account, Channel, Credential
from autocapture.model.directory import Organization
from autocapture.model.ledger import CAPTURED, LedgerEntry
from autocapture.store import leases
from autocapture.store.engine import reading, take_turn, writing
from autocapture.store.unreachable import forget_bounced
from autocapture.workflows import out_of_scope
from autocapture.workflows.audit import SCOPE_CHANGED, note
from autocapture.workflows.capture_level import LEVELS, is_lower, keeps_more_than, lower_level
from autocapture.workflows.open_account import EVERYTHING, asked_since
from autocapture.workflows.people import our_people
from autocapture.workflows.preview import stored_preview
from autocapture.workflows.waking import wake_channels

_LEFT_OUT = "left out by its owner"


@dataclass(frozen=True, slots=True)
class Scope:
    """Since when (None: everything), how much, and which channels not, by the provider's ids."""

    since: date | None
    level: CaptureLevel
    left_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, account: Account) -> Scope:
        return cls(account.since, cast(CaptureLevel, account.capture_level), frozenset(account.left_out))

    def with_(self, since: date | None, level: CaptureLevel | None) -> Scope:
        """What is not named stays."""
        return replace(self, since=since or self.since, level=level or self.level)

    def takes_away(self, before: Scope) -> bool:
        """Whether something that was in scope `before` no longer is."""
        return (
            _is_later(self.since, before.since)
            or is_lower(self.level, before.level)
            or not self.left_out <= before.left_out
        )

    def adds(self, before: Scope) -> bool:
        return (
            _is_later(before.since, self.since)
            or is_lower(before.level, self.level)
            or not before.left_out <= self.left_out
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """`started`: capture begins with this choice. `removed`: the items that were taken out of the database."""

    started: bool
    removed: int = 0


def scope_of(app: Application, account_id: int) -> Scope:
    """What is captured now. Raises InputError for an unknown account."""
    return Scope.of(_require(app, account_id))


def channel_ids(app: Application, account_id: int, names: Iterable[str]) -> frozenset[str]:
    """The channels of these names or ids. Raises InputError for one that neither was counted nor captured."""
    account = _require(app, account_id)
    with reading(app.engine) as session:
        stored = session.exec(select(Channel).where(Channel.account_id == account_id)).all()
        known = {channel.name: channel.source_id for channel in stored}
    counted = stored_preview(account)
    known |= {each.name: each.id for each in counted.channels} if counted is not None else {}
    known |= {source_id: source_id for source_id in known.values()}
    for name in names:
        if name not in known:
            raise InputError(
                f"account {account_id} has no channel {name!r}; `autocapture accounts preview` lists them"
            )
    return frozenset(known[name] for name in names)


def missing_scopes(app: Application, account: Account, level: str) -> frozenset[str]:
    """What the account's owner would have to grant besides, for this level: nothing where it asks for no more than the present
    level does, or is lower: what was granted for more is enough for less."""
    connector = app.registry.get(account.connector)
    wanted = connector.auth.scopes.get(cast(CaptureLevel, level), ())
    present = connector.auth.scopes.get(cast(CaptureLevel, account.capture_level), ())
    less = set(wanted) <= set(present) or is_lower(level, account.capture_level)
    if connector.auth.method != "oauth" or less:
        return frozenset()
    with reading(app.engine) as session:
        stored = session.get(Credential, account.id)
    if stored is None or account.id is None:
        return frozenset(wanted)
    grant = open_credential(app.vault, account.id, stored.sealed)
    if not isinstance(grant, StoredGrant) or grant.by != "owner":
        return frozenset()
    return app.clients.get(connector.auth.provider).missing(grant.scopes, set(wanted) - set(present))


def keeps_what_is_outside(app: Application, account: Account) -> bool:
    """Whether something is stored of the account that its scope of now would not store; it was kept when that was chosen."""
    if account.kept_since is not None:
        return True
    organization = our_people(app)
    with reading(app.engine) as session:
        return out_of_scope.is_any(session, account, organization) or keeps_more_than(
            session, account.id or 0, account.capture_level
        )


def holds_anything(app: Application, account_id: int) -> bool:
    with reading(app.engine) as session:
        return _captured(session, account_id) > 0


def change_scope(
    app: Application,
    account_id: int,
    scope: Scope,
    *,
    purge: bool | None = None,
    start: bool = False,
    actor_id: int | None = None,
) -> Changed:
    """Captures `scope` from now on; with `start` a pending account begins.

    Where less is captured than before, `purge` says whether what lies outside is taken out of the database or kept; what was
    kept is purged by the same scope again. Raises InputError for an unknown account, a level that there is not, or where
    `purge` is not said though something was captured; ScopeMissing where the level needs a grant that the account does not
    have.
    """
    account = _require(app, account_id)
    if scope.level not in LEVELS:
        raise InputError(f"there is no level {scope.level!r}; there are {', '.join(LEVELS)}")
    if missing_scopes(app, account, scope.level):
        raise ScopeMissing(
            f"level {scope.level} needs another permission: its owner chooses it on the account's page, or `autocapture connect "
            f"{account.connector} --user EMAIL --account {account_id} --level {scope.level}`"
        )
    organization, now = our_people(app), app.clock.now()
    with writing(app.engine) as session:
        account = session.get_one(Account, account_id)
        started = start and account.state == "pending"
        if started:
            account.state = "active"
        removed = set_scope(session, account, scope, organization, now, purge=purge, actor_id=actor_id)
    return Changed(started, removed)


def set_scope(
    session: Session,
    account: Account,
    scope: Scope,
    organization: Organization,
    now: datetime,
    *,
    purge: bool | None,
    actor_id: int | None = None,
) -> int:
    """What `change_scope` does, within a transaction and whatever was granted; the number of items that were removed."""
    account_id = account.id or 0
    session.flush()
    take_turn(session)
    leases.revoke(session, account_id)  # what is being read was judged by the scope of before
    session.refresh(account)
    before, asked_before = Scope.of(account), asked_since(account)
    require_said(session, account, scope, purge)
    _write(session, account, scope, before, purge=purge if scope.takes_away(before) or purge else None)
    session.add(account)
    session.flush()
    is_asked_for_less = _is_later(asked_since(account), asked_before)
    _set_channels(session, account_id, scope, before, is_asked_for_less=is_asked_for_less)
    removed = 0
    if purge:
        removed = out_of_scope.purge(session, account, organization, now)
        lower_level(session, account_id, scope.level)
        forget_bounced(session)
    detail = _detail(before, scope, purge)
    note(session, now, SCOPE_CHANGED, actor_id=actor_id, user_id=account.user_id, detail=detail)
    return removed


def require_said(session: Session, account: Account, scope: Scope, purge: bool | None) -> None:
    """Raises InputError where `scope` captures less of an account than now and it is not said what becomes of what it did."""
    if purge is None and scope.takes_away(Scope.of(account)) and _captured(session, account.id or 0):
        raise InputError(
            "less is captured than before: say whether what was captured is kept or purged (--keep, --purge)"
        )


def _write(session: Session, account: Account, scope: Scope, before: Scope, *, purge: bool | None) -> None:
    account.since, account.capture_level = scope.since, scope.level
    account.left_out = sorted(scope.left_out)
    if purge:
        account.kept_since = None
    elif purge is False and _is_later(scope.since, before.since):
        account.kept_since = _oldest_kept(session, account, before)
    if not _is_later(scope.since, account.kept_since):
        account.kept_since = None


def _oldest_kept(session: Session, account: Account, before: Scope) -> date | None:
    """How far back what is kept reaches; None where nothing was captured. An import that was under way, the newest first, is not
    asked for what it had not come to."""
    bound = account.kept_since or before.since or EVERYTHING
    at = col(LedgerEntry.occurred_at)
    mine = select(col(Channel.id)).where(Channel.account_id == account.id)
    number, dated, first = session.exec(
        select(func.count(), func.count(at), func.min(at)).where(
            col(LedgerEntry.channel_id).in_(mine),
            LedgerEntry.outcome == CAPTURED,
            col(LedgerEntry.gone_at).is_(None),
        )
    ).one()
    if not number:
        return None
    if first is None or dated < number:
        return bound
    return max(bound, first.date() - timedelta(days=1))  # whatever zone the bound is a day of


def _set_channels(
    session: Session, account_id: int, scope: Scope, before: Scope, *, is_asked_for_less: bool
) -> None:
    """Rows of channels that are left out are switched off, and are read whole when they are back. Mail and calls are listed anew
    where the source is asked for less, so that the ledger holds what is in scope; a calendar's past is not, since what is not
    listed any more would be taken for cancelled."""
    mine = col(Channel.account_id) == account_id
    session.execute(
        update(Channel)
        .where(mine, col(Channel.source_id).in_(scope.left_out - before.left_out))
        .values(enabled=False, cursor=None, mid_run=False, last_error=_LEFT_OUT)
    )
    session.execute(
        update(Channel)
        .where(mine, col(Channel.source_id).in_(before.left_out - scope.left_out))
        .values(reread=True)
    )
    if scope.adds(before):
        wake_channels(session, account_id, anew=True)
    elif is_asked_for_less:
        session.execute(
            update(Channel)
            .where(mine, col(Channel.kind) != "event")
            .values(cursor=None, mid_run=False, wake_at=LONG_AGO)
        )


def _require(app: Application, account_id: int) -> Account:
    with reading(app.engine) as session:
        account = session.get(Account, account_id)
        if account is None:
            raise InputError(f"there is no account {account_id}")
        session.expunge(account)
        return account


def _captured(session: Session, account_id: int) -> int:
    return session.exec(
        select(func.count())
        .select_from(LedgerEntry)
        .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
        .where(col(Channel.account_id) == account_id, col(LedgerEntry.outcome) == CAPTURED)
    ).one()


def _is_later(since: date | None, than: date | None) -> bool:
    return since is not None and (than is None or since > than)


def _detail(before: Scope, scope: Scope, purge: bool | None) -> str:
    """In words of our own: folders are counted, not named."""
    parts = [
        f"since {scope.since or 'the beginning'}" if scope.since != before.since else "",
        f"{before.level} to {scope.level}" if scope.level != before.level else "",
        f"{len(scope.left_out)} left out" if scope.left_out != before.left_out else "",
        {True: "purged", False: "kept", None: ""}[purge],
    ]
    return ", ".join(part for part in parts if part)
