"""The CalDAV connector passes the suite over real servers, and over a fake as polite and as rude as servers are."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.connectors.caldav.support import tools
from tests.contracts.caldav_worlds import DavWorld, RadicaleWorld, XandikosWorld
from tests.peers.radicale import Radicale, radicale
from tests.peers.xandikos import Xandikos, xandikos

from autocapture.connector import Counts
from autocapture.testing.contract import ConnectorContract
from autocapture.testing.fakes.caldav.manners import Manners
from autocapture.testing.fakes.caldav.store import event_text
from autocapture.testing.fakes.caldav.world import CaldavWorld
from autocapture.testing.source_world import SourceWorld
from autocapture_caldav import CaldavOptions, connector


def assert_counted_by_year(world: DavWorld) -> None:
    """Two that begin now, one that begins later."""
    for number in range(3):
        world.add(number, 0)
    path = f"{world.paths[0]}{2}%40c%20{0}.ics"
    world.client.put(
        path, event_text(2).replace("DTSTART:2026", "DTSTART:2027").replace("DTEND:2026", "DTEND:2027")
    )
    with connector.open(CaldavOptions(**world.options), world.credential, tools()) as connection:
        assert isinstance(connection, Counts)
        counted = [connection.count(channel) for channel in connection.channels()]
    assert [(each.total, each.by_year) for each in counted if each.total] == [(3, {2026: 2, 2027: 1})]
    world.close()


class FakeContract(ConnectorContract):
    max_examples = 1
    steps = 10
    manners = Manners()
    can = CaldavWorld.can
    idle_requests = CaldavWorld.idle_requests

    def make_world(self, directory: Path) -> SourceWorld:
        world = CaldavWorld(connector, replace(self.manners))
        world.can = self.can  # type: ignore[misc]
        world.idle_requests = self.idle_requests  # type: ignore[misc]
        return world


class TestPolite(FakeContract):
    max_examples = 2


class TestTruncating(FakeContract):
    manners = Manners(truncates_at=2)


class TestSkippingWhatItTruncates(FakeContract):
    manners = Manners(truncates_at=2, skips_when_truncating=True)


class TestWithoutSync(FakeContract):
    """CTags and etags alone."""

    manners = Manners(syncs=False)
    can = CaldavWorld.can - {"expire"}


class TestForgettingRudely(FakeContract):
    """Tokens are refused with a status that says nothing."""

    manners = Manners(refuses_token=(418, False), escapes_at=True, doubles=True)


class TestWithoutEtags(FakeContract):
    manners = Manners(etags=False, syncs=False, tells_component=False, swallows=True)
    can = CaldavWorld.can - {"expire"}


class TestRefusingChanges(FakeContract):
    """Every token is refused at once, and resources are given one by one alone."""

    manners = Manners(refuses_changes=500, multiget=415, announces_sync=True)
    can = CaldavWorld.can - {"expire"}


class TestRadicale(ConnectorContract):
    max_examples = 1
    steps = 8
    server: Radicale

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _running(cls) -> Iterator[None]:
        with radicale() as server:
            cls.server = server
            yield

    def make_world(self, directory: Path) -> SourceWorld:
        return RadicaleWorld(self.server)

    def test_it_tells_how_many_begin_in_each_year(self, tmp_path: Path) -> None:
        assert_counted_by_year(self.make_world(tmp_path))


class TestXandikos(ConnectorContract):
    max_examples = 1
    steps = 8
    server: Xandikos

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _running(cls) -> Iterator[None]:
        with xandikos() as server:
            cls.server = server
            yield

    def make_world(self, directory: Path) -> SourceWorld:
        return XandikosWorld(self.server)

    def test_it_tells_how_many_begin_in_each_year(self, tmp_path: Path) -> None:
        assert_counted_by_year(self.make_world(tmp_path))
