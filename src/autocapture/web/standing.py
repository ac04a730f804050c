"""Whether an account is captured at all: pausing, resuming and disconnecting it, by its owner or by who runs the service."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import FastAPI, Path
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.accounts import Account
from autocapture.store.engine import reading
from autocapture.web.access import Reach
from autocapture.web.accounts import is_delegated, login_of
from autocapture.web.visit import App, Asked, Fields, Visit, text
from autocapture.workflows.change_scope import holds_anything
from autocapture.workflows.disconnecting import disconnect
from autocapture.workflows.granting import label_of
from autocapture.workflows.pausing import pause, resume

Id = Annotated[int, Path(ge=0, le=2**31 - 1)]


def add_routes(app: FastAPI) -> None:
    @app.post("/accounts/{account_id}/pause")
    def stop(application: App, visit: Asked, account_id: Id, _fields: Fields) -> Response:
        account = _reached(application, visit, account_id)
        with suppress(InputError):  # it is not captured any more: the page says what it is
            pause(application, account_id, actor_id=visit.user_id)
        return _back(visit, account)

    @app.post("/accounts/{account_id}/resume")
    def go_on(application: App, visit: Asked, account_id: Id, _fields: Fields) -> Response:
        account = _reached(application, visit, account_id)
        with suppress(InputError):  # somebody did so already
            resume(application, account_id, actor_id=visit.user_id)
        return _back(visit, account)

    @app.post("/accounts/{account_id}/disconnect")
    def end(application: App, visit: Asked, account_id: Id, fields: Fields) -> Response:
        account = _reached(application, visit, account_id)
        purge = {"purge": True, "keep": False}.get(text(fields, "captured"))
        if purge is None:
            return _ask(application, visit, account)
        disconnect(application, account_id, purge=purge, actor_id=visit.user_id)
        return _back(visit, account)


def _reached(application: Application, visit: Visit, account_id: int) -> Account:
    """An account of the visitor's own, or anybody's to who runs the service. What an organisation granted is theirs alone."""
    with reading(application.engine) as session:
        account = session.get(Account, account_id)
        if account is None:
            raise HTTPException(404)
        session.expunge(account)
    own = account.user_id == visit.user_id and not is_delegated(account)
    if not own and visit.reach is not Reach.ALL:
        raise HTTPException(404)
    return account


def _back(visit: Visit, account: Account) -> Response:
    """Only its owner has a page of the account."""
    return visit.leads_to(f"/accounts/{account.id}" if account.user_id == visit.user_id else "/accounts")


def _ask(application: Application, visit: Visit, account: Account) -> Response:
    """Nothing is ended by one click, and what becomes of what was captured is decided for nobody."""
    connector = application.registry.get(account.connector)
    return visit.page(
        "disconnect.html",
        title="Disconnect",
        account=account,
        login=login_of(account) or account.connector,
        label=label_of(connector.auth.provider),
        holds=holds_anything(application, account.id or 0),
        back=f"/accounts/{account.id}" if account.user_id == visit.user_id else "/accounts",
    )
