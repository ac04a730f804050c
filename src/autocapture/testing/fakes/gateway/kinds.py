"""Every way in which a request over HTTP fails, and what it means for who asked.

A kind strikes instead of the request, which then has no effect, or on the way back, when it had. The provider's own refusals
are worded by the gateway (`Gateway.words`); everything else any server, proxy or network may do.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from autocapture.testing.fakes.gateway.server import Exchange
from autocapture.testing.fakes.gateway.wire import Reply

Meaning = Literal["passing", "login", "permission", "absent", "setup"]
"""What whoever asked has to make of it: wait and try again; the login is dead; a permission is missing; what was asked for is not
there; an administrator must act."""

_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to this network</body></html>"
_HTML: Mapping[str, str] = {"Content-Type": "text/html; charset=utf-8"}
_MUCH = 8 << 20
"""Bytes; whoever is tested takes fewer of one answer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`waits`: whoever asks is kept waiting: their patience should be short. `asked_again`: the same is asked once more at once,
    with a fresh token, and `twice`: that meets it too. `word`: the status of the provider's own refusal that it sends."""

    name: str
    strike: Callable[[Exchange], None]
    means: Meaning = "passing"
    waits: bool = False
    asked_again: bool = False
    twice: bool = False
    word: int | None = None

    def __str__(self) -> str:
        return self.name


def _send(reply: Reply, exchange: Exchange) -> None:
    exchange.send(reply)


def _reset(exchange: Exchange) -> None:
    exchange.reset()


def _reset_after(exchange: Exchange) -> None:
    exchange.hand_on()
    exchange.reset()


def _silent(exchange: Exchange) -> None:
    exchange.wait()
    exchange.end()


def _silent_after(exchange: Exchange) -> None:
    exchange.hand_on()
    _silent(exchange)


