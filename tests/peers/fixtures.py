"""Pytest fixtures around the servers; a conftest imports those that its tests use.

from tests.peers.fixtures import dovecot_server, mail_devel_server  # noqa: F401
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.peers import dovecot as dovecot_peer
from tests.peers.maildevel import MailDevel, mail_devel


@pytest.fixture(scope="session")
def dovecot_server() -> Iterator[dovecot_peer.Dovecot]:
    """One Dovecot for all tests of a process; a test takes a mailbox of its own with `new_user`. Skips where missing."""
    if reason := dovecot_peer.missing():
        pytest.skip(reason)
    with dovecot_peer.dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def mail_devel_server() -> Iterator[MailDevel]:
    """One mail-devel for all tests of a process; every user name is a mailbox of its own."""
    with mail_devel() as server:
        yield server
