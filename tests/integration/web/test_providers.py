"""Signing in with an identity from elsewhere, and the answers that are not taken for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from httpx import Response
from sqlmodel import select
from tests.integration.summary.serving import serving
from tests.integration.web.people import let_in
from tests.integration.web.tabs import Tab
from tests.peers.entra import entra

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.sign_in import AskedConsent, AuditEntry, Identity, WebSession
from autocapture.sections import GoogleSettings, MicrosoftSettings, OidcSettings
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.authorization_server import AuthorizationServer, authorization_server
from autocapture.testing.fakes.entra_server import TENANT
from autocapture.workflows.invitations import invite, users_to_invite
from autocapture.workflows.people_access import access_of, set_active

REP = "rep@ours.example"


@pytest.fixture
def server(clock: FixedClock) -> Iterator[AuthorizationServer]:
    with authorization_server(clock) as server:
        yield server


@pytest.fixture
def other(clock: FixedClock) -> Iterator[AuthorizationServer]:
    """A second provider, to mix up with the first."""
    with authorization_server(clock) as server:
        server.person.subject = "attacker"
        yield server


@pytest.fixture
def app(
    app: Application, server: AuthorizationServer, other: AuthorizationServer, tmp_path: Path
) -> Application:
    """Three providers are set up; an admin can sign in."""
    let_in(app, 1)
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n", encoding="utf-8")
    company = OidcSettings(
        issuer=server.url, client_id="client", client_secret_file=secret, label="Company login"
    )
    google = GoogleSettings(
        client_id="client",
        client_secret_file=secret,
        issuer=other.url,
        authorize_url=f"{other.url}/authorize",
        token_url=f"{other.url}/token",
        keys_url=f"{other.url}/keys",
    )
    settings = app.settings.model_copy(update={"oidc": {"company": company}, "google": google})
    return replace(app, settings=settings)


@pytest.fixture
def address(app: Application, server: AuthorizationServer, other: AuthorizationServer) -> Iterator[str]:
    """The operator registered the addresses of signing in; one of the providers is careless, and knows the other's."""
    with serving(app) as address:
        server.redirect_uris = {f"{address}/sign-in/company/callback"}
        other.redirect_uris = {f"{address}/sign-in/{name}/callback" for name in ("company", "google")}
        yield address


def _start(tab: Tab, page: str, name: str) -> str:
    """The address at the provider that the browser is sent to, from `page`."""
    tab.get(page)
    shown = tab.send(f"{page}/with/{name}").text
    found = re.search(r'content="0;url=([^"]+)"', shown)
    assert found is not None, shown
    return unescape(found[1])


def _come_back(tab: Tab, name: str, answer: dict[str, str]) -> Response:
    return tab.get(f"/sign-in/{name}/callback?{urlencode(answer)}")


def _is_in(tab: Tab) -> bool:
    return tab.get("/me").status_code == 200


def _invite(app: Application, email: str = REP) -> str:
    [user] = users_to_invite(app, email)
    return urlsplit(invite(app, user, by_mail=False).address).path


@pytest.fixture
def bound(app: Application, tab: Tab, server: AuthorizationServer) -> Tab:
    """The rep follows the invitation with their company login, and signs out."""
    done = _come_back(tab, "company", server.consent(_start(tab, _invite(app), "company")))
    assert done.headers["location"] == "/"
    tab.get("/me")
    tab.send("/sign-out")
    return tab


def test_an_invitation_binds_an_identity_which_signs_in_from_then_on(
    bound: Tab, app: Application, server: AuthorizationServer
) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    assert _come_back(bound, "company", answer).is_redirect
    assert "Rita Ep" in bound.get("/me").text
    assert "Company login" in bound.words
    assert server.url not in bound.words
    with reading(app.engine) as session:
        [identity] = session.exec(select(Identity)).all()
    assert (identity.issuer, identity.subject, identity.user_id) == (server.url, "sub-1", 2)


@pytest.mark.parametrize(
    ("issuer", "called"),
    [
        ("accounts.google.com", "Google"),
        ("https://accounts.google.com", "Google"),
        (f"https://login.microsoftonline.com/{TENANT}/v2.0", "Microsoft"),
        ("https://sso.example.com/realm/", "Company login"),
        ("https://old.example.com", "old.example.com"),  # named in the settings once
    ],
)
def test_how_somebody_signs_in_is_told_by_the_name_that_people_use(
    app: Application, issuer: str, called: str
) -> None:
    company = app.settings.oidc["company"].model_copy(update={"issuer": "https://sso.example.com/realm"})
    settings = app.settings.model_copy(update={"oidc": {"company": company}, "google": GoogleSettings()})
    with writing(app.engine) as session:
        session.add(Identity(issuer=issuer, subject="sub", user_id=2, bound_at=app.clock.now()))
    access = access_of(replace(app, settings=settings), 2)
    assert access.ways == (called,)