def _half_open(exchange: Exchange) -> None:
    """A head and the beginning of the body, and then nothing more, though the connection stays."""
    reply = exchange.hand_on()
    exchange.raw(exchange.head(reply, length=len(reply.body) + 1) + reply.body[: len(reply.body) // 2])
    _silent(exchange)


def _dripping(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    for byte in exchange.head(reply) + reply.body:
        exchange.raw(bytes([byte]))
        if exchange.wait(0.05):
            break
    exchange.end()


def _truncated(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    exchange.raw(exchange.head(reply, length=len(reply.body) + 9) + reply.body[: len(reply.body) // 2])
    exchange.end()


def _cut_in_the_head(exchange: Exchange) -> None:
    exchange.raw(exchange.head(exchange.hand_on())[:20])
    exchange.end()


def _announced_longer(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    exchange.raw(exchange.head(reply, length=len(reply.body) + 9) + reply.body)
    exchange.end()


def _announced_shorter(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    exchange.raw(exchange.head(reply, length=len(reply.body) // 2) + reply.body)
    exchange.end()


def _cut_chunk(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    head = exchange.head(reply, "Transfer-Encoding: chunked", length=-1)
    exchange.raw(head + f"{len(reply.body) + 9:x}\r\n".encode() + reply.body)
    exchange.end()


def _half_a_document(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    exchange.send(replace(reply, body=reply.body[: len(reply.body) // 2]))


def _other_type(exchange: Exchange) -> None:
    reply = exchange.hand_on()
    exchange.send(replace(reply, headers={**reply.headers, "Content-Type": "text/html"}))


def _other_bytes(exchange: Exchange) -> None:
    """The body is not even text."""
    reply = exchange.hand_on()
    exchange.send(replace(reply, body=b"\x00\xff\xfe" + reply.body[::-1]))


def _packed(packed: Callable[[bytes], bytes], exchange: Exchange, *, name: str = "gzip") -> None:
    reply = exchange.hand_on()
    exchange.send(replace(reply, body=packed(reply.body)), f"Content-Encoding: {name}")


def _bomb(_body: bytes) -> bytes:
    return gzip.compress(bytes(4 * _MUCH), 1)


def _announced_huge(exchange: Exchange) -> None:
    exchange.raw(exchange.head(exchange.hand_on(), length=2 << 30))
    exchange.end()


def _huge(exchange: Exchange) -> None:
    """The answer, within more blanks than any answer may have."""
    reply = exchange.hand_on()
    exchange.send(replace(reply, body=b" " * _MUCH + reply.body))


def _many_headers(exchange: Exchange) -> None:
    exchange.send(exchange.hand_on(), *(f"X-More-{number}: {number}" for number in range(500)))


def _long_header(exchange: Exchange) -> None:
    exchange.send(exchange.hand_on(), f"X-Long: {'x' * 200_000}")


def _told_twice(exchange: Exchange) -> None:
    """A proxy's answer to somebody else follows on the same connection: at once, since one that came after the next question
    would be its answer, and HTTP/1.1 gives nobody a means to tell."""
    reply = exchange.hand_on()
    exchange.raw((exchange.head(reply) + reply.body) * 2)


def _closed_after(exchange: Exchange) -> None:
    """The answer is whole, and the connection ends though nobody said so."""
    exchange.send(exchange.hand_on())
    exchange.end()


def _worded(status: int, exchange: Exchange) -> None:
    exchange.send(exchange.gateway.words[status])


def _elsewhere(status: int, exchange: Exchange) -> None:
    """To a host that is told apart from ours and that nobody may dial."""
    exchange.send(Reply(status, _PAGE, {**_HTML, "Location": "https://portal.hotel.invalid/sign-in"}))


def _wait(value: str | None) -> Reply:
    return Reply(
        429, b"slow down", {"Content-Type": "text/plain", **({"Retry-After": value} if value else {})}
    )


def _plain(status: int, **headers: str) -> Reply:
    return Reply(
        status, _PAGE, {**_HTML, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )


_STATUSES: Mapping[str, Reply] = {
    "429 in seconds": _wait("90"),
    "429 until a date": _wait("Wed, 18 Nov 2026 09:00:00 GMT"),
    "429 until a date gone by": _wait("Sun, 01 Nov 2026 09:00:00 GMT"),
    "429 without a time": _wait(None),
    "429 for a negative time": _wait("-30"),
    "429 for ever": _wait("1000000000"),
    "429 for a word": _wait("soon"),
    "400 of a proxy": _plain(400),
    "403 of a proxy": _plain(403),
    "404 of a proxy": _plain(404),
    "407 of a proxy": _plain(407, Proxy_Authenticate='Basic realm="proxy"'),
    "408": _plain(408),
    "410 of a proxy": _plain(410),
    "451 of a proxy": _plain(451),
    "500": _plain(500),
    "502": _plain(502),
    "503": _plain(503),
    "503 in seconds": _plain(503, Retry_After="120"),
    "504": _plain(504),
    "509": _plain(509),
    "511 of a portal": _plain(511),
    "200 of a portal": Reply(200, _PAGE, _HTML),
    "200 with nothing": Reply(200, b"", {"Content-Type": "application/json"}),
    "200 with a list": Reply(200, b"[1, 2]", {"Content-Type": "application/json"}),
    "200 with null": Reply(200, b"null", {"Content-Type": "application/json"}),
    "200 with an empty object": Reply(200, b"{}", {"Content-Type": "application/json"}),
    "200 with other XML": Reply(200, b'<?xml version="1.0"?><a/>', {"Content-Type": "application/xml"}),
    "204": Reply(204),
    "207 with nothing": Reply(207, b"", {"Content-Type": "application/xml"}),
    "304": Reply(304),
}

_KINDS = (
    Kind("refused", Exchange.refuse),
    Kind("no handshake", partial(Exchange.refuse, silently=False)),
    Kind("reset before", _reset),
    Kind("reset after", _reset_after),
    Kind("silent before", _silent, waits=True),
    Kind("silent after", _silent_after, waits=True),
    Kind("half open", _half_open, waits=True),
    Kind("dripping", _dripping, waits=True),
    Kind("truncated", _truncated),
    Kind("cut in the head", _cut_in_the_head),
    Kind("announced longer", _announced_longer),
    Kind("announced shorter", _announced_shorter),
    Kind("cut chunk", _cut_chunk),
    Kind("half a document", _half_a_document),
    Kind("other type", _other_type),
    Kind("other bytes", _other_bytes),
    Kind("gzip cut", partial(_packed, lambda body: gzip.compress(body)[:-9])),
    Kind("gzip that is none", partial(_packed, lambda body: body)),
    Kind("gzip bomb", partial(_packed, _bomb)),
    Kind("packed in another way", partial(_packed, gzip.compress, name="br")),
    Kind("announced huge", _announced_huge),
    Kind("huge", _huge),
    Kind("many headers", _many_headers),
    Kind("a long header", _long_header),
    Kind("told twice", _told_twice),
    Kind("closed after", _closed_after),
    *(Kind(f"{status} elsewhere", partial(_elsewhere, status)) for status in (301, 302, 303, 307, 308)),
    *(Kind(name, partial(_send, reply)) for name, reply in _STATUSES.items()),
    Kind("401 once", partial(_worded, 401), asked_again=True, word=401),
    Kind("401 twice", partial(_worded, 401), "login", asked_again=True, twice=True, word=401),
    Kind("400 in its words", partial(_worded, 400), "absent", word=400),
    Kind("403 in its words", partial(_worded, 403), "permission", word=403),
    Kind("404 in its words", partial(_worded, 404), "absent", word=404),
    Kind("410 in its words", partial(_worded, 410), "absent", word=410),
    Kind("429 in its words", partial(_worded, 429), word=429),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
"""By name."""
