"""The HTTP session, against servers that misbehave in every way."""

from __future__ import annotations

import gzip
import io
import logging
import socket
import ssl
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from tests.peers.certificates import make_certificates
from tests.peers.rude_http import CLOSE, RESET, SILENCE, Answer, ok, rude_http

from autocapture.connect.dial import dial_allowed
from autocapture.connect.http import check, json_object, open_session, retry_after
from autocapture.errors import AutocaptureError, RateLimited, SetupError, Unreachable

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "canary-token-4711"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PACKED = "Content-Encoding: gzip"


def session(
    *, total: float = 0.6, each: float = 0.3, most_bytes: int = 1_000_000, ca_file: Path | None = None
) -> requests.Session:
    return open_session(
        lambda address: address == "127.0.0.1",
        total=timedelta(seconds=total),
        each_wait=timedelta(seconds=each),
        most_bytes=most_bytes,
        ca_file=ca_file,
    )


def bomb(size: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(size // 1_000_000):
            file.write(bytes(1_000_000))
    return packed.getvalue()


FAULTS: dict[str, Answer] = {
    "no answer": [SILENCE],
    "half-open after the head": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", SILENCE],
    "reset": [RESET],
    "closed": [CLOSE],
    "reset in the body": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", 0.05, RESET],
    "truncated": [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf an answ", CLOSE],
    "truncated chunk": [CHUNKED + b"20\r\nhalf", CLOSE],
    "no last chunk": [CHUNKED + b"4\r\nhalf\r\n", CLOSE],
    "truncated head": [b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE],
    "broken chunk": [CHUNKED + b"zz\r\nhalf\r\n", CLOSE],
    "no HTTP at all": [b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE],
    "endless header line": [b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, CLOSE],
    "too many headers": [b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 5_000 + b"\r\n", CLOSE],
    "drip in the head": [b"HTTP/1.1 200 OK\r\n", *[part for _ in range(12) for part in (b"X: y\r\n", 0.1)]],
    "drip in the body": [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[part for _ in range(12) for part in (b"x", 0.1)]],
    "drip in chunks": [CHUNKED, *[part for _ in range(12) for part in (b"1\r\nx\r\n", 0.1)]],
    "huge declared length": [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", b"x"],
    "huge body without length": [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 3_000_000, CLOSE],
    "huge chunks": [CHUNKED + b"2DC6C0\r\n" + b"x" * 3_000_000, CLOSE],
    "gzip bomb": [ok(bomb(100_000_000), PACKED)],
    "gzip cut short": [ok(gzip.compress(b"x" * 1_000)[:-9], PACKED)],
    "gzip that is none": [ok(b"plain text", PACKED)],
    "gzip with rubbish behind": [ok(gzip.compress(b"x") + b"rubbish", PACKED)],
    "unknown packing": [ok(b"x", "Content-Encoding: br")],
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_network_does_is_unreachable_in_time_and_tells_nothing(fault: str) -> None:
    with rude_http(FAULTS[fault]) as server, session() as http:
        began = time.monotonic()
        with pytest.raises(Unreachable) as refusal:
            http.get(server.url(f"/users/erika?key={SECRET}"), headers={"Authorization": f"Bearer {SECRET}"})
        assert time.monotonic() - began < 2.0
        text = f"{refusal.value!r} {refusal.value.__cause__!r}"
        assert SECRET not in text
        assert "erika" not in text
        assert "127.0.0.1" in text


def test_a_connection_is_dropped_after_a_fault_and_the_next_request_works() -> None:
    with (
        rude_http([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", SILENCE], ok(b"{}")) as server,
        session() as http,
    ):
        with pytest.raises(Unreachable):
            http.get(server.url())
        assert http.get(server.url()).json() == {}
        assert server.connections == 2


def test_a_refused_and_an_unresolvable_host_are_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with session() as http:
        with pytest.raises(Unreachable, match="nothing listens there"):
            http.get(f"http://127.0.0.1:{port}/")
        with pytest.raises(Unreachable, match="cannot be resolved"):
            http.get("https://no-such-host.invalid/")


def test_a_polite_answer_arrives_whole_and_the_connection_is_used_again() -> None:
    body = b'{"a": [1, 2]}'
    packed = [
        ok(body), ok(gzip.compress(body), PACKED), ok(gzip.compress(body[:5]) + gzip.compress(body[5:]), PACKED),
        ok(zlib.compress(body), "Content-Encoding: deflate"), CHUNKED + b"d\r\n" + body + b"\r\n0\r\n\r\n",
    ]  # fmt: skip
    with rude_http(*packed) as server, session() as http:
        assert [json_object(http.get(server.url())) for _ in packed] == [{"a": [1, 2]}] * len(packed)
        assert server.connections == 1


def test_an_answer_without_a_body_is_no_broken_one() -> None:
    answers = [
        b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        ok(b"", PACKED), b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    ]  # fmt: skip
    with rude_http(*answers) as server, session() as http:
        for _ in answers[:3]:
            assert http.get(server.url()).content == b""
        assert http.head(server.url()).content == b""
        assert server.connections == 1


def test_a_connection_that_the_server_closed_in_the_meantime_is_not_used_again() -> None:
    with rude_http([ok(b"1"), CLOSE], ok(b"2")) as server, session() as http:
        assert http.get(server.url()).text == "1"
        time.sleep(0.05)
        assert http.get(server.url()).text == "2"
        assert server.connections == 2


def test_a_connection_that_closes_under_a_request_costs_a_question_nothing_and_is_no_second_order() -> None:
    """Between two requests a server may close at any moment. What only asks is asked again; what might order is not."""
    for method, answered in (("GET", True), ("POST", False)):
        with rude_http(ok(b"1"), [RESET], ok(b"2")) as server, session() as http:
            http.get(server.url())
            if answered:
                assert http.request(method, server.url()).text == "2"
            else:
                with pytest.raises(Unreachable):
                    http.request(method, server.url())


def test_repeated_headers_are_one_list_and_cookies_are_not_kept() -> None:
    with rude_http(ok(b"", "X-A: 1", "x-a: 2", "Set-Cookie: a=b")) as server, session() as http:
        assert http.get(server.url()).headers["X-A"] == "1, 2"
        http.get(server.url())
        assert "cookie" not in server.requests[1].lower()


def test_a_body_is_sent_as_it_is() -> None:
    with rude_http(ok(b"{}")) as server, session() as http:
        http.post(server.url("/token"), data={"code": "a b"})
        http.post(server.url("/batch"), data="größer", headers={"Content-Type": "text/plain"})
        head = server.requests[0].splitlines()
        assert head[0] == "POST /token HTTP/1.1"
        assert f"Host: 127.0.0.1:{server.port}" in head
        assert "Content-Length: 8" in head
        assert "Content-Length: 8" in server.requests[1].splitlines()


@pytest.mark.parametrize(
    ("status", "header", "raised", "wait"),
    [
        ("429", "Retry-After: 17", RateLimited, 17), ("429", "X: 1", RateLimited, None),
        ("429", "Retry-After: soon", RateLimited, None),
        ("503", "Retry-After: 5", RateLimited, 5), ("503", "X: 1", Unreachable, None), ("509", "X: 1", RateLimited, None),
        ("500", "Retry-After: 5", Unreachable, None), ("502", "X: 1", Unreachable, None), ("599", "X: 1", Unreachable, None),
    ],
)  # fmt: skip
def test_a_status_that_nobody_must_act_on_is_told_by_its_type(
    status: str, header: str, raised: type[AutocaptureError], wait: float | None
) -> None:
    answer = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{header}\r\n\r\n".encode()
    with rude_http(answer) as server, session() as http:
        response = http.get(server.url("/secret-path"))
        with pytest.raises(raised) as problem:
            check(response, NOW)
        assert "secret-path" not in str(problem.value)
        if isinstance(problem.value, RateLimited):
            assert problem.value.retry_after == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 410, 412])
def test_any_other_status_is_the_connectors(status: int) -> None:
    answer = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nRetry-After: 3\r\n\r\n".encode()
    with rude_http(answer) as server, session() as http:
        response = http.get(server.url())
        check(response, NOW)
        assert response.status_code == status
        assert retry_after(response, NOW) == timedelta(seconds=3)


@pytest.mark.parametrize(
    "body", [b"<html>sign in to the hotel's network</html>", b"[]", b"null", b"", b'{"a":', b"\xff\xfe", b"[" * 100_000]
)  # fmt: skip
def test_what_is_no_json_object_is_unreachable(body: bytes) -> None:
    with rude_http(ok(body)) as server, session() as http, pytest.raises(Unreachable, match="no JSON object"):
        json_object(http.get(server.url()))


def test_a_redirect_is_not_followed_unless_asked() -> None:
    there = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    with rude_http(there, there, there, ok(b"arrived")) as server, session() as http:
        assert http.get(server.url()).status_code == 302
        assert http.send(requests.Request("GET", server.url()).prepare()).status_code == 302
        assert http.get(server.url(), allow_redirects=True).text == "arrived"


def test_a_redirect_to_a_forbidden_address_is_not_dialled() -> None:
    with socket.create_server(("127.0.0.2", 0)) as inside:
        inside.settimeout(0.2)
        to = f"Location: http://127.0.0.2:{inside.getsockname()[1]}/metadata\r\n"
        answer = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n{to}\r\n".encode()
        with rude_http(answer) as server, session() as http, pytest.raises(SetupError, match="not public"):
            http.get(server.url(), allow_redirects=True, headers={"Authorization": SECRET})
        with pytest.raises(TimeoutError):
            inside.accept()


def test_a_redirect_to_another_host_takes_no_token_along_and_a_circle_ends() -> None:
    with rude_http(ok(b"x")) as other:
        away = f"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: {other.url(host='localhost')}\r\n\r\n"
        with rude_http(away.encode()) as server, session() as http:
            http.get(server.url(), allow_redirects=True, headers={"Authorization": SECRET})
        assert SECRET not in other.requests[0]
    circle = b"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: /\r\n\r\n"
    with (
        rude_http(circle) as server,
        session() as http,
        pytest.raises(Unreachable, match="address to address"),
    ):
        http.get(server.url(), allow_redirects=True)


def test_plain_http_is_spoken_with_this_machine_alone() -> None:
    with (
        open_session(lambda _: True, resolve=lambda _h, _p: ["93.184.215.14"]) as http,
        pytest.raises(SetupError, match="https"),
    ):
        http.get("http://example.com/")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "example.com", "https://", "http://[::1", "https://a:99999/", "file:///x"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with session() as http, pytest.raises(SetupError):
        http.get(url)


def test_an_address_that_may_not_be_dialled_is_refused_before_a_packet_is_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        with open_session(dial_allowed) as http, pytest.raises(SetupError, match="allow_networks"):
            http.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_name_that_changes_its_address_leads_to_what_was_judged() -> None:
    """DNS rebinding: the first answer is public (here: admitted), every later one is inside."""
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with (
        rude_http([ok(b"judged"), CLOSE], [ok(b"judged"), CLOSE]) as server,
        open_session(lambda address: address == "127.0.0.1", resolve=rebinding) as http,
    ):
        assert http.get(server.url(host="localhost")).text == "judged"
        assert http.get(server.url(host="localhost")).text == "judged"
    assert asked == ["localhost"]


def test_of_several_addresses_only_the_admitted_ones_are_dialled() -> None:
    with rude_http(ok(b"admitted")) as server, open_session(
        lambda address: address != "127.0.0.2", resolve=lambda _h, _p: ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    ) as http:  # fmt: skip
        assert http.get(server.url(host="localhost")).text == "admitted"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder / "good")
    make_certificates(folder / "expired", days=-1)
    make_certificates(folder / "other", host="example.com")
    return folder


def tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_tls_is_spoken_with_a_server_that_proves_its_name(certificates: Path) -> None:
    good = certificates / "good"
    with rude_http(ok(b"{}"), context=tls(good)) as server, session(ca_file=good / "ca.pem") as http:
        for host in ("localhost", "127.0.0.1"):
            assert http.get(server.url(host=host)).json() == {}
            assert http.get(server.url(host=host)).json() == {}
        assert server.connections == 2


@pytest.mark.parametrize("which", ["expired", "other"])
def test_a_certificate_that_does_not_prove_the_host_is_refused(certificates: Path, which: str) -> None:
    folder = certificates / which
    with rude_http(ok(b"{}"), context=tls(folder)) as server, session(ca_file=folder / "ca.pem") as http:
        with pytest.raises(SetupError, match="not trusted"):
            http.get(server.url(host="localhost"), headers={"Authorization": SECRET})
        assert server.requests == []


def test_an_authority_that_is_not_trusted_proves_nothing(certificates: Path) -> None:
    with (
        rude_http(ok(b"{}"), context=tls(certificates / "good")) as server,
        session() as http,
        pytest.raises(SetupError, match="not trusted"),
    ):
        http.get(server.url(host="localhost"), verify=False)


def test_a_handshake_that_fails_is_unreachable() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, session(total=0.6) as http, pytest.raises(Unreachable):
        http.get(f"https://localhost:{silent.getsockname()[1]}/")
    with rude_http(ok(b"{}")) as no_tls, session() as http, pytest.raises(Unreachable):
        http.get(f"https://localhost:{no_tls.port}/")


def test_nothing_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.2:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.2:9")
    with rude_http(ok(b"direct")) as server, session() as http:
        assert http.get(server.url()).text == "direct"


def test_nothing_secret_is_logged_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with rude_http(ok(b"{}"), [RESET]) as server, session() as http:
        http.get(server.url(f"/?key={SECRET}"), headers={"Authorization": SECRET})
        with pytest.raises(Unreachable):
            http.get(server.url(f"/?key={SECRET}"), headers={"Authorization": SECRET})
    assert SECRET not in caplog.text