def test_only_who_it_is_is_asked_with_pkce_and_an_address_of_this_provider_alone(
    app: Application, tab: Tab, server: AuthorizationServer
) -> None:
    for name in ("company", "google"):
        asked = parse_qs(urlsplit(_start(tab, "/sign-in", name)).query)
        assert asked["scope"] == ["openid email"]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["redirect_uri"] == [f"{tab.address}/sign-in/{name}/callback"]
        assert "access_type" not in asked
    with reading(app.engine) as session:
        kept = session.exec(select(AskedConsent)).all()
    assert len(kept) == 2
    assert not any(asked["state"][0] in str(one) for one in kept)
    assert not any(value in str(one) for one in kept for value in tab.cookies.values())


def test_who_was_never_invited_is_not_let_in(tab: Tab, server: AuthorizationServer) -> None:
    back = _come_back(tab, "company", server.consent(_start(tab, "/sign-in", "company")))
    assert back.status_code == 403
    assert "Follow your invitation first" in back.text
    assert not _is_in(tab)


def test_the_subject_counts_and_not_the_address(bound: Tab, server: AuthorizationServer) -> None:
    server.person.address = "renamed@ours.example"
    assert _come_back(bound, "company", server.consent(_start(bound, "/sign-in", "company"))).is_redirect
    bound.get("/me")
    bound.send("/sign-out")
    server.person.subject, server.person.address = "sub-2", REP  # the address was given to somebody else
    assert (
        _come_back(bound, "company", server.consent(_start(bound, "/sign-in", "company"))).status_code == 403
    )


UNPROVED = (
    ("stranger@evil.example", {}, "another address"),
    (REP, {"email_verified": False}, "does not prove its address"),
    (REP, {"email_verified": None}, "does not prove its address"),
    (REP, {"email_verified": "true"}, "does not prove its address"),
    (REP, {"email": None, "preferred_username": REP}, "does not prove its address"),
    (REP, {"aud": "another client"}, "did not say who you are"),
    (REP, {"iss": "https://evil.example"}, "did not say who you are"),
    (REP, {"nonce": "of another question"}, "did not say who you are"),
    (REP, {"exp": 1}, "did not say who you are"),
)


def test_an_identity_is_bound_by_its_proved_address_alone(
    app: Application, tab: Tab, server: AuthorizationServer
) -> None:
    path = _invite(app)
    for told, claims, words in UNPROVED:
        server.person.address, server.claims = told, claims
        back = _come_back(tab, "company", server.consent(_start(tab, path, "company")))
        assert back.status_code == 403
        assert words in back.text, (told, claims)
    with reading(app.engine) as session:
        assert session.exec(select(Identity)).all() == []
        assert session.exec(select(WebSession)).all() == []
    assert tab.get(path).status_code == 200  # the link still works


def test_an_identity_belongs_to_one_person(bound: Tab, app: Application, server: AuthorizationServer) -> None:
    path = _invite(app, "admin@ours.example")
    server.person.address = "admin@ours.example"
    back = _come_back(bound, "company", server.consent(_start(bound, path, "company")))
    assert back.status_code == 403
    assert "Somebody else" in back.text


def test_a_disabled_user_is_not_let_in(bound: Tab, app: Application, server: AuthorizationServer) -> None:
    set_active(app, 2, False)
    assert (
        _come_back(bound, "company", server.consent(_start(bound, "/sign-in", "company"))).status_code == 403
    )
    assert not _is_in(bound)


def _refused(tab: Tab, name: str, answer: dict[str, str]) -> bool:
    back = _come_back(tab, name, answer)
    return back.status_code == 403 and not _is_in(tab)


def test_an_answer_without_its_state_is_not_taken(bound: Tab, server: AuthorizationServer) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    for state in ({}, {"state": ""}, {"state": "invented"}, {"state": answer["state"][:-1]}):
        assert _refused(bound, "company", {"code": answer["code"], **state})
    assert not any(form.get("code") == answer["code"] for form in server.forms[1:])


def test_an_answer_is_taken_once(bound: Tab, server: AuthorizationServer) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    assert _come_back(bound, "company", answer).is_redirect
    bound.get("/me")
    bound.send("/sign-out")
    bound.get("/sign-in")
    assert _refused(bound, "company", answer)


def test_a_code_that_was_used_is_not_taken_with_a_new_state(bound: Tab, server: AuthorizationServer) -> None:
    used = server.consent(_start(bound, "/sign-in", "company"))
    assert _come_back(bound, "company", used).is_redirect
    bound.get("/me")
    bound.send("/sign-out")
    fresh = server.consent(_start(bound, "/sign-in", "company"))
    assert _refused(bound, "company", {**fresh, "code": used["code"]})


