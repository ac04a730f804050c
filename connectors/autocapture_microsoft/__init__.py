"""Microsoft 365: mail and calendars of one login through Microsoft Graph, and the organisation's Teams calls.

Mailboxes are read with GET alone, several at once through ``$batch``; subscriptions to notices are all that is ever written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from autocapture.connector import Auth, Connection, Credential, Grant, Tools
from autocapture.errors import SetupError
from autocapture.records import Kind
from autocapture_microsoft.calls import CallsConnection
from autocapture_microsoft.connection import MicrosoftConnection
from autocapture_microsoft.folders import WellKnown
from autocapture_microsoft.graph import Graph
from autocapture_microsoft.options import CallsOptions, MicrosoftOptions
from autocapture_microsoft.scopes import CALLS_SCOPES, SCOPES, permissions

__all__ = ["CallsConnector", "MicrosoftConnector", "calls_connector", "connector"]


class MicrosoftConnector:
    """Mail folders and calendars of one mailbox in Exchange Online."""

    name = "microsoft"
    kinds: frozenset[Kind] = frozenset({"email", "event"})
    auth = Auth("oauth", "microsoft", SCOPES)
    options = MicrosoftOptions

    def __init__(self) -> None:
        self._well_known = WellKnown()

    @contextmanager
    def open(self, options: MicrosoftOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        """Asks nothing yet. Raises SetupError for a mailbox that the operator did not list."""
        grant = _grant(credential)
        allowed = {each.casefold() for each in options.allowed_mailboxes}
        if options.mailbox and options.mailbox.casefold() not in allowed:
            raise SetupError(
                f"{options.mailbox} is not among the mailboxes that application permission may be used for"
            )
        with tools.http() as session:
            graph = Graph(session, grant, tools, options.graph_url, options.mailbox)
            granted = permissions(grant.scopes)
            if (
                options.mailbox
            ):  # what an application may do is granted elsewhere, and shows when it is asked for
                granted = replace(granted, assumed=True)
            whose = f"{graph.url} {grant.subject} {graph.mailbox}"
            yield MicrosoftConnection(graph, granted, lambda: self._well_known.ids(graph, whose))


class CallsConnector:
    """The calls of Microsoft Teams, with an application permission that reaches the whole organisation. Nobody's calls are
    asked for but those of the people named in its options, and it is connected by an administrator or not at all."""

    name = "microsoft-calls"
    kinds: frozenset[Kind] = frozenset({"call"})
    auth = Auth("oauth", "microsoft", CALLS_SCOPES, by_organisation=True)
    options = CallsOptions

    @contextmanager
    def open(self, options: CallsOptions, credential: Credential, tools: Tools) -> Iterator[Connection]:
        grant = _grant(credential)
        with tools.http() as session:
            graph = Graph(session, grant, tools, options.graph_url)
            yield CallsConnection(graph, options.reps, permissions(grant.scopes))


def _grant(credential: Credential) -> Grant:
    if not isinstance(credential, Grant):
        raise SetupError("an account at Microsoft 365 needs its owner's sign-in")
    return credential


connector = MicrosoftConnector()
calls_connector = CallsConnector()
