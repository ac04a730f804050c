"""Consents given in a browser that is signed in here: each question is bound to that sign-in and to one provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.errors import InputError
from autocapture.model.organization import User
from autocapture.store.engine import writing
from autocapture.workflows.asked_consents import keep, take
from autocapture.workflows.granting import Outcome, Wanted, question, refused
from autocapture.workflows.granting import answered as granted
from autocapture.workflows.sign_in_tries import provider_buckets
from autocapture.workflows.sign_in_tries import take as take_try

NOT_AWAITED = "This answer was not awaited here, or came too late, so nothing was connected. Start again."
TOO_MANY = "Those were too many tries. Wait some minutes, then try again."


def ask(
    app: Application, user: User, wanted: Wanted, redirect_uri: str, *, browser_id: str, source: str
) -> str:
    """The address at the provider to which the browser is to be sent. Raises InputError where too much is asked, SetupError where
    the provider is not set up."""
    now = app.clock.now()
    asked = question(app, wanted, redirect_uri)
    about = {
        "user": user.id,
        "connector": wanted.connector,
        "level": wanted.level,
        "account": wanted.account_id,
    }
    with writing(app.engine) as session:
        if take_try(session, provider_buckets(source), now) is not None:
            raise InputError(TOO_MANY)
        keep(
            session,
            asked,
            provider=_purpose(_provider(app, wanted)),
            browser_id=browser_id,
            about=about,
            now=now,
        )
    return asked.url


def answered(
    app: Application, user: User, provider: str, query: Mapping[str, str], *, browser_id: str
) -> Outcome:
    """The account that an answer connects. Raises InputError where nobody asked for it in this browser, and what
    `granting.answered` raises."""
    with writing(app.engine) as session:
        awaited = take(
            session,
            query.get("state", ""),
            provider=_purpose(provider),
            browser_id=browser_id,
            now=app.clock.now(),
        )
    blank = Wanted(user.email, provider, start=False, actor_id=user.id)
    if awaited is None or awaited.about.get("user") != user.id:
        refused(app, blank)
        raise InputError(NOT_AWAITED)
    return granted(app, _wanted(blank, awaited.about), query, awaited.asked)


def _wanted(blank: Wanted, about: Mapping[str, Any]) -> Wanted:
    return replace(
        blank,
        connector=str(about["connector"]),
        level=cast("CaptureLevel | None", about["level"]),
        account_id=about["account"],
    )


def _provider(app: Application, wanted: Wanted) -> str:
    return app.registry.get(wanted.connector).auth.provider


def _purpose(provider: str) -> str:
    """An answer to a question of the sign-in is none to these, though the provider and the browser be the same."""
    return f"connect {provider}"
