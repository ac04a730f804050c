"""From a stored account to an open connection: options validated, credential unsealed, tools lent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date, timedelta
from functools import partial
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.connect.credentials import StoredGrant, open_credential
from autocapture.connect.http import TOTAL
from autocapture.connector import (
    CaptureLevel,
    Connection,
    Connector,
    Credential,
    Meter,
    Tools,
)
from autocapture.errors import InputError, ReconnectNeeded, wrong_value
from autocapture.model.accounts import Account, Channel
from autocapture.model.accounts import Credential as SealedCredential
from autocapture.model.organization import User
from autocapture.store.engine import reading
from autocapture.store.rate_buckets import AccountMeter
from autocapture.workflows.grants import grant_of

_ADDRESSES = ("gmail_url", "calendar_url", "graph_url")


def open_account(app: Application, account: Account) -> AbstractContextManager[Connection]:
    """The connection of a stored account. Raises SetupError, ReconnectNeeded, and on entering what the connector raises."""
    if account.id is None:
        raise ValueError("the account has not been stored")
    with reading(app.engine) as session:
        user = session.get_one(User, account.user_id)
        stored = session.get(SealedCredential, account.id)
        meter = _meter(app, session, account.id)
    connector = app.registry.get(account.connector)
    credential = _credential(app, connector, account.id, stored)
    options = validated_options(connector, addressed(app, connector, account.options))
    level = cast(CaptureLevel, account.capture_level)
    tools = tools_for(app, user, since=account.since, level=level, meter=meter)
    return connector.open(options, credential, tools)


def tools_for(
    app: Application,
    user: User,
    *,
    since: date | None,
    level: CaptureLevel,
    meter: Meter,
    patience: timedelta = TOTAL,
) -> Tools:
    """What a connection is lent. No exchange with the provider lasts longer than `patience`."""
    return Tools(
        clock=app.clock,
        since=since,
        time_zone=user.time_zone,
        timeout=patience,
        dial_allowed=app.dial_allowed,
        level=level,
        http=partial(app.open_http, total=patience),
        meter=meter,
    )


def _credential(
    app: Application, connector: Connector[Any], account_id: int, stored: SealedCredential | None
) -> Credential:
    if connector.auth.method == "none":
        return None
    if stored is None:
        missing = "password" if connector.auth.method == "password" else "grant"
        raise ReconnectNeeded(f"account {account_id} has no {missing}; connect it again")
    credential = open_credential(app.vault, account_id, stored.sealed)
    if isinstance(credential, StoredGrant):
        return grant_of(app, account_id, credential)
    return credential


def addressed(app: Application, connector: Connector[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` with the addresses that the settings name for the connector's provider, where it has such options."""
    settings = {"google": app.settings.google, "microsoft": app.settings.microsoft}.get(
        connector.auth.provider
    )
    if settings is None:
        return dict(options)
    named = {name: getattr(settings, name) for name in _ADDRESSES if hasattr(settings, name)}
    return {**{name: url for name, url in named.items() if name in connector.options.model_fields}, **options}


def _meter(app: Application, session: Session, account_id: int) -> Meter:
    """An account whose channels have not all been enumerated once is in its first import, which can wait for the others."""
    behind = select(col(Channel.id)).where(
        col(Channel.account_id) == account_id, col(Channel.enabled), ~col(Channel.backfilled)
    )
    known = select(col(Channel.id)).where(col(Channel.account_id) == account_id)
    backfill = (
        session.exec(behind.limit(1)).first() is not None or session.exec(known.limit(1)).first() is None
    )
    return AccountMeter(app.engine, app.clock, app.settings.rate_limits, account_id, backfill=backfill)


def validated_options(connector: Connector[Any], options: Mapping[str, Any]) -> BaseModel:
    """`options` as the connector's own model. Raises InputError naming the first option that is wrong."""
    try:
        model: BaseModel = connector.options.model_validate(dict(options))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = "--" + str(first["loc"][0]).replace("_", "-") + ": " if first["loc"] else ""
        raise InputError(f"connect {connector.name}: {where}{wrong_value(first)}") from None
    return model
