"""Our people, for admins: who can sign in, and letting them in or out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from fastapi.responses import Response

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.organization import User
from autocapture.report.smtp import SENT
from autocapture.store.engine import reading
from autocapture.web.visit import App, Asked, Fields, Visit
from autocapture.workflows.audit import recent
from autocapture.workflows.invitation_mails import ask_for_invitations
from autocapture.workflows.invitations import Invitation, can_mail, invite, users_to_invite
from autocapture.workflows.people_access import Access, list_access, set_active, sign_out_everywhere

UserId = Annotated[int, Path(ge=0, le=2**31 - 1)]
_TOLD = 15


def add_routes(app: FastAPI) -> None:
    @app.get("/users")
    def users(application: App, visit: Asked, asked: Annotated[int, Query(ge=0)] = 0) -> Response:
        return _page(application, visit, asked=asked)

    @app.post("/users/invite")
    def invite_all(application: App, visit: Asked, _fields: Fields) -> Response:
        return _invite(application, visit, users_to_invite(application, None))

    @app.post("/users/{user_id}/invite")
    def invite_one(application: App, visit: Asked, user_id: UserId, _fields: Fields) -> Response:
        with reading(application.engine) as session:
            user = session.get(User, user_id)
            session.expunge_all()
        return _invite(application, visit, [] if user is None else [user])

    @app.post("/users/{user_id}/disable")
    def disable(application: App, visit: Asked, user_id: UserId, _fields: Fields) -> Response:
        return _set_active(application, visit, user_id, False)

    @app.post("/users/{user_id}/enable")
    def enable(application: App, visit: Asked, user_id: UserId, _fields: Fields) -> Response:
        return _set_active(application, visit, user_id, True)

    @app.post("/users/{user_id}/sign-out")
    def sign_out(application: App, visit: Asked, user_id: UserId, _fields: Fields) -> Response:
        sign_out_everywhere(application, user_id, actor_id=visit.user_id)
        return visit.leads_to("/users")

    @app.post("/users/sign-out")
    def sign_out_all(application: App, visit: Asked, _fields: Fields) -> Response:
        sign_out_everywhere(application, None, actor_id=visit.user_id)
        return visit.leads_to("/sign-in")


def _page(application: Application, visit: Visit, status: int = 200, why: str = "", **told: Any) -> Response:
    people = list_access(application)
    return visit.page(
        "users.html",
        status,
        title="Users",
        people=[_person(one, visit) for one in people],
        waiting=sum(one.lacks_invitation for one in people),
        events=[(visit.reader.moment_full(event.at), event) for event in recent(application, _TOLD)],
        asked=told.get("asked", 0),
        invitations=told.get("invitations", []),
        until=visit.reader.moment_full,
        why=why,
    )


def _person(one: Access, visit: Visit) -> dict[str, Any]:
    told = visit.reader.moment_full
    return {
        "access": one,
        "is_me": one.user_id == visit.user_id,
        "invited": told(one.invited_until) if one.invited_until else None,
        "is_mailed": one.is_mailed,
        "mail": one.mail if one.mail is not None and one.mail.state != SENT else None,
        "last": told(one.last_sign_in) if one.last_sign_in else None,
    }


def _invite(application: Application, visit: Visit, users: list[User]) -> Response:
    """Where mail can be sent, it is sent once the page is there: a server may take a minute for each. Else links are told."""
    made: list[Invitation] = []
    try:
        if can_mail(application):
            ask_for_invitations(application, users, actor_id=visit.user_id)
            return visit.leads_to(f"/users?asked={len(users)}")
        for user in users:
            made.append(invite(application, user, actor_id=visit.user_id))
    except InputError as problem:
        return _page(application, visit, 422, str(problem), invitations=made)
    return _page(application, visit, invitations=made)


def _set_active(application: Application, visit: Visit, user_id: int, active: bool) -> Response:
    try:
        set_active(application, user_id, active, actor_id=visit.user_id)
    except InputError as problem:
        return _page(application, visit, 422, str(problem))
    return visit.leads_to("/users")
