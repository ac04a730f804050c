"""Google's batches: several requests in one, as multipart/mixed of application/http."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.message import Message
from email.parser import BytesParser

from autocapture.testing.fakes.google.answers import Answer, Refusal, Request

MOST = 100
_BOUNDARY = "batch_fake_google"
_PATHS = (("batch",), ("batch", "calendar", "v3"), ("batch", "gmail", "v1"))


def is_batch(request: Request) -> bool:
    return request.method == "POST" and request.path in _PATHS


def answer(request: Request, answer_each: Callable[[list[Request]], Sequence[Answer]]) -> Answer:
    """Each inner request with the token of the outer one, unless it brings its own; a refusal of one is no refusal of all."""
    try:
        parts = list(_parts(request))
        answers = answer_each([inner for _, inner in parts])
    except Refusal as refusal:
        return refusal.answer()
    pieces = [_piece(name, each) for (name, _), each in zip(parts, answers, strict=True)]
    body = b"".join(b"--%b\r\n%b\r\n" % (_BOUNDARY.encode(), piece) for piece in pieces)
    return Answer(
        200,
        body + b"--%b--\r\n" % _BOUNDARY.encode(),
        {"Content-Type": f"multipart/mixed; boundary={_BOUNDARY}"},
    )


def _parts(request: Request) -> list[tuple[str, Request]]:
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    if not message.is_multipart():
        raise Refusal(400, "badRequest", "Failed to parse batch request")
    payload = message.get_payload()
    return [_inner(part, request) for part in payload if isinstance(part, Message)]


def _inner(part: Message, outer: Request) -> tuple[str, Request]:
    text = str(part.get_payload())
    line, _, rest = text.partition("\n")
    method, target, _ = line.strip().split(" ", 2)
    inner = BytesParser().parsebytes(rest.encode())
    headers = {name.lower(): value for name, value in inner.items()}
    headers.setdefault("authorization", outer.headers.get("authorization", ""))
    payload = inner.get_payload()
    return str(part["Content-ID"]), Request(method, target, headers, str(payload).strip().encode())


def _piece(name: str, each: Answer) -> bytes:
    head = [
        "Content-Type: application/http",
        f"Content-ID: <response-{name.strip('<>')}>",
        "",
        f"HTTP/1.1 {each.status} {'OK' if each.status == 200 else 'Status'}",
        *(f"{header}: {value}" for header, value in each.headers.items()),
        f"Content-Length: {len(each.body)}",
        "",
        "",
    ]
    return "\r\n".join(head).encode() + each.body
