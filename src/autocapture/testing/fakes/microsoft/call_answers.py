"""What Graph answers about call records: an application's business, of the whole organisation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Json, Request, Response
from autocapture.testing.fakes.microsoft.mail_answers import DENIED, NOT_FOUND
from autocapture.testing.fakes.microsoft.session import Session

_STARTED = re.compile(r"startDateTime ge (\S+)")
_PERSON = re.compile(r"participants_v2/any\(p:p/id eq '([^']+)'\)")
_LISTED = ("id", "version", "type", "modalities", "lastModifiedDateTime", "startDateTime", "endDateTime")


_KEPT_FOR = timedelta(days=30)


def kept(records: Mapping[str, Json], now: datetime) -> dict[str, Json]:
    """Those that are told of: older ones are neither listed nor found."""
    return {
        id_: each
        for id_, each in records.items()
        if now - datetime.fromisoformat(each["endDateTime"]) <= _KEPT_FOR
    }


def answer_calls(
    session: Session, records: Mapping[str, Json], request: Request, rest: Sequence[str]
) -> Response:
    """`records` have `participants`, the object ids of who took part, besides what Graph tells."""
    if not session.login.is_application or "CallRecords.Read.All" not in session.login.scopes:
        return DENIED
    match list(rest):
        case []:
            return _listed(records, request)
        case [id_] if id_ in records:
            session.step()
            told = {name: value for name, value in records[id_].items() if name != "participants"}
            if request.query.get("$expand") != "sessions":
                told.pop("sessions", None)
            return Response(200, told)
        case [_]:
            return NOT_FOUND
        case _:
            return refusal(400, "BadRequest", "Resource not found for the segment.")


def _listed(records: Mapping[str, Json], request: Request) -> Response:
    wanted = request.query.get("$filter", "")
    found = list(records.values())
    if bound := _STARTED.search(wanted):
        first = datetime.fromisoformat(bound[1])
        found = [each for each in found if datetime.fromisoformat(each["startDateTime"]) >= first]
    if person := _PERSON.search(wanted):
        found = [each for each in found if person[1] in each["participants"]]
    skip, size = int(request.query.get("$skiptoken", 0)), request.page_size(60)
    page = [{name: each.get(name) for name in _LISTED} for each in found[skip : skip + size]]
    body: Json = {"value": page}
    if len(found) > skip + size:
        path, _, query = request.target.partition("?")
        kept = "&".join(part for part in query.split("&") if "skiptoken" not in part)
        body["@odata.nextLink"] = f"{request.root}{path}?{kept}&$skiptoken={skip + size}"
    return Response(200, body)
