"""The contacts and companies that autocapture created, and taking them back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.responses import Response
from starlette.datastructures import FormData

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.created import LEFT, TAKEN_OVER, UNDONE
from autocapture.report.wording import count
from autocapture.store.engine import reading
from autocapture.web.access import ROUTES, Reach
from autocapture.web.ownership import sight_of
from autocapture.web.visit import App, Asked, Fields, Visit, signed_in_user, text
from autocapture.workflows.contact_listings import batches, made_page
from autocapture.workflows.taking_back import TakenBack, take_back, take_back_batch

PER_PAGE = 50
_MOST_BATCHES = 12
_ENDED = {
    UNDONE: "taken back",
    TAKEN_OVER: "taken over by the CRM",
    LEFT: "gone with what it came of",
}
BatchNumber = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


def add_routes(app: FastAPI) -> None:
    @app.get("/contacts")
    def created(
        application: App,
        visit: Asked,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        batch: BatchNumber = None,
        ended: bool = False,
    ) -> Response:
        return _page(application, visit, number=page, batch=batch, ended=ended)

    @app.post("/contacts/undo")
    def undo(application: App, visit: Asked, fields: Fields) -> Response:
        return _undo(application, visit, fields)


def _page(
    application: Application,
    visit: Visit,
    status: int = 200,
    *,
    number: int = 1,
    batch: int | None = None,
    ended: bool = False,
    why: str = "",
    done: str = "",
) -> Response:
    user = signed_in_user(visit)
    with reading(application.engine) as session:
        people = sight_of(session, visit).people
    rows, total = made_page(
        application, people, batch=batch, ended=ended, start=(number - 1) * PER_PAGE, most=PER_PAGE
    )
    undoes = ROUTES["POST", "/contacts/undo"].reach(user.role) is not Reach.NOTHING
    listed = batches(application)[::-1][:_MOST_BATCHES] if visit.reach is Reach.ALL else []
    kept = f"&batch={batch}" if batch is not None else ""
    kept += "&ended=true" if ended else ""
    return visit.page(
        "contacts.html",
        status,
        title="Contacts",
        rows=[_row(row, visit) for row in rows],
        headline=_headline(total, batch),
        total=total,
        undoes=undoes and any(row["ended"] is None for row in rows),
        batches=[_batch(each, visit) for each in listed],
        batch=batch,
        ended=ended,
        newer=f"/contacts?page={number - 1}{kept}" if number > 1 else "",
        older=f"/contacts?page={number + 1}{kept}" if total > number * PER_PAGE else "",
        why=why,
        done=done,
    )


def _headline(total: int, batch: int | None) -> str:
    where = "" if batch is None else f" in batch {batch}"
    if not total:
        return f"Nothing created{where}"
    return f"{count(total, 'contact or company', 'contacts and companies')} created{where}"


def _row(row: dict[str, Any], visit: Visit) -> dict[str, Any]:
    day = visit.reader.day(row["created_at"].astimezone(visit.reader.zone).date())
    return {**row, "when": day, "ended": _ENDED.get(row["ended"], "") if row["ended"] else ""}


def _batch(batch: dict[str, Any], visit: Visit) -> dict[str, Any]:
    day = visit.reader.day(batch["created_at"].astimezone(visit.reader.zone).date())
    return {**batch, "when": day, "left": batch["contacts"] + batch["companies"]}


def _undo(application: Application, visit: Visit, fields: FormData) -> Response:
    """Asks once, and does it once that was answered."""
    batch = int(found) if (found := text(fields, "batch")).isascii() and found.isdigit() else None
    values = [each for each in fields.getlist("value") if isinstance(each, str)]
    if batch is None and not values:
        return _page(application, visit, 422, why="tick those that are to be taken back")
    if text(fields, "sure") != "yes":
        return visit.page("contacts_undo.html", title="Take back", values=values, batch=batch)
    try:
        taken = take_back(application, values) if batch is None else take_back_batch(application, batch)
    except InputError as problem:
        return _page(application, visit, 422, why=str(problem))
    return _page(application, visit, done=_told(taken))


def _told(taken: TakenBack) -> str:
    people = count(taken.contacts, "contact", "contacts")
    companies = count(taken.companies, "company", "companies")
    moved = count(taken.rematched, "activity is", "activities are")
    kept = f" Kept, since something else refers to them: {', '.join(taken.kept)}." if taken.kept else ""
    return f"{people} and {companies} taken back; {moved} matched differently now.{kept}"
