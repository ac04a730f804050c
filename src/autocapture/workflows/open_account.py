"""From a stored account to an open connection: options validated, credential unsealed, tools lent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date, timedelta
from functools import partial
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from sqlalchemy import bindparam, or_, select

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
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.engine import reading
from autocapture.store.rate_buckets import AccountMeter
from autocapture.workflows.grants import grant_of

_ACCOUNT, _CHANNEL = table_of(Account), table_of(Channel)
_CREDENTIAL, _USER = table_of(SealedCredential), table_of(User)
_OF_IT = select(_CHANNEL.c.id).where(_CHANNEL.c.account_id == _ACCOUNT.c.id)
_IN_FIRST_IMPORT = or_(_OF_IT.where(_CHANNEL.c.enabled, ~_CHANNEL.c.backfilled).exists(), ~_OF_IT.exists())
"""An account whose channels have not all been enumerated once can wait for the others."""

_NEEDED = (
    select(_USER.c.time_zone, _CREDENTIAL.c.sealed, _IN_FIRST_IMPORT)
    .select_from(_ACCOUNT.join(_USER, _USER.c.id == _ACCOUNT.c.user_id))
    .outerjoin(_CREDENTIAL, _CREDENTIAL.c.account_id == _ACCOUNT.c.id)
    .where(_ACCOUNT.c.id == bindparam("of"))
)

EVERYTHING = date(1970, 1, 1)
"""The bound of an account without one, where that was kept."""

_ADDRESSES = ("gmail_url", "calendar_url", "graph_url")


def open_account(app: Application, account: Account) -> AbstractContextManager[Connection]:
    """The connection of a stored account. Raises SetupError, ReconnectNeeded, and on entering what the connector raises."""
    if account.id is None:
        raise ValueError("the account has not been stored")
    with reading(app.engine) as session:
        time_zone, sealed, backfill = rows_of(session, _NEEDED, {"of": account.id})[0]
    connector = app.registry.get(account.connector)
    credential = _credential(app, connector, account.id, sealed)
    options = validated_options(connector, addressed(app, connector, account.options))
    level = cast(CaptureLevel, account.capture_level)
    meter = AccountMeter(app.engine, app.clock, app.settings.rate_limits, account.id, backfill=backfill)
    tools = tools_for(app, time_zone, since=asked_since(account), level=level, meter=meter)
    return connector.open(options, credential, tools)


def asked_since(account: Account) -> date | None:
    """From when on a source is asked for items; None: for all. Where the bound was moved and what lies before it is kept, that
    is asked for too: what a source does not list any more would be taken for gone."""
    if account.kept_since is None:
        return account.since
    return account.kept_since if account.kept_since > EVERYTHING else None


def tools_for(
    app: Application,
    time_zone: str,
    *,
    since: date | None,
    level: CaptureLevel,
    meter: Meter,
    patience: timedelta = TOTAL,
) -> Tools:
    """What a connection is lent for somebody of this zone. No exchange with the provider lasts longer than `patience`."""
    return Tools(
        clock=app.clock,
        since=since,
        time_zone=time_zone,
        timeout=patience,
        dial_allowed=app.dial_allowed,
        level=level,
        http=partial(app.open_http, total=patience),
        meter=meter,
    )


def _credential(
    app: Application, connector: Connector[Any], account_id: int, sealed: bytes | None
) -> Credential:
    if connector.auth.method == "none":
        return None
    if sealed is None:
        missing = "password" if connector.auth.method == "password" else "grant"
        raise ReconnectNeeded(f"account {account_id} has no {missing}; connect it again")
    credential = open_credential(app.vault, account_id, sealed)
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


def validated_options(connector: Connector[Any], options: Mapping[str, Any]) -> BaseModel:
    """`options` as the connector's own model. Raises InputError naming the first option that is wrong."""
    try:
        model: BaseModel = connector.options.model_validate(dict(options))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = "--" + str(first["loc"][0]).replace("_", "-") + ": " if first["loc"] else ""
        raise InputError(f"connect {connector.name}: {where}{wrong_value(first)}") from None
    return model
