"""With an account from elsewhere, in Chromium: a form leads to the provider, though forms may lead nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.browser.chromium import marks, tab
from tests.integration.summary.organization import reopened
from tests.integration.summary.serving import serving
from tests.integration.web.conftest import write_few
from tests.integration.web.people import let_in
from tests.tables import make_tables

from autocapture.connect.vault import create_key
from autocapture.sections import OidcSettings
from autocapture.store.engine import writing
from autocapture.testing.fakes.authorization_server import authorization_server
from autocapture.workflows.invitations import invite, users_to_invite

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = marks


def test_an_invited_rep_uses_their_company_login(browser: Browser, tmp_path: Path) -> None:
    app = reopened(tmp_path)
    create_key(app.settings.key_file)
    make_tables(app.engine)
    with writing(app.engine) as session:
        write_few(session)
    let_in(app, 1)
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    with authorization_server(app.clock) as server:
        company = OidcSettings(issuer=server.url, client_id="client", client_secret_file=tmp_path / "secret")
        app = replace(app, settings=app.settings.model_copy(update={"oidc": {"company": company}}))
        [user] = users_to_invite(app, "rep@ours.example")
        link = invite(app, user, by_mail=False).address
        with serving(app) as address, tab(browser, address, server.url) as page:
            server.redirect_uris = {f"{address}/sign-in/company/callback"}
            page.goto(link[link.index("/link/") :])
            for button in ("Use company", "Sign in with company"):
                page.get_by_role("button", name=button).click()
                page.wait_for_url(f"{server.url}/authorize?**")
                answer = server.consent(page.url)
                # a link on a page of the provider's leads back, as its redirect would
                page.set_content(f'<a href="{address}/sign-in/company/callback?{urlencode(answer)}">Back</a>')
                page.get_by_role("link", name="Back").click()
                page.wait_for_url(f"{address}/")
                assert page.get_by_role("link", name="Rita Ep").count() == 1
                page.get_by_role("button", name="Sign out").click()
                page.wait_for_url("**/sign-in")
