"""Subscriptions: Graph's promise to tell when something changes (change notifications by webhook)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from autocapture.connector import Callback, Subscription
from autocapture.errors import SetupError, Unreachable
from autocapture_microsoft.faults import Answer, Refused, fault, refuse
from autocapture_microsoft.graph import Graph, instant

LONGEST = timedelta(minutes=10_070)
"""A little less than seven days, the most that Outlook's resources are promised for."""

ONCE_LONGEST = timedelta(minutes=4_220)
"""A little less than what it was before, and what older clouds still refuse to exceed."""

SECRET_LENGTH = 128

ALL_CHANGES = "created,updated,deleted"

_METHOD = "graph.subscriptions"


def subscribe(graph: Graph, resource: str, callback: Callback, changes: str = ALL_CHANGES) -> Subscription:
    """Notices of these changes of `resource`, and of the subscription itself, which can only be asked for now. How long it
    lasts is read from the answer."""
    if len(callback.secret) > SECRET_LENGTH:
        raise SetupError(f"a subscription's secret has {SECRET_LENGTH} characters at most")
    wanted = {
        "changeType": changes,
        "notificationUrl": callback.target,
        "lifecycleNotificationUrl": callback.lifecycle or callback.target,
        "resource": resource,
        "clientState": callback.secret,
        "latestSupportedTlsVersion": "v1_2",
    }
    return _promised(_for_as_long_as_it_is_let(graph, "POST", "subscriptions", wanted))


def renew(
    graph: Graph, subscription: Subscription, resource: str, callback: Callback, changes: str = ALL_CHANGES
) -> Subscription:
    """Prolongs it, which also reauthorizes it; one that Graph has forgotten is made anew."""
    path = f"subscriptions/{subscription.id}"
    answer = _for_as_long_as_it_is_let(graph, "PATCH", path, {}, forgotten=True)
    return subscribe(graph, resource, callback, changes) if answer.status == 404 else _promised(answer)


def end(graph: Graph, subscription: Subscription) -> None:
    answer = graph.ask("DELETE", graph.address(f"subscriptions/{subscription.id}"), method=_METHOD)
    if answer.status != 404:
        refuse(answer)


def _for_as_long_as_it_is_let(
    graph: Graph, verb: str, path: str, wanted: Mapping[str, str], *, forgotten: bool = False
) -> Answer:
    now = graph.tools.clock.now()
    answer = Answer(400)
    for length in (LONGEST, ONCE_LONGEST):
        body = {**wanted, "expirationDateTime": instant(now + length)}
        answer = graph.ask(verb, graph.address(path), body=body, method=_METHOD)
        if answer.ok or (forgotten and answer.status == 404):
            return answer
        if not isinstance(fault(answer), Refused):
            break
    raise fault(answer)


def _promised(answer: Answer) -> Subscription:
    id_, until = answer.body.get("id"), answer.body.get("expirationDateTime")
    try:
        expires_at = datetime.fromisoformat(str(until))
    except ValueError:
        expires_at = None
    if not isinstance(id_, str) or not id_.replace("-", "").isalnum() or expires_at is None:
        raise Unreachable("Microsoft's answer does not say what it promised")
    aware = expires_at.replace(tzinfo=UTC) if expires_at.tzinfo is None else expires_at
    return Subscription(id_, aware.astimezone(UTC))
