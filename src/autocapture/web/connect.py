"""Connecting one's own accounts: by consent at Google or Microsoft, or with a user name and password."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.connect.credentials import open_credential
from autocapture.connect.redirects import loopback_address
from autocapture.connect.vault import VaultError
from autocapture.connector import CaptureLevel, Connector, PasswordCredential
from autocapture.errors import AutocaptureError, InputError, SetupError, TryLater, without_codes
from autocapture.model.accounts import Account, Credential
from autocapture.store.engine import reading, writing
from autocapture.web.option_fields import in_form, option_fields, typed_in
from autocapture.web.visit import App, Asked, Fields, Visit, signed_in_user, text
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.granting import Wanted, client_of, label_of
from autocapture.workflows.open_account import validated_options
from autocapture.workflows.sign_in_tries import connect_buckets
from autocapture.workflows.sign_in_tries import take as take_try
from autocapture.workflows.web_consents import TOO_MANY, answered, ask

Name = Annotated[str, Path(max_length=60)]
_LONGEST_ANSWER = 8_000
_BRINGS = {"email": "mail", "event": "calendars", "call": "calls"}
_TITLES = {"imap": "Another mailbox", "caldav": "Another calendar"}
NAMES = {"imap": "IMAP", "caldav": "CalDAV"}


def add_routes(app: FastAPI) -> None:
    @app.get("/connect")
    def choose(application: App, visit: Asked) -> Response:
        return _page(application, visit)

    @app.post("/connect/{connector}/consent")
    def consent(application: App, visit: Asked, connector: Name, fields: Fields) -> Response:
        account_id = text(fields, "account")
        found = own_account(application, visit, int(account_id)) if account_id.isdecimal() else None
        return to_consent(application, visit, connector, found)

    @app.get("/connect/{provider}/callback")
    def back(application: App, visit: Asked, provider: Name, request: Request) -> Response:
        return _back(application, visit, provider, request)

    @app.post("/connect/{connector}")
    def password(application: App, visit: Asked, connector: Name, fields: Fields) -> Response:
        return _with_password(application, visit, connector, fields)


def own_account(application: Application, visit: Visit, account_id: int) -> Account:
    """The visitor's own account of that number; for anything else there is no such page."""
    with reading(application.engine) as session:
        account = session.get(Account, account_id) if account_id < 2**31 else None
        if account is None or account.user_id != visit.user_id:
            raise HTTPException(404)
        session.expunge(account)
        return account


def to_consent(
    application: Application,
    visit: Visit,
    name: str,
    account: Account | None = None,
    level: CaptureLevel | None = None,
) -> Response:
    """On to the provider, for a new account or for one that is connected again, perhaps at another level."""
    connector = _offered(application, name, "oauth")
    provider, user = connector.auth.provider, signed_in_user(visit)
    wanted = Wanted(
        user_email=user.email,
        connector=name,
        level=level,
        account_id=None if account is None else account.id,
        start=False,
        actor_id=user.id,
    )
    try:
        url = ask(
            application,
            user,
            wanted,
            _redirect_uri(visit, provider),
            browser_id=visit.browser_id,
            source=visit.arrival.source,
        )
    except AutocaptureError as problem:
        return _refused(application, visit, problem, label_of(provider))
    label = label_of(provider)
    return visit.page("going.html", title=f"To {label}", label=label, url=url)


def sign_in_again(
    application: Application, visit: Visit, account: Account, password: str
) -> AutocaptureError | None:
    """Connects an account with another password; what was wrong, or None."""
    if _is_too_often(application, visit):
        return InputError(TOO_MANY)
    user = signed_in_user(visit)
    try:
        login = Login(
            user_email=user.email,
            connector=account.connector,
            options=account.options,
            credential=PasswordCredential(_username(application, account), password),
            start=False,
            actor_id=user.id,
        )
        connect_account(application, login)
    except AutocaptureError as problem:
        return problem
    return None


def _page(
    application: Application, visit: Visit, why: str = "", status: int = 200, given: FormData | None = None
) -> Response:
    user = signed_in_user(visit)
    return visit.page(
        "connect.html",
        status,
        title="Connect an account",
        consents=[_consent(application, visit, each) for each in _connectors(application, "oauth")],
        forms_of=[_form(each, given) for each in _connectors(application, "password")],
        of_organisation=[
            {"name": each.name, "brings": _brings(each), "scopes": ", ".join(each.auth.scopes["subject"])}
            for each in _connectors(application, "oauth", by_organisation=True)
        ],
        email=user.email,
        is_admin=user.role == "admin",
        why=why,
    )


def _connectors(
    application: Application, method: str, *, by_organisation: bool = False
) -> list[Connector[Any]]:
    """Those that somebody can connect for themselves; or that an organisation grants, and an administrator connects."""
    found = []
    for name in application.registry.names():
        try:
            connector = application.registry.get(name)
        except SetupError:
            continue  # its extra is not installed; `doctor` says so
        if connector.auth.method == method and connector.auth.by_organisation == by_organisation:
            found.append(connector)
    return sorted(found, key=lambda connector: "email" not in connector.kinds)


def _offered(application: Application, name: str, method: str) -> Connector[Any]:
    for connector in _connectors(application, method):
        if connector.name == name:
            return connector
    raise HTTPException(404)


