"""Connecting an account by consent at its provider, from the command line: through a browser on this machine, by a code typed in
on another screen, or by what the organisation granted."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from autocapture.connect.redirects import PORT
from autocapture.errors import InputError, RateLimited

if TYPE_CHECKING:
    from autocapture.application import Application
    from autocapture.connect.oauth import Device, OAuth
    from autocapture.connect.token_endpoint import Tokens
    from autocapture.workflows.granting import Outcome, Wanted

_SLOWER = timedelta(seconds=5)  # RFC 8628 section 3.5
_NO_DEVICES = {
    "google": "Google grants neither mail nor calendars by a code (it lets devices ask for a few other scopes only); connect "
    f"in a browser, through `ssh -L {PORT}:127.0.0.1:{PORT}` where this machine has none"
}


def by_browser(app: Application, wanted: Wanted, port: int) -> Outcome:
    """Prints the address of the consent page and waits on `port` until the browser is back."""
    from autocapture.cli.loopback import WITHIN, Loopback
    from autocapture.workflows.granting import Outcome, answered, question

    with Loopback[Outcome](app.clock, port) as loopback:
        asked = question(app, wanted, loopback.redirect_uri)
        minutes = round(WITHIN.total_seconds() / 60)
        typer.echo(
            f"Open this in a browser on this machine, and sign in within {minutes} minutes:\n\n{asked.url}\n"
        )
        return loopback.wait(asked.state, lambda query: answered(app, wanted, query, asked))


def by_device(app: Application, wanted: Wanted, *, sleep: Callable[[float], None] = time.sleep) -> Outcome:
    """Prints a code to be typed in anywhere, and waits until that was done. Raises InputError where the provider does not grant
    what is wanted in this way."""
    from autocapture.workflows.granting import client_of, connect_granted, require_known, scopes_of

    require_known(app, wanted)
    connector = app.registry.get(wanted.connector)
    if connector.auth.provider in _NO_DEVICES:
        raise InputError(_NO_DEVICES[connector.auth.provider])
    client = client_of(app, connector)
    device = client.ask_device(scopes_of(app, wanted))
    typer.echo(f"Open {device.verification_url} anywhere and type in the code {device.user_code}")
    tokens = _typed_in(app, client, device, sleep)
    return connect_granted(app, wanted, tokens, nonce="", asked_for=device.scopes)


def _typed_in(app: Application, client: OAuth, device: Device, sleep: Callable[[float], None]) -> Tokens:
    interval = device.interval
    while app.clock.now() < device.expires_at:
        sleep(interval.total_seconds())
        try:
            tokens = client.poll_device(device)
        except RateLimited:
            interval += _SLOWER
            continue
        if tokens is not None:
            return tokens
    raise InputError("nobody typed in the code in time; start again")
