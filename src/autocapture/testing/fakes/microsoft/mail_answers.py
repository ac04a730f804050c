"""What Graph answers about mail folders and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.delta import Place, answer
from autocapture.testing.fakes.microsoft.http import Json, Request, Response
from autocapture.testing.fakes.microsoft.mailbox import FakeMailbox, Folder, Message
from autocapture.testing.fakes.microsoft.session import Login, Session

NOT_FOUND = refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
UNKNOWN = refusal(400, "BadRequest", "Resource not found for the segment.")
DENIED = refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")

_BODIES = frozenset({"body", "bodyPreview", "uniqueBody"})
_ONLY_WHERE_ASKED = frozenset({"internetMessageHeaders", "uniqueBody"})
_KNOWN = frozenset(
    {
        "id", "internetMessageId", "conversationId", "conversationIndex", "subject", "from", "sender", "toRecipients",
        "ccRecipients", "bccRecipients", "replyTo", "sentDateTime", "receivedDateTime", "isDraft", "isRead", "hasAttachments",
        "importance", "body", "bodyPreview", "uniqueBody", "internetMessageHeaders", "parentFolderId", "changeKey", "flag",
        "createdDateTime", "lastModifiedDateTime", "categories",
    }
)  # fmt: skip
_RECEIVED = re.compile(r"receivedDateTime (ge|gt|lt|le) (\S+?)(?: and |$)")
_MOST_WITH_A_FILTER = 5_000


def answer_mail(session: Session, mailbox: FakeMailbox, request: Request, rest: Sequence[str]) -> Response:
    """`rest` is the path below the mailbox."""
    login = session.login
    if not login.reads("mail"):
        return DENIED
    selected = _selected(request)
    if isinstance(selected, Response):
        return selected
    if _BODIES & set(selected) and not login.reads_whole("mail"):
        return DENIED
    match list(rest):
        case ["mailFolders"]:
            return _folders(mailbox, request, None)
        case ["mailFolders", folder]:
            found = _folder(mailbox, folder)
            return NOT_FOUND if found is None else Response(200, _folder_told(mailbox, found))
        case ["mailFolders", folder, "childFolders"]:
            found = _folder(mailbox, folder)
            return NOT_FOUND if found is None else _folders(mailbox, request, found.id)
        case ["mailFolders", folder, "messages", *more]:
            found = _folder(mailbox, folder)
            if found is None:
                return NOT_FOUND
            if more == ["delta"]:
                place = _place(mailbox, found, request, login)
                asked = {"select": selected, "since": request.query.get("$filter", "")}
                return answer(place, request, session.links, session.root, asked, session.step)
            if more:
                return UNKNOWN
            return _messages(mailbox, found, request, selected, login)
        case ["messages", id_]:
            message = mailbox.find(id_, immutable=request.prefers("ImmutableId"))
            if message is None:
                return NOT_FOUND
            return Response(200, _message_told(message, request, selected, login))
        case _:
            return refusal(400, "BadRequest", "Resource not found for the segment.")


def _folder(mailbox: FakeMailbox, name: str) -> Folder | None:
    try:
        return mailbox.folders[mailbox.folder_id(name)]
    except KeyError:
        return None


def _folders(mailbox: FakeMailbox, request: Request, parent: str | None) -> Response:
    """By pages of `$top`, as Graph does."""
    found = [each for each in mailbox.folders.values() if each.parent == parent]
    return paged(request, [_folder_told(mailbox, each) for each in found])


def _folder_told(mailbox: FakeMailbox, folder: Folder) -> Json:
    return {
        "@odata.type": folder.kind,
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent or "AQMkRoot==",
        "childFolderCount": sum(each.parent == folder.id for each in mailbox.folders.values()),
        "totalItemCount": len(mailbox.in_folder(folder.id)),
        "unreadItemCount": 0,
    }


def paged(request: Request, values: Sequence[Json], default: int = 10) -> Response:
    size, skip = int(request.query.get("$top", default)), int(request.query.get("$skip", 0))
    body: Json = {"value": list(values[skip : skip + size])}
    if request.query.get("$count") == "true":
        body["@odata.count"] = len(values)
    if len(values) > skip + size:
        path, _, query = request.target.partition("?")
        kept = "&".join(
            part for part in query.split("&") if part and not part.startswith(("$skip", "%24skip"))
        )
        body["@odata.nextLink"] = f"{request.root}{path}?{kept}&$skip={skip + size}"
    return Response(200, body)


def _selected(request: Request) -> tuple[str, ...] | Response:
    names = tuple(name for name in request.query.get("$select", "").split(",") if name)
    unknown = [name for name in names if name not in _KNOWN]
    if unknown and "messages" in request.path:
        return refusal(400, "RequestBroker--ParseUri", f"Could not find a property named '{unknown[0]}'.")
    return names


def _messages(
    mailbox: FakeMailbox, folder: Folder, request: Request, selected: Sequence[str], login: Login
) -> Response:
    found = sorted(mailbox.in_folder(folder.id), key=_received, reverse=True)
    for operator, literal in _RECEIVED.findall(request.query.get("$filter", "")):
        bound = datetime.fromisoformat(literal)
        found = [each for each in found if _holds(_received(each), operator, bound)]
    return paged(request, [_message_told(each, request, selected, login) for each in found])


def _holds(moment: datetime, operator: str, bound: datetime) -> bool:
    return {"ge": moment >= bound, "gt": moment > bound, "lt": moment < bound, "le": moment <= bound}[
        operator
    ]


def _received(message: Message) -> datetime:
    return datetime.fromisoformat(message.told["receivedDateTime"]).astimezone(UTC)


def _place(mailbox: FakeMailbox, folder: Folder, request: Request, login: Login) -> Place:
    """Newest first. With a filter no more than 5,000 messages are told of, the newest."""

    def listing(asked: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        keys = sorted((-_received(each).timestamp(), each.id) for each in mailbox.in_folder(folder.id))
        return keys[:_MOST_WITH_A_FILTER] if asked["since"] else keys

    def told(id_: str, partial: bool, asked: Mapping[str, Any]) -> Iterable[Json]:
        message = mailbox.find(id_, immutable=True)
        if message is None or message.folder != folder.id:
            return
        whole = _message_told(message, request, asked["select"], login)
        if partial:
            yield {"id": whole["id"], "isRead": message.told.get("isRead"), "parentFolderId": folder.id}
        else:
            yield whole

    return Place(folder.id, mailbox.log, listing, told)


def _message_told(message: Message, request: Request, selected: Sequence[str], login: Login) -> Json:
    """Without a selection all but what must be asked for; texts only for those who may read them."""
    whole = {**message.told, "parentFolderId": message.folder, "changeKey": f"key{message.changes}"}
    names = [name for name in selected if name != "id"] or [
        name
        for name in whole
        if name not in _ONLY_WHERE_ASKED and (name not in _BODIES or login.reads_whole("mail"))
    ]
    body = message.told.get("body")
    told = {name: whole[name] for name in names if name in whole}
    if "body" in told and request.prefers('outlook.body-content-type="text"') and isinstance(body, dict):
        plain = re.sub(r"<[^>]+>", "", str(body["content"]))
        told["body"] = {"contentType": "text", "content": plain}
    immutable = request.prefers('IdType="ImmutableId"')
    etag, kind = f'W/"key{message.changes}"', message.told.get("@odata.type", "#microsoft.graph.message")
    return {
        "@odata.type": kind,
        "@odata.etag": etag,
        "id": message.id if immutable else message.passing_id,
        **told,
    }
