"""The service account that may read the Pub/Sub subscription: its tokens, in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from autocapture.application import Application
from autocapture.connect.access_tokens import ANY
from autocapture.connect.pubsub import SCOPE
from autocapture.connect.token_endpoint import Tokens
from autocapture.errors import SetupError

_NOBODYS = 0  # no account has this number


def pubsub_token(app: Application) -> Callable[[bool], str]:
    """Gives a bearer token; True asks for a new one. Raises SetupError where no key is set."""

    def token(fresh: bool) -> str:
        refused = ANY if fresh else None
        return app.tokens.get(_NOBODYS, "pubsub", partial(_ask, app), refused=refused)

    return token


def _ask(app: Application) -> Tokens:
    key_file = app.settings.push.pubsub_account_file
    if key_file is None:
        raise SetupError("push.pubsub_account_file is not set, so Pub/Sub cannot be read")
    return app.clients.get("google").in_place_of("", [SCOPE], key_file)
