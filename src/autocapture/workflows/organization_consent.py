"""An administrator's consent at Microsoft for the whole organisation, and what it really allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import jwt

from autocapture.application import Application
from autocapture.connect.oauth import Asked
from autocapture.errors import AutocaptureError, InputError
from autocapture.model.connecting import OrganizationConsent
from autocapture.store.engine import reading, writing
from autocapture.workflows.asked_consents import keep, take
from autocapture.workflows.audit import CONSENT_ANSWERED, note
from autocapture.workflows.granting import client_of
from autocapture.workflows.sign_in_sessions import new_id

PROVIDER = "microsoft"
_PURPOSE = "organisation microsoft"
NOT_AWAITED = "This answer was not awaited here, or came too late. Start again."
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What a token of the application itself says that it may do. `roles` are application permissions; `why` is empty where a
    token was given."""

    roles: tuple[str, ...] = ()
    why: str = ""


def ask(app: Application, user_id: int | None, redirect_uri: str, *, browser_id: str) -> str:
    """The address at which an administrator of the tenant consents. Raises SetupError where Microsoft is not set up."""
    connector = app.registry.get(PROVIDER)
    client_of(app, connector)
    settings = app.settings.microsoft
    state, now = new_id(), app.clock.now()
    tenant = "organizations" if settings.tenant == "common" else settings.tenant
    query = {
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": settings.whatever_was_consented,
    }
    asked = Asked("", redirect_uri, (settings.whatever_was_consented,), state, "", "")
    with writing(app.engine) as session:
        keep(session, asked, provider=_PURPOSE, browser_id=browser_id, about={"user": user_id}, now=now)
    return f"{settings.login_url}/{tenant}/v2.0/adminconsent?{urlencode(query)}"


def answered(app: Application, user_id: int | None, query: Mapping[str, str], *, browser_id: str) -> None:
    """Keeps what came back. It proves nothing: what is granted, a token tells. Raises InputError for what nobody asked for."""
    now = app.clock.now()
    with writing(app.engine) as session:
        awaited = take(session, query.get("state", ""), provider=_PURPOSE, browser_id=browser_id, now=now)
    if awaited is None or awaited.about.get("user") != user_id:
        raise InputError(NOT_AWAITED)
    given = query.get("admin_consent", "").lower() == "true" and "error" not in query
    with writing(app.engine) as session:
        session.merge(
            OrganizationConsent(
                provider=PROVIDER,
                answered_at=now,
                given=given,
                tenant=query.get("tenant", "")[:100],
                scopes=query.get("scope", "")[:_LONGEST],
                error=_word(query.get("error", "")),
            )
        )
        detail = "given" if given else "not given"
        note(session, now, CONSENT_ANSWERED, actor_id=user_id, detail=f"{PROVIDER}, {detail}")


def last_answer(app: Application) -> OrganizationConsent | None:
    with reading(app.engine) as session:
        found = session.get(OrganizationConsent, PROVIDER)
        if found is not None:
            session.expunge(found)
        return found


def try_token(app: Application) -> Tried:
    """Asks for a token of the application itself and reads its roles, for the eye alone: whom it opens, Graph decides."""
    try:
        client = client_of(app, app.registry.get(PROVIDER))
        token = client.for_organisation(app.settings.microsoft.whatever_was_consented).access_token
    except AutocaptureError as problem:
        return Tried(why=str(problem))
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return Tried(why="Microsoft gave a token that does not say what it is good for")
    roles = claims.get("roles", [])
    return Tried(tuple(sorted(str(role)[:100] for role in roles)) if isinstance(roles, list) else ())


def _word(error: str) -> str:
    """The error's name; its description may name people."""
    return error[:60] if error.replace("_", "").isalnum() and error.isascii() else ""
