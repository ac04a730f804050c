"""One's own account: how much it holds, what of it is captured, and connecting it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any, cast

from fastapi import FastAPI, Path
from fastapi.responses import Response
from sqlmodel import col, func, select
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.errors import AutocaptureError, InputError
from autocapture.measure.period import day_within_bounds
from autocapture.model.accounts import Account, Channel, Credential
from autocapture.model.ledger import LedgerEntry
from autocapture.store.engine import reading
from autocapture.web.accounts import OUTCOMES, STATES, TONES, acts, is_delegated, login_of, proof, why_of
from autocapture.web.connect import NAMES, own_account, sign_in_again, to_consent
from autocapture.web.connect import in_words as problem_in_words
from autocapture.web.counting import Counting
from autocapture.web.visit import App, Asked, Fields, Visit, text
from autocapture.workflows.account_health import health_of
from autocapture.workflows.capture_level import LEVELS
from autocapture.workflows.change_scope import (
    Scope,
    change_scope,
    holds_anything,
    keeps_what_is_outside,
    missing_scopes,
)
from autocapture.workflows.granting import label_of, not_granted
from autocapture.workflows.preview import Preview, estimate, in_words, stored_preview

Id = Annotated[int, Path(ge=0, le=2**31 - 1)]
_BACK = (("30 days", timedelta(days=30)), ("90 days", timedelta(days=90)), ("a year", timedelta(days=365)))
_LEVELS = {
    "metadata": "Who, when and how long. No subjects.",
    "subject": "Subjects and titles too.",
    "full": "Texts of mails with people whom the CRM knows too, sealed, and what those people's signatures tell of them.",
}


def add_routes(app: FastAPI) -> None:
    counting = Counting(app.state.application)

    @app.get("/accounts/{account_id}")
    def show(
        application: App, visit: Asked, account_id: Id, done: bool = False, wait: bool = True
    ) -> Response:
        account = own_account(application, visit, account_id)
        why = counting.why_not(account_id)
        if account.counted is None and account.state == "pending" and not why:
            counting.begin(account_id)
        goes_on = counting.is_under_way(account_id)
        why = why or counting.why_not(account_id)  # of a count that ended just now
        return _page(application, visit, account_id, why, done=done, counting=goes_on, waits=wait)

    @app.post("/accounts/{account_id}/count")
    def count(application: App, visit: Asked, account_id: Id, _fields: Fields) -> Response:
        own_account(application, visit, account_id)
        counting.begin(account_id)
        return visit.leads_to(f"/accounts/{account_id}")

    @app.post("/accounts/{account_id}/scope")
    def scope(application: App, visit: Asked, account_id: Id, fields: Fields) -> Response:
        return _change(application, visit, own_account(application, visit, account_id), fields)

    @app.post("/accounts/{account_id}/password")
    def password(application: App, visit: Asked, account_id: Id, fields: Fields) -> Response:
        account = own_account(application, visit, account_id)
        if application.registry.get(account.connector).auth.method != "password":
            raise HTTPException(
                404
            )  # connecting again wakes an account, and would keep a password that opens nothing
        problem = sign_in_again(application, visit, account, text(fields, "password"))
        if problem is None:
            return visit.leads_to(f"/accounts/{account_id}")
        return _page(
            application,
            visit,
            account_id,
            problem_in_words(problem, _label(application, account), visit),
            403,
        )


def _change(application: Application, visit: Visit, account: Account, fields: FormData) -> Response:
    account_id = account.id or 0
    before = Scope.of(account)
    try:
        wanted = _wanted(account, fields)
        purge = {"purge": True, "keep": False}.get(text(fields, "captured"))
        wider = bool(missing_scopes(application, account, wanted.level))
        scope = replace(wanted, level=before.level) if wider else wanted
        if purge is None and scope.takes_away(before) and holds_anything(application, account_id):
            return _ask_what_becomes(visit, account, wanted, fields)
        change_scope(application, account_id, scope, purge=purge, start=not wider, actor_id=visit.user_id)
    except AutocaptureError as problem:
        return _page(
            application,
            visit,
            account_id,
            problem_in_words(problem, _label(application, account), visit),
            422,
        )
    if wider:
        return to_consent(application, visit, account.connector, account, wanted.level)
    return visit.leads_to(f"/accounts/{account_id}?done=1")


def _wanted(account: Account, fields: FormData) -> Scope:
    level, since = text(fields, "level"), text(fields, "since")
    if level not in LEVELS:
        raise InputError("choose how much is stored")
    try:
        start = day_within_bounds(date.fromisoformat(since)) if since else None
    except ValueError:
        raise InputError(f"{since!r} is no day") from None
    offered, chosen = (set(map(str, fields.getlist(name))) for name in ("offered", "channel"))
    if offered and not chosen:
        raise InputError("choose at least one folder or calendar")
    left_out = (frozenset(account.left_out) - offered) | (offered - chosen)
    return Scope(start, cast(CaptureLevel, level), left_out)


def _ask_what_becomes(visit: Visit, account: Account, wanted: Scope, fields: FormData) -> Response:
    """Less is to be captured than was: of what lies outside, nothing is decided for its owner."""
    given = [
        (name, value)
        for name, value in fields.multi_items()
        if name != "form_token" and isinstance(value, str)
    ]
    return visit.page(
        "less.html",
        title="Keep or purge",
        account=account,
        given=given,
        wanted=wanted,
        since=visit.reader.day(wanted.since) if wanted.since else None,
    )


def _page(
    application: Application,
    visit: Visit,
    account_id: int,
    why: str = "",
    status: int = 200,
    *,
    done: bool = False,
    counting: bool = False,
    waits: bool = False,
) -> Response:
    """`counting`: numbers are on their way; `waits`: the page asks for them again, and has no form that would be lost by that."""
    account = own_account(application, visit, account_id)
    preview, reader = stored_preview(account), visit.reader
    totals = _totals(application, account_id)
    connector = application.registry.get(account.connector)
    return visit.page(
        "account.html",
        status,
        title=login_of(account) or _label(application, account),
        login=login_of(account),
        account=account,
        label=_label(application, account),
        state=STATES.get(account.state, account.state),
        tone=TONES.get(account.state, ""),
        stands=why_of(account, visit),
        why=why,
        done=done,
        counting=counting,
        waits=counting and waits,
        last=_last(application, visit, account_id),
        proof=_proof(application, visit, account_id),
        totals=[(outcome, reader.count(totals.get(outcome, 0))) for outcome in OUTCOMES],
        levels=[(level, _LEVELS[level]) for level in LEVELS],
        counted=reader.moment_full(preview.at) if preview else None,
        table=_table(visit, account, preview) if preview else None,
        choices=list(_choices(application, visit, account, preview)) if preview else (),
        channels=_channels(application, account, preview),
        left_out=dict(preview.left_out) if preview else {},
        method=connector.auth.method,
        not_granted=_not_granted(application, account),
        keeps_more=account.state != "pending" and keeps_what_is_outside(application, account),
        is_delegated=is_delegated(account),
        acts=_acts(application, visit, account),
        today=application.clock.now().date().isoformat(),
    )


def _acts(application: Application, visit: Visit, account: Account) -> tuple[str, ...]:
    """Of one that is disconnected, what was kept, or a sign-in that a process did not live to delete, goes by the same way."""
    if account.state != "disconnected":
        return acts(account, visit)
    with reading(application.engine) as session:
        left = session.get(Credential, account.id) is not None
    return ("purge",) if left or holds_anything(application, account.id or 0) else ()


def _label(application: Application, account: Account) -> str:
    connector = application.registry.get(account.connector)
    return label_of(connector.auth.provider or NAMES.get(connector.name, connector.name))


def _not_granted(application: Application, account: Account) -> tuple[str, ...]:
    try:
        return not_granted(application, account)
    except AutocaptureError:
        return ()  # no client any more, or another key: the account's state tells that


def _totals(application: Application, account_id: int) -> dict[str, int]:
    with reading(application.engine) as session:
        counted = (
            select(LedgerEntry.outcome, func.count())
            .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
            .where(Channel.account_id == account_id)
        )
        return dict(session.exec(counted.group_by(col(LedgerEntry.outcome))).all())


def _last(application: Application, visit: Visit, account_id: int) -> str | None:
    with reading(application.engine) as session:
        last = session.exec(
            select(func.max(Channel.last_ok_at)).where(Channel.account_id == account_id)
        ).one()
    return visit.reader.moment_full(last) if last else None


def _proof(application: Application, visit: Visit, account_id: int) -> dict[str, Any]:
    with reading(application.engine) as session:
        health = health_of(session, [account_id], application.clock.now(), visit.reader.moment_full)
    return proof(health[account_id], visit)


def _table(visit: Visit, account: Account, preview: Preview) -> dict[str, Any]:
    count = visit.reader.count
    return {
        "years": preview.years,
        "rows": [
            {
                "name": each.name,
                "kind": {"email": "mail", "event": "calendar", "call": "calls"}[each.kind],
                "total": "not told" if each.total is None else count(each.total),
                "years": [
                    count(each.by_year[year]) if year in each.by_year else "" for year in preview.years
                ],
                "undated": not each.by_year and bool(each.total),
                "older": count(each.undated) if each.dated and each.undated > 0 else "",
                "about": bool(each.dated),
                "folders": [f"{name} {count(held)}" for name, held in each.folders.items()],
            }
            for each in preview.channels
        ],
    }


def _choices(
    application: Application, visit: Visit, account: Account, preview: Preview
) -> Iterable[dict[str, str]]:
    """How much comes in from how far back, and how long that takes; nothing where not everything could be counted."""
    today, limits = preview.at.date(), application.settings.rate_limits
    backs = [(label, today - back) for label, back in _BACK]
    for label, since in (*backs, ("everything", None)):
        expected = estimate(preview, since, account.left_out, limits)
        if expected.items is None:
            return
        full = estimate(preview, since, account.left_out, limits, "full")
        bound = "about" if expected.dated else "at most"
        yield {
            "label": label,
            "since": visit.reader.day(since) if since else "the beginning",
            "number": f"{bound} {visit.reader.count(expected.items)}",
            "lasts": in_words(expected),
            "with_texts": in_words(full) if full != expected else "",
        }


def _channels(application: Application, account: Account, preview: Preview | None) -> list[dict[str, Any]]:
    """Every channel that is known, from the last count or from captures, with whether it is captured."""
    with reading(application.engine) as session:
        stored = session.exec(
            select(Channel).where(Channel.account_id == account.id).order_by(col(Channel.name))
        ).all()
        known = {
            channel.source_id: channel.name
            for channel in stored
            if channel.enabled or channel.source_id in account.left_out
        }
    if preview is not None:
        known = {each.id: each.name for each in preview.channels} | known
    return [
        {"id": source_id, "name": name, "chosen": source_id not in account.left_out}
        for source_id, name in known.items()
    ]
