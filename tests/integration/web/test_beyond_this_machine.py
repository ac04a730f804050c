"""Served under a public name: by https, through a proxy that the settings name, once an admin can sign in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest
from httpx import Response
from tests.integration.web.people import let_in
from tests.integration.web.tabs import PASSWORD, Tab

from autocapture.application import Application
from autocapture.errors import SetupError
from autocapture.web.security import assert_reachable
from autocapture.workflows.invitations import invite, users_to_invite

PUBLIC = {"host": "sales.example.com", "x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"}
SENT = {"origin": "https://sales.example.com", "sec-fetch-site": "same-origin"}


def _with_web(app: Application, **values: object) -> Application:
    web = app.settings.web.model_copy(update=values)
    return replace(app, settings=app.settings.model_copy(update={"web": web}))


@pytest.fixture
def app(app: Application) -> Application:
    """Behind a proxy on this machine."""
    return _with_web(app, public_url="https://sales.example.com", proxies=(ip_network("127.0.0.1/32"),))


class Proxied(Tab):
    """A tab whose requests come through the proxy. Its cookies are carried by hand: they are for https alone."""

    def __init__(self, address: str) -> None:
        super().__init__(address, **PUBLIC)
        self.held = ""

    def get(self, path: str) -> Response:
        self.shown = self._kept(self.client.get(path, headers={"cookie": self.held}))
        return self.shown

    def send(self, path: str, headers: Mapping[str, str] | None = None, **fields: str) -> Response:
        data = {"form_token": self.token, **fields}
        sent = {"cookie": self.held, **(SENT if headers is None else headers)}
        return self._kept(self.client.post(path, data=data, headers=sent))

    def _kept(self, answer: Response) -> Response:
        if told := answer.headers.get("set-cookie"):
            self.held = told.partition(";")[0]
        self.client.cookies.clear()
        return answer


@pytest.fixture
def proxied(address: str) -> Iterator[Proxied]:
    with Proxied(address) as tab:
        yield tab


def test_the_public_name_is_not_answered_before_anybody_can_sign_in(
    app: Application, proxied: Proxied
) -> None:
    assert proxied.get("/").status_code == 421
    let_in(app, 1)
    assert proxied.get("/").status_code == 303


@pytest.mark.usefixtures("closed")
def test_over_https_the_cookie_is_bound_to_this_host(proxied: Proxied) -> None:
    proxied.get("/sign-in")
    answer = proxied.send("/sign-in", email="rep@ours.example", password=PASSWORD)
    name, *parts = answer.headers["set-cookie"].split(";")
    assert name.startswith("__Host-autocapture=")
    told = {part.strip().lower() for part in parts}
    assert told >= {"secure", "httponly", "samesite=lax", "path=/"}
    assert not any(part.startswith("domain") for part in told)
    assert proxied.get("/me").status_code == 200
    assert proxied.shown.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.usefixtures("closed")
def test_a_cookie_of_plain_http_is_never_believed_over_https(proxied: Proxied, tab: Tab) -> None:
    tab.sign_in("rep@ours.example")
    [(name, value)] = tab.cookies.items()
    for held in (f"{name}={value}", f"autocapture-443={value}", f"autocapture={value}"):
        proxied.held = held
        assert proxied.get("/me").status_code == 303


@pytest.mark.usefixtures("closed")
def test_what_a_stranger_writes_into_headers_is_not_believed(address: str) -> None:
    for headers in (
        {**PUBLIC, "x-forwarded-proto": "http"},
        {"host": "sales.example.com"},
        {**PUBLIC, "host": "evil.example", "x-forwarded-host": "sales.example.com"},
    ):
        with Tab(address, **headers) as stranger:
            assert stranger.get("/sign-in").status_code == 421


@pytest.mark.usefixtures("closed")
def test_a_form_of_plain_http_is_not_taken_over_https(proxied: Proxied) -> None:
    proxied.get("/sign-in")
    sent = {**SENT, "origin": "http://sales.example.com"}
    assert (
        proxied.send("/sign-in", headers=sent, email="rep@ours.example", password=PASSWORD).status_code == 403
    )


def test_beyond_this_machine_needs_an_admin_https_and_a_proxy(app: Application) -> None:
    beyond = _with_web(app, host="0.0.0.0")
    with pytest.raises(SetupError, match="until an admin can sign in"):
        assert_reachable(beyond)
    let_in(app, 2)  # a rep alone is not enough
    with pytest.raises(SetupError, match="until an admin can sign in"):
        assert_reachable(beyond)
    let_in(app, 1)
    assert_reachable(beyond)
    for lacking in ({"public_url": ""}, {"public_url": "http://sales.example.com"}, {"proxies": ()}):
        with pytest.raises(SetupError, match=r"web\.public_url"):
            assert_reachable(_with_web(beyond, **lacking))


def test_what_is_not_ready_is_told_without_paths_beyond_this_machine(
    closed: Application, proxied: Proxied, tab: Tab
) -> None:
    closed.settings.key_file.unlink()
    assert proxied.get("/readyz").json() == {"ready": False, "reasons": [{"check": "key file"}]}
    assert "master.key" in tab.get("/readyz").text


@pytest.mark.usefixtures("closed")
def test_nobody_is_led_to_plain_http(proxied: Proxied) -> None:
    for path in ("/sign-in/", "/accounts/", "/static"):
        assert proxied.get(path).status_code == 404
    assert proxied.send("/sign-in/", email="rep@ours.example", password=PASSWORD).status_code == 404


def test_the_first_link_leads_to_this_machine_where_alone_it_opens_until_somebody_can_sign_in(
    app: Application, tab: Tab, proxied: Proxied
) -> None:
    [admin] = users_to_invite(app, "admin@ours.example")
    first = invite(app, admin, by_mail=False)
    assert first.address.startswith("http://127.0.0.1:8000/link/")
    path = urlsplit(first.address).path
    assert proxied.get(path).status_code == 421
    assert tab.get(path).status_code == 200
    let_in(app, 1)
    assert invite(app, admin, by_mail=False).address.startswith("https://sales.example.com/link/")
