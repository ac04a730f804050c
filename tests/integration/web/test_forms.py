"""A form is taken from a page of ours, in the browser it was made for, and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel
from tests.integration.web.tabs import PASSWORD, Tab

from autocapture.application import Application
from autocapture.store.engine import reading
from autocapture.web.access import ROUTES
from autocapture.web.security import LARGEST_BODY

REP, ADMIN = "rep@ours.example", "admin@ours.example"
WRITES = sorted(
    path.replace("{user_id}", "2").replace("{token}", "x")
    for method, path in ROUTES
    if method == "POST" and not path.startswith("/notices/")  # not forms: each proves itself
)


def _rows(app: Application) -> Mapping[str, object]:
    with reading(app.engine) as session:
        return {
            table: session.execute(text(f"SELECT * FROM {table}")).all() for table in SQLModel.metadata.tables
        }


def test_a_form_that_is_not_from_a_page_of_ours_does_nothing(closed: Application, tab: Tab) -> None:
    tab.sign_in(ADMIN)
    tab.get("/users")
    token, before = tab.token, _rows(closed)
    ours, forms = {"origin": tab.address, "sec-fetch-site": "same-origin"}, {"form_token": token}
    for headers, fields in (
        (ours, {"email": REP}),
        (ours, {"form_token": "0" * 64}),
        (ours, {"form_token": token[:-1]}),
        (ours, {"form_token": "ö"}),
        (ours | {"sec-fetch-site": "cross-site"}, forms),
        (ours | {"sec-fetch-site": "same-site"}, forms),
        (ours | {"origin": "https://evil.example"}, forms),
        (ours | {"origin": "null"}, forms),
        (ours | {"origin": tab.address.replace("http:", "https:")}, forms),
        ({}, forms),
    ):
        for path in WRITES:
            assert tab.client.post(path, data=fields, headers=headers).status_code == 403, (
                path,
                headers,
                fields,
            )
    tab.client.cookies.clear()
    for path in WRITES:
        assert tab.client.post(path, data=forms, headers=ours).status_code == 403
    assert _rows(closed) == before


@pytest.mark.usefixtures("closed")
def test_the_token_of_another_browser_is_not_taken(tab: Tab, another: Tab) -> None:
    tab.sign_in(REP)
    another.sign_in(ADMIN)
    another.get("/users")
    tab.get("/me")
    assert tab.send("/sign-out", form_token=another.token).status_code == 403


@pytest.mark.usefixtures("closed")
def test_the_token_from_before_signing_in_is_not_taken_after(tab: Tab) -> None:
    tab.get("/sign-in")
    old = tab.token
    tab.sign_in(REP)
    assert tab.send("/sign-out", form_token=old).status_code == 403


@pytest.mark.usefixtures("closed")
def test_a_cookie_that_is_none_of_ours_is_replaced(tab: Tab) -> None:
    tab.get("/sign-in")
    [name] = tab.cookies
    for planted in ("x", "", "a" * 42, "a" * 5_000):
        tab.client.cookies.clear()
        tab.client.cookies.set(name, planted)
        told = tab.get("/sign-in").headers["set-cookie"]
        assert told.startswith(f"{name}=")


@pytest.mark.usefixtures("closed")
def test_only_fields_that_are_asked_for_are_read(tab: Tab) -> None:
    tab.sign_in(REP)
    tab.get("/me")
    chosen = "eleven patient otters"
    extra = {"role": "admin", "user_id": "1", "active": "0", "email": ADMIN, "hash": "x", "verified": "1"}
    tab.send("/me/password", current=PASSWORD, password=chosen, again=chosen, **extra)
    assert "rep" in tab.get("/me").text
    assert tab.get("/users").status_code == 404
    assert tab.sign_in(ADMIN).is_redirect


@pytest.mark.usefixtures("closed")
def test_a_body_of_another_kind_is_refused(tab: Tab) -> None:
    tab.get("/sign-in")
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
        sent = tab.client.post(
            "/sign-in", content=b"{}", headers={"origin": tab.address, "content-type": kind}
        )
        assert sent.status_code == 415


@pytest.mark.usefixtures("closed")
def test_a_large_form_is_not_read(tab: Tab) -> None:
    tab.get("/sign-in")
    assert tab.send("/sign-in", email=REP, password="x" * LARGEST_BODY).status_code == 413
    assert tab.send("/sign-in", **{f"f{n}": "x" for n in range(1_000)}).status_code == 400


@pytest.mark.usefixtures("closed")
def test_reading_pages_changes_nothing(closed: Application, tab: Tab) -> None:
    tab.sign_in(ADMIN)
    before = _rows(closed)
    for method, path in ROUTES:
        if method == "GET" and not path.endswith(
            "/callback"
        ):  # the answer of a provider, bound to its question
            tab.get(path.replace("{token}", "x").replace("{activity_id}", "1"))
    assert _rows(closed) == before


@pytest.mark.usefixtures("closed")
def test_nothing_else_is_understood(tab: Tab) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        assert tab.client.request(method, "/users").status_code == 405


@pytest.mark.usefixtures("closed")
def test_every_answer_has_the_headers(tab: Tab) -> None:
    tab.sign_in(ADMIN)
    for path in ("/sign-in", "/me", "/users", "/link/x", "/forgotten", "/nowhere", "/static/page.css"):
        headers = tab.get(path).headers
        assert "form-action 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert path.startswith("/static") or headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers  # plain http: only this machine


def test_a_form_with_a_zero_byte_is_no_form(closed: Application, tab: Tab) -> None:
    tab.get("/sign-in")
    token = tab.token
    assert tab.send("/sign-in", email="a\0b@ours.example", password="x").status_code == 400
    assert tab.send("/sign-in", form_token=token, **{"a\0b": "x"}).status_code == 400