def _consent(application: Application, visit: Visit, connector: Connector[Any]) -> dict[str, Any]:
    missing = ""
    try:
        client_of(application, connector)
    except AutocaptureError as problem:
        missing = str(problem)
    return {
        "name": connector.name,
        "label": label_of(connector.auth.provider),
        "brings": _brings(connector),
        "missing": missing,
        "redirect_uris": [_redirect_uri(visit, connector.auth.provider), loopback_address()],
    }


def _redirect_uri(visit: Visit, provider: str) -> str:
    """Where the provider sends the browser back to: one address for each, so that no answer is taken for another's."""
    return f"{visit.arrival.origin}/connect/{quote(provider, safe='')}/callback"


def _form(connector: Connector[Any], given: FormData | None) -> dict[str, Any]:
    mine = given if given is not None and given.get("connector") == connector.name else None
    typed = {} if mine is None else typed_in(connector.options, mine)
    return {
        "name": connector.name,
        "title": f"{_TITLES.get(connector.name, connector.name)} ({NAMES.get(connector.name, connector.name)})",
        "brings": _brings(connector),
        "fields": option_fields(connector.options, typed),
        "username": "" if mine is None else text(mine, "username"),
        "is_open": mine is not None,
    }


def _brings(connector: Connector[Any]) -> str:
    return " and ".join(word for kind, word in _BRINGS.items() if kind in connector.kinds)


def _back(application: Application, visit: Visit, provider: str, request: Request) -> Response:
    """A parameter that comes twice is no answer of a provider's (RFC 6749 section 3.1)."""
    query = dict(request.query_params)
    twice = len(request.query_params.multi_items()) != len(query)
    if twice or visit.is_new or len(request.url.query) > _LONGEST_ANSWER:
        query = {}
    try:
        outcome = answered(application, signed_in_user(visit), provider, query, browser_id=visit.browser_id)
    except AutocaptureError as problem:
        return _refused(application, visit, problem, label_of(provider))
    return visit.leads_to(f"/accounts/{outcome.connected.account_id}")


def _with_password(application: Application, visit: Visit, name: str, fields: FormData) -> Response:
    connector = _offered(application, name, "password")
    user, username, password = (
        signed_in_user(visit),
        text(fields, "username").strip(),
        text(fields, "password"),
    )
    given = FormData([*fields.multi_items(), ("connector", name)])
    if not username or not password:
        return _page(application, visit, "User name and password are wanted.", 422, given)
    if _is_too_often(application, visit):
        return _page(application, visit, TOO_MANY, 429, given)
    login = Login(
        user_email=user.email,
        connector=name,
        options=typed_in(connector.options, fields),
        credential=PasswordCredential(username, password),
        start=False,
        actor_id=user.id,
    )
    try:
        connected = connect_account(application, login)
    except AutocaptureError as problem:
        return _refused(application, visit, problem, NAMES.get(name, name), given)
    return visit.leads_to(f"/accounts/{connected.account_id}")


def _is_too_often(application: Application, visit: Visit) -> bool:
    with writing(application.engine) as session:
        return take_try(session, connect_buckets(visit.user_id), application.clock.now()) is not None


def _username(application: Application, account: Account) -> str:
    """The login of an account, which is sealed with its password: its subject may name the host too."""
    connector = application.registry.get(account.connector)
    host = getattr(validated_options(connector, account.options), "host", "")
    known = account.address or account.subject.removesuffix(f"@{host}")
    with reading(application.engine) as session:
        stored = session.get(Credential, account.id)
    if stored is None or account.id is None:  # disconnected
        return known
    try:
        credential = open_credential(application.vault, account.id, stored.sealed)
    except VaultError:  # the key was replaced, and that is why it is connected again
        return known
    return credential.username if isinstance(credential, PasswordCredential) else account.subject


def _refused(
    application: Application,
    visit: Visit,
    problem: AutocaptureError,
    label: str,
    given: FormData | None = None,
) -> Response:
    """Back to the choice, with what somebody can do about it. What is the administrator's to mend is in the log."""
    structlog.get_logger("autocapture.web").warning("connecting_refused", error=type(problem).__name__)
    why = in_words(problem, label, visit)
    if isinstance(problem, SetupError) and given is None and signed_in_user(visit).role != "admin":
        why = f"Connecting {label} is not set up rightly here. Tell who runs autocapture."
    status = 503 if isinstance(problem, TryLater) else 502 if isinstance(problem, SetupError) else 403
    return _page(application, visit, why, status, given)


def in_words(problem: AutocaptureError, label: str, visit: Visit) -> str:
    """A problem in sentences for who wanted to connect, and who is to mend it. Only an admin can look up its codes."""
    told = str(problem) if signed_in_user(visit).role == "admin" else without_codes(str(problem))
    said = in_form(told).rstrip(".")
    if isinstance(problem, TryLater):
        return f"{label} cannot be asked now, so nothing was connected: {said}. Try again in a minute."
    if "@" not in said.partition(" ")[0]:  # an address is told as it is written
        said = f"{said[:1].upper()}{said[1:]}"
    theirs = (
        " What is not yours to change, tell who runs autocapture." if isinstance(problem, SetupError) else ""
    )
    return f"{said}.{theirs}"
