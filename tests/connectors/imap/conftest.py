"""A mailbox of its own for each test, on each real IMAP server there is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest
from tests.connectors.imap.mailbox import Mailbox, Opener, tools
from tests.peers.dovecot import Dovecot
from tests.peers.fixtures import dovecot_server, mail_devel_server  # noqa: F401
from tests.peers.maildevel import MailDevel

from autocapture.connector import Connection, Tools
from autocapture_imap import ImapOptions, connector


@pytest.fixture
def dovecot_box(dovecot_server: Dovecot) -> Mailbox:  # noqa: F811
    return Mailbox(dovecot_server, dovecot_server.new_user())


@pytest.fixture
def plain_box(mail_devel_server: MailDevel) -> Mailbox:  # noqa: F811
    """On a server without LIST-STATUS, SPECIAL-USE and CONDSTORE."""
    return Mailbox(mail_devel_server, f"{uuid.uuid4().hex[:12]}@example.org")


@pytest.fixture(params=[pytest.param("dovecot_box", marks=pytest.mark.dovecot), "plain_box"])
def box(request: pytest.FixtureRequest) -> Mailbox:
    found: Mailbox = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens connections that end with the test."""
    with ExitStack() as stack:

        def open_(box: Mailbox, with_: Tools | None = None) -> Connection:
            options = ImapOptions(host="127.0.0.1", port=box.server.port, security="none")
            opening: Callable[..., AbstractContextManager[Connection]] = connector.open
            return stack.enter_context(opening(options, box.credential, with_ or tools()))

        yield open_
