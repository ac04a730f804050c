"""One user's Gmail: messages with labels, a change feed that forgets, and the refusals of a token that may see headers alone."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from autocapture.testing.fakes.google.answers import Json, Query, Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYSTEM_LABELS = ("INBOX", "SENT", "UNREAD", "DRAFT", "SPAM", "TRASH", "CHAT", "STARRED")
_HIDDEN = {"SPAM", "TRASH"}


@dataclass(slots=True)
class Message:
    """`faulty`: "" for a message that can be read; "fails" for one that the server fails at; "empty" for one of which it gives
    no headers."""

    id: str
    thread: str
    received_at: datetime
    headers: list[tuple[str, str]]
    labels: set[str]
    text: str = ""
    html: str = ""
    faulty: str = ""

    @property
    def internal_date(self) -> int:
        return (self.received_at - EPOCH) // timedelta(milliseconds=1)

    def brief(self) -> Json:
        return {"id": self.id, "threadId": self.thread, "labelIds": sorted(self.labels)}


@dataclass(slots=True)
class Mailbox:
    """`step` is called at places within a request where the world may change."""

    address: str
    step: Callable[[], None]
    messages: dict[str, Message] = field(default_factory=dict)
    history: list[tuple[int, str, Json]] = field(default_factory=list)
    """(id, kind, record), ascending. A record of kind "other" is of no type that can be asked for."""
    history_id: int = 98
    remembered_from: int = 0
    watched: str = ""
    by_date: bool = True
    """Whether messages are listed newest first, as Gmail does without promising it; else by their ids."""
    _ids: itertools.count[int] = field(
        default_factory=lambda: itertools.count(0x18C0000000000000, 0x1_0000_1)
    )

    # what a person or a mail program does

    def receive(
        self,
        headers: list[tuple[str, str]],
        received_at: datetime,
        *,
        labels: set[str] | None = None,
        text: str = "",
        html: str = "",
        faulty: str = "",
    ) -> Message:
        id_ = f"{next(self._ids):x}"
        message = Message(id_, id_, received_at, headers, labels or {"INBOX", "UNREAD"}, text, html, faulty)
        self.messages[id_] = message
        self._note("messageAdded", "messagesAdded", message)
        return message

    def delete(self, id_: str) -> None:
        self._note("messageDeleted", "messagesDeleted", self.messages.pop(id_))

    def label(self, id_: str, *labels: str) -> None:
        message = self.messages[id_]
        message.labels.update(labels)
        self._note("labelAdded", "labelsAdded", message, labels)

    def unlabel(self, id_: str, *labels: str) -> None:
        message = self.messages[id_]
        message.labels.difference_update(labels)
        self._note("labelRemoved", "labelsRemoved", message, labels)

    def forget_history(self) -> None:
        """As after a week: every id given out so far is too old, that of now too."""
        self.history_id += 7
        self.remembered_from = self.history_id
        self.history.clear()

    def _note(self, kind: str, key: str, message: Message, labels: tuple[str, ...] = ()) -> None:
        """Ids grow by uneven steps and soon have one digit more. Now and then changes of other kinds follow."""
        self.history_id += 1 + self.history_id % 5
        entry: Json = {"message": message.brief()}
        if labels:
            entry["labelIds"] = list(labels)
        record: Json = {
            "id": str(self.history_id),
            "messages": [{"id": message.id, "threadId": message.thread}],
            key: [entry],
        }
        self.history.append((self.history_id, kind, record))
        if self.history_id % 3 == 0:
            for _ in range(3):
                self.history_id += 2
                self.history.append((self.history_id, "other", {}))

    # what the service answers

    def get_profile(self) -> Json:
        self.step()
        return {
            "emailAddress": self.address,
            "messagesTotal": len(self.messages),
            "threadsTotal": len({message.thread for message in self.messages.values()}),
            "historyId": str(self.history_id),
        }

    def list_messages(self, query: Query, *, metadata_only: bool) -> Json:
        if metadata_only and query.has("q"):
            raise Refusal(403, "forbidden", "Metadata scope does not support 'q' parameter")
        wanted = set(query.all("labelIds"))
        hidden = set() if query.flag("includeSpamTrash") or wanted & _HIDDEN else _HIDDEN
        after = _decoded(query.one("pageToken"))
        most = query.number("maxResults", 100, 500)
        self.step()
        listed = sorted(
            (
                message
                for message in self.messages.values()
                if wanted <= message.labels and not message.labels & hidden
            ),
            key=self._order,
        )
        if after:
            date, _, id_ = after.partition("/")
            listed = [message for message in listed if self._order(message) > (int(date), id_)]
        page = listed[:most]
        answer: Json = {"resultSizeEstimate": len(listed)}
        if page:
            answer["messages"] = [{"id": each.id, "threadId": each.thread} for each in page]
        if len(listed) > most and page:
            answer["nextPageToken"] = _encoded(f"{self._order(page[-1])[0]}/{page[-1].id}")
        self.step()
        return answer

    def _order(self, message: Message) -> tuple[int, str]:
        return -message.internal_date if self.by_date else 0, message.id

    def get_message(self, id_: str, query: Query, *, metadata_only: bool) -> Json:
        asked = query.one("format", "full").upper()
        if metadata_only and asked in ("FULL", "RAW"):
            raise Refusal(403, "forbidden", f"Metadata scope doesn't allow format {asked}")
        if not id_ or not all(letter in "0123456789abcdef" for letter in id_):
            raise Refusal(400, "invalidArgument", "Invalid id value")
        self.step()
        message = self.messages.get(id_)
        if message is None:
            raise Refusal(404, "notFound", "Requested entity was not found.")
        if message.faulty == "fails":
            raise Refusal(500, "backendError", "Internal error encountered.")
        answer = message.brief() | {
            "sizeEstimate": 1_000 + len(message.text),
            "historyId": str(self.history_id),
            "internalDate": str(message.internal_date),
        }
        if asked != "MINIMAL":
            names = {name.lower() for name in query.all("metadataHeaders")} if asked == "METADATA" else set()
            answer["payload"] = _payload(message, names, whole=asked == "FULL")
        return answer

    def list_history(self, query: Query) -> Json:
        start = query.one("startHistoryId")
        if not start.isascii() or not start.isdigit() or len(start) > 20:
            raise Refusal(400, "invalidArgument", "Invalid startHistoryId")
        self.step()
        if int(start) < self.remembered_from:
            raise Refusal(404, "notFound", "Requested entity was not found.")
        after = int(start)
        if token := _decoded(query.one("pageToken")):
            begun, _, reached = token.partition("/")
            if begun != start:
                raise Refusal(400, "invalidArgument", "Invalid pageToken")
            after = int(reached)
        kinds = set(query.all("historyTypes")) or {
            "messageAdded",
            "messageDeleted",
            "labelAdded",
            "labelRemoved",
        }
        most = query.number("maxResults", 100, 500)
        looked_at = [entry for entry in self.history if entry[0] > after]
        page, more = looked_at[:most], len(looked_at) > most
        records = [record for _, kind, record in page if kind in kinds]
        answer: Json = {"historyId": str(self.history_id)}
        if records:
            answer["history"] = records
        if more:
            answer["nextPageToken"] = _encoded(f"{start}/{page[-1][0]}")
        self.step()
        return answer

    def list_labels(self) -> Json:
        return {"labels": [{"id": name, "name": name, "type": "system"} for name in SYSTEM_LABELS]}

    def get_label(self, name: str) -> Json:
        if name not in SYSTEM_LABELS:
            raise Refusal(404, "notFound", "Not Found")
        total = sum(name in message.labels for message in self.messages.values())
        return {"id": name, "name": name, "type": "system", "messagesTotal": total}

    def watch(self, body: Json, now: datetime) -> Json:
        if not str(body.get("topicName", "")).startswith("projects/"):
            raise Refusal(400, "invalidArgument", "Invalid topicName")
        self.watched = body["topicName"]
        expires = now + timedelta(days=7)
        return {
            "historyId": str(self.history_id),
            "expiration": str((expires - EPOCH) // timedelta(milliseconds=1)),
        }

    def stop(self) -> None:
        self.watched = ""


def _payload(message: Message, names: set[str], *, whole: bool) -> Json:
    """The root part. With its texts: a multipart of what there is of them."""
    if message.faulty == "empty":
        return {"partId": ""}
    headers = [
        {"name": name, "value": value}
        for name, value in message.headers
        if not names or name.lower() in names
    ]
    if not whole:
        return {"partId": "", "headers": headers}
    parts = [
        _part(str(number), kind, text)
        for number, (kind, text) in enumerate((("text/plain", message.text), ("text/html", message.html)))
        if text
    ]
    return {
        "partId": "",
        "mimeType": "multipart/alternative",
        "filename": "",
        "headers": headers,
        "body": {"size": 0},
        "parts": parts,
    }


def _part(part_id: str, kind: str, text: str) -> Json:
    raw = text.encode()
    return {
        "partId": part_id,
        "mimeType": kind,
        "filename": "",
        "headers": [{"name": "Content-Type", "value": f"{kind}; charset=utf-8"}],
        "body": {"size": len(raw), "data": base64.urlsafe_b64encode(raw).decode()},
    }


def _encoded(token: str) -> str:
    return base64.urlsafe_b64encode(token.encode()).decode()


def _decoded(token: str) -> str:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        text = ""
    if token and "/" not in text:
        raise Refusal(400, "invalidArgument", "Invalid pageToken")
    return text
