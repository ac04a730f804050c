"""Correcting an activity on its page, and taking a correction back."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.corrections import Correction, Scope
from autocapture.store.engine import reading
from autocapture.web import activity
from autocapture.web.ownership import sees_activity, sight_of
from autocapture.web.visit import App, Asked, Fields, Visit, signed_in_user, text
from autocapture.workflows.correct import Saying, correct, undo

ActivityId = Annotated[int, Path(ge=0, le=2**63 - 1)]
CorrectionId = Annotated[int, Path(ge=0, le=2**31 - 1)]
_SCOPES: dict[str, Scope] = {"item": "item", "thread": "thread", "person": "person", "domain": "domain"}


def add_routes(app: FastAPI) -> None:
    @app.post("/activities/{activity_id}/correct")
    def say(application: App, visit: Asked, activity_id: ActivityId, fields: Fields) -> Response:
        return _say(application, visit, activity_id, fields)

    @app.post("/corrections/{correction_id}/undo")
    def take_back(application: App, visit: Asked, correction_id: CorrectionId, fields: Fields) -> Response:
        try:
            undone = undo(application, signed_in_user(visit).id or 0, correction_id)
        except InputError as problem:
            raise HTTPException(404) from problem
        if text(fields, "back") != "review":
            with reading(application.engine) as session:
                row = session.get_one(Correction, undone.correction_id)
                if sees_activity(session, sight_of(session, visit), row.activity_id):
                    return visit.leads_to(f"/activities/{row.activity_id}")
        return visit.leads_to("/review")


def _say(application: Application, visit: Visit, activity_id: int, fields: FormData) -> Response:
    by = signed_in_user(visit).id or 0
    with reading(application.engine) as session:
        if not sees_activity(session, sight_of(session, visit), activity_id):
            raise HTTPException(404)
    try:
        made = correct(application, by, activity_id, _saying(fields))
    except InputError as problem:
        return activity.shown(application, visit, activity_id, why=str(problem))
    with reading(application.engine) as session:
        still_seen = sees_activity(session, sight_of(session, visit), activity_id)
    if text(fields, "back") == "review" or not still_seen:
        whose = "&whose=team" if text(fields, "whose") == "team" else ""
        return visit.leads_to(f"/review?said={made.correction_id}{whose}")
    return visit.leads_to(f"/activities/{activity_id}?said={made.correction_id}")


def _saying(fields: FormData) -> Saying:
    """What a form says. Raises InputError where it says nothing."""
    answer, scope = text(fields, "answer"), _SCOPES.get(text(fields, "scope"), "item")
    handle = text(fields, "handle")
    if answer.startswith("deal:"):
        return Saying("deal", scope, deal=answer.removeprefix("deal:"), handle=handle)
    match answer:
        case "another":
            return Saying("deal", scope, deal=text(fields, "deal"), handle=handle)
        case "person":
            return Saying("person", scope, handle=handle, contact=text(fields, "contact").strip() or None)
        case "no_deal" | "not_business":
            return Saying(answer, scope, handle=handle)
        case _:
            raise InputError("say what it is about")
