"""The IMAP connector passes the suite over real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contracts.worlds import DovecotWorld, MailDevelWorld
from tests.peers import dovecot as peer
from tests.peers.dovecot import Dovecot, dovecot
from tests.peers.maildevel import MailDevel, mail_devel

from autocapture.testing.contract import ConnectorContract
from autocapture.testing.source_world import SourceWorld


@pytest.mark.dovecot
@pytest.mark.skipif(peer.missing() is not None, reason=str(peer.missing()))
class TestDovecot(ConnectorContract):
    max_examples = 2
    steps = 12
    server: Dovecot

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _running(cls) -> Iterator[None]:
        with dovecot(record=True) as server:
            cls.server = server
            yield

    def make_world(self, directory: Path) -> SourceWorld:
        return DovecotWorld(self.server)


class TestMailDevel(ConnectorContract):
    max_examples = 2
    steps = 12
    server: MailDevel

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _running(cls) -> Iterator[None]:
        with mail_devel() as server:
            cls.server = server
            yield

    def make_world(self, directory: Path) -> SourceWorld:
        return MailDevelWorld(self.server)
