"""Figures for a monitoring system on this machine, in the text format of Prometheus: numbers and states, no name, no content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from sqlmodel import Session, col, func, select
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.store.engine import reading
from autocapture.web.visit import App
from autocapture.workflows.account_health import AccountHealth, health_of

_KIND = "text/plain; version=0.0.4; charset=utf-8"


def add_routes(app: FastAPI) -> None:
    @app.get("/metrics")
    def metrics(request: Request, application: App) -> PlainTextResponse:
        """Beyond this machine there is no such page: how much mail an account gets is nobody's business."""
        if request.state.arrival.is_public:
            raise HTTPException(404)
        return PlainTextResponse("\n".join(figures(application)) + "\n", media_type=_KIND)


def figures(application: Application) -> Iterator[str]:
    """Each line of the page."""
    now = application.clock.now()
    with reading(application.engine) as session:
        accounts = list(session.exec(select(Account).order_by(col(Account.id))))
        last = _last_ok(session)
        found = health_of(session, [one.id for one in accounts if one.id is not None], now)
        states = Counter(account.state for account in accounts)
    yield "# TYPE autocapture_accounts gauge"
    for state, number in sorted(states.items()):
        yield f'autocapture_accounts{{state="{state}"}} {number}'
    yield "# TYPE autocapture_last_ok_seconds gauge"
    for account_id, at in sorted(last.items()):
        yield f'autocapture_last_ok_seconds{{account="{account_id}"}} {(now - at).total_seconds():.0f}'
    yield from _of_health(found)


def _of_health(found: dict[int, AccountHealth]) -> Iterator[str]:
    yield "# TYPE autocapture_stalled gauge"
    for account_id, health in found.items():
        yield f'autocapture_stalled{{account="{account_id}"}} {int(health.stalled)}'
    yield "# TYPE autocapture_alerts gauge"
    for account_id, health in found.items():
        yield f'autocapture_alerts{{account="{account_id}"}} {len(health.alerts)}'
    yield "# TYPE autocapture_coverage_ratio gauge"
    for account_id, health in found.items():
        if health.counted is not None:
            yield f'autocapture_coverage_ratio{{account="{account_id}"}} {health.counted.share:.6f}'
    yield "# TYPE autocapture_freshness_seconds summary"
    for account_id, health in found.items():
        if (delays := health.delays) is not None:
            for quantile, value in (("0.5", delays.p50), ("0.95", delays.p95), ("0.99", delays.p99)):
                labels = f'account="{account_id}",quantile="{quantile}"'
                yield f"autocapture_freshness_seconds{{{labels}}} {value.total_seconds():.3f}"
            yield f'autocapture_freshness_seconds_count{{account="{account_id}"}} {delays.count}'


def _last_ok(session: Session) -> dict[int, datetime]:
    rows = session.exec(
        select(Channel.account_id, func.min(Channel.last_ok_at))
        .where(col(Channel.enabled))
        .group_by(col(Channel.account_id))
    )
    return {account_id: at for account_id, at in rows if at is not None}
