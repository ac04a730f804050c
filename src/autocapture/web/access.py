"""Who may ask for what: one table of routes, roles and whose data they reach. A route without a row is refused at the start.

A row says how far somebody of a role reaches on that route; which rows of the database that is, `web.ownership` knows. What
is not reached does not exist for who asks: the answer is the one for an address that was written down wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from starlette.routing import BaseRoute, Mount, Route

from autocapture.model.organization import ROLES


class Reach(IntEnum):
    """How far somebody sees. Each reaches what the one before it does, and more."""

    NOTHING = 0
    OWN = 1  # what is their own
    TEAM = 2  # and what is of the people and teams that they lead, as long as they lead any
    ALL = 3


@dataclass(frozen=True, slots=True)
class Row:
    """`anyone`: without sign-in, and the same for everybody. `at_first`: to everybody on this machine, and everything, until
    the first person can sign in."""

    rep: Reach = Reach.NOTHING
    manager: Reach = Reach.NOTHING
    ops: Reach = Reach.NOTHING
    admin: Reach = Reach.NOTHING
    anyone: bool = False
    at_first: bool = False

    def reach(self, role: str) -> Reach:
        found: Reach = getattr(self, role) if role in ROLES else Reach.NOTHING
        return found


_ANYONE = Row(anyone=True)
_THEMSELVES = Row(rep=Reach.OWN, manager=Reach.OWN, ops=Reach.OWN, admin=Reach.OWN)
_LED = Row(rep=Reach.TEAM, manager=Reach.TEAM, ops=Reach.TEAM, admin=Reach.TEAM, at_first=True)
"""By whom one leads, not by role: whoever leads reps is mailed of them, and the links of the mail must open."""
_HEALTH = Row(rep=Reach.OWN, manager=Reach.TEAM, ops=Reach.ALL, admin=Reach.ALL, at_first=True)
_RUN = Row(rep=Reach.OWN, manager=Reach.OWN, ops=Reach.ALL, admin=Reach.ALL)
"""Whether an account is captured at all is its owner's, and theirs who run the service."""
_SPEAK = Row(rep=Reach.TEAM, manager=Reach.TEAM, ops=Reach.TEAM, admin=Reach.TEAM)
"""What was matched is corrected by who took part, and by whom they are led."""
_CREATED = Row(rep=Reach.OWN, manager=Reach.TEAM, ops=Reach.ALL, admin=Reach.ALL)
"""Created contacts are the organisation's, as the CRM's are; those who sell see those with whom they or theirs had to do."""
_UNDO = Row(ops=Reach.ALL, admin=Reach.ALL)
"""What is taken back is taken back for everybody, and for good."""
_ADMINS = Row(admin=Reach.ALL)

ROUTES: Mapping[tuple[str, str], Row] = {
    ("GET", "/static"): _ANYONE,
    ("GET", "/livez"): _ANYONE,
    ("GET", "/readyz"): _ANYONE,
    ("GET", "/metrics"): _ANYONE,
    ("GET", "/sign-in"): _ANYONE,
    ("POST", "/sign-in"): _ANYONE,
    ("GET", "/forgotten"): _ANYONE,
    ("POST", "/forgotten"): _ANYONE,
    ("GET", "/link/{token}"): _ANYONE,
    ("POST", "/link/{token}"): _ANYONE,
    ("POST", "/link/{token}/with/{provider}"): _ANYONE,
    ("POST", "/sign-in/with/{provider}"): _ANYONE,
    ("GET", "/sign-in/{provider}/callback"): _ANYONE,
    ("POST", "/notices/microsoft"): _ANYONE,
    ("POST", "/notices/google/calendar"): _ANYONE,
    ("POST", "/notices/google/mail"): _ANYONE,
    ("GET", "/"): _HEALTH,
    ("GET", "/summary/{team}/{week}"): _LED,
    ("GET", "/n/{publication}/{metric}/{cell}"): _LED,
    ("GET", "/activities"): _THEMSELVES,
    ("GET", "/activities/{activity_id}"): _LED,
    ("POST", "/activities/{activity_id}/correct"): _SPEAK,
    ("POST", "/corrections/{correction_id}/undo"): _SPEAK,
    ("GET", "/review"): _SPEAK,
    ("GET", "/why"): _THEMSELVES,
    ("GET", "/contacts"): _CREATED,
    ("POST", "/contacts/undo"): _UNDO,
    ("GET", "/accounts"): _HEALTH,
    ("GET", "/accounts/{account_id}"): _THEMSELVES,
    ("POST", "/accounts/{account_id}/scope"): _THEMSELVES,
    ("POST", "/accounts/{account_id}/count"): _THEMSELVES,
    ("POST", "/accounts/{account_id}/password"): _THEMSELVES,
    ("POST", "/accounts/{account_id}/pause"): _RUN,
    ("POST", "/accounts/{account_id}/resume"): _RUN,
    ("POST", "/accounts/{account_id}/disconnect"): _RUN,
    ("GET", "/connect"): _THEMSELVES,
    ("POST", "/connect/{connector}"): _THEMSELVES,
    ("POST", "/connect/{connector}/consent"): _THEMSELVES,
    ("GET", "/connect/{provider}/callback"): _THEMSELVES,
    ("GET", "/admin/microsoft"): _ADMINS,
    ("POST", "/admin/microsoft/consent"): _ADMINS,
    ("POST", "/admin/microsoft/try"): _ADMINS,
    ("GET", "/admin/microsoft/callback"): _ADMINS,
    ("GET", "/me"): _THEMSELVES,
    ("POST", "/me/password"): _THEMSELVES,
    ("POST", "/me/sign-out-everywhere"): _THEMSELVES,
    ("POST", "/sign-out"): _THEMSELVES,
    ("GET", "/users"): _ADMINS,
    ("POST", "/users/invite"): _ADMINS,
    ("POST", "/users/{user_id}/invite"): _ADMINS,
    ("POST", "/users/{user_id}/disable"): _ADMINS,
    ("POST", "/users/{user_id}/enable"): _ADMINS,
    ("POST", "/users/{user_id}/sign-out"): _ADMINS,
    ("POST", "/users/sign-out"): _ADMINS,
}


def addresses(routes: Iterable[BaseRoute]) -> Iterable[tuple[str, str]]:
    """Method and path of every route, as the table names them. HEAD is answered as GET. Raises TypeError for a kind of route
    that the table cannot name."""
    for route in routes:
        if isinstance(route, Mount):
            yield ("GET", route.path)
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in sorted(route.methods or ()) if method != "HEAD")
        else:
            raise TypeError(f"{type(route).__name__} has no row in the table of access")


def assert_complete(routes: Iterable[BaseRoute]) -> None:
    """Raises LookupError for a route that nobody said who may ask for."""
    missing = [f"{method} {path}" for method, path in addresses(routes) if (method, path) not in ROUTES]
    if missing:
        raise LookupError(f"no row in the table of access: {', '.join(missing)}")