def test_an_answer_in_another_browser_is_not_taken(
    bound: Tab, another: Tab, server: AuthorizationServer
) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    assert _refused(another, "company", answer)  # one that has no cookie
    another.get("/sign-in")
    assert _refused(another, "company", answer)
    assert _come_back(bound, "company", answer).is_redirect  # the attempt did not use it up


def test_an_answer_after_ten_minutes_is_not_taken(
    bound: Tab, clock: FixedClock, server: AuthorizationServer
) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    clock.advance(timedelta(minutes=10))
    assert _refused(bound, "company", answer)


def test_a_code_for_another_question_is_not_taken(bound: Tab, server: AuthorizationServer) -> None:
    first = server.consent(_start(bound, "/sign-in", "company"))
    second = server.consent(_start(bound, "/sign-in", "company"))
    assert _refused(bound, "company", {**first, "code": second["code"]})  # the verifier is another one


def test_the_answer_of_one_provider_is_not_taken_for_anothers(
    bound: Tab, server: AuthorizationServer, other: AuthorizationServer
) -> None:
    asked = _start(bound, "/sign-in", "company")
    honest = server.consent(asked)
    assert _refused(bound, "google", honest)
    assert _refused(bound, "company", {**honest, "iss": other.url})
    asked = _start(bound, "/sign-in", "company")
    assert _refused(bound, "company", other.consent(asked))
    assert other.forms == []  # no code of the one was ever shown to the other


def test_a_parameter_that_comes_twice_is_no_answer(bound: Tab, server: AuthorizationServer) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    assert bound.get(f"/sign-in/company/callback?{urlencode(answer)}&code=x").status_code == 403
    assert not _is_in(bound)


def test_who_does_not_consent_is_told_so_and_nothing_is_lost(bound: Tab, server: AuthorizationServer) -> None:
    server.person.ticks = lambda _scope: False
    back = _come_back(bound, "company", server.consent(_start(bound, "/sign-in", "company")))
    assert back.status_code == 403
    assert "Company login did not say who you are" in back.text


def test_a_provider_that_is_away_or_wrongly_set_up_is_told_as_that(
    bound: Tab, server: AuthorizationServer
) -> None:
    answer = server.consent(_start(bound, "/sign-in", "company"))
    server.faults.append((503, {}, b""))
    assert _come_back(bound, "company", answer).status_code == 503
    answer = server.consent(_start(bound, "/sign-in", "company"))
    server.client_secret = "another"
    back = _come_back(bound, "company", answer)
    assert back.status_code == 502
    assert "Tell who runs autocapture" in back.text


def test_a_provider_that_is_not_set_up_is_not_there(tab: Tab) -> None:
    tab.get("/sign-in")
    assert "Sign in with Google" in tab.shown.text
    assert "Microsoft" not in tab.shown.text
    assert tab.send("/sign-in/with/microsoft").status_code == 404
    assert tab.get("/sign-in/nobody/callback?state=x&code=y").status_code == 404


def test_refusals_are_written_down(bound: Tab, app: Application, server: AuthorizationServer) -> None:
    server.claims = {"nonce": "of another question"}
    _come_back(bound, "company", server.consent(_start(bound, "/sign-in", "company")))
    with reading(app.engine) as session:
        last = session.exec(select(AuditEntry).order_by(AuditEntry.id.desc())).first()  # type: ignore[union-attr]
    assert last is not None
    assert (last.action, last.detail) == ("sign-in refused", "company")


@pytest.mark.parametrize(("tenant", "status"), [(TENANT, 303), ("organizations", 403)])
def test_entra_vouches_for_addresses_of_ones_own_tenant_alone(
    app: Application, clock: FixedClock, tmp_path: Path, tenant: str, status: int
) -> None:
    """Anybody can make a tenant of their own and write any address into it."""
    with entra(tmp_path / "entra", clock) as (server, ca_file):
        microsoft = MicrosoftSettings(
            tenant=tenant, client_id="client", client_secret_file=tmp_path / "secret", login_url=server.url
        )
        network = app.settings.network.model_copy(update={"ca_file": ca_file})
        settings = app.settings.model_copy(update={"microsoft": microsoft, "network": network})
        own = replace(app, settings=settings)
        with serving(own) as address, Tab(address) as tab:
            server.redirect_uris = {f"{address}/sign-in/microsoft/callback"}
            answer = server.consent(_start(tab, _invite(own), "microsoft"))
            assert _come_back(tab, "microsoft", answer).status_code == status
