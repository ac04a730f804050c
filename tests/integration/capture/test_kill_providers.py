"""A capture over HTTP killed anywhere, and then run again, leaves the rows of one that was never disturbed: from Google, from
Microsoft 365 and from a CalDAV server, whose tokens are renewed and whose notices are subscribed to on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from tests.integration.capture.providers import BEGINS, LATER, Providers
from tests.integration.capture.test_kill import Killer, sample

SAMPLED = 2


@contextmanager
def _killer(stage: str, folder: Path, url: str | None = None) -> Iterator[Killer]:
    """*first*: nothing was captured yet; *later*: everything was, and then much changed, expired, and is to be prolonged."""
    with Providers(folder / "home", url=url) as providers:
        if stage == "later":
            providers.capture_and_change()
        at = BEGINS if stage == "first" else LATER
        database: tuple[str, ...] = ()
        if url is not None:
            address = make_url(url)
            server = address.set(database="postgres").render_as_string(hide_password=False)
            database = (server, str(address.database))
        yield Killer(providers.home, folder / "scratch", *database, at=at)


@pytest.fixture(scope="module")
def killer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    with _killer(request.param, tmp_path_factory.mktemp(request.param)) as killer:
        yield killer


@pytest.fixture
def postgres_killer(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> Iterator[Killer]:
    with _killer(request.param, tmp_path, postgres_url) as killer:
        yield killer


@pytest.mark.parametrize("killer", ["later"], indirect=True)
def test_killed_at_points_all_over_it(killer: Killer) -> None:
    assert {row["connector"] for row in killer.told["account"]} == {"google", "microsoft", "caldav"}
    assert {row["state"] for row in killer.told["subscription"]} == {"active", "unwatchable"}
    assert {row["outcome"] for row in killer.told["ledger"]} == {"captured"}
    captured = [row["activity_id"] for row in killer.told["ledger"] if row["activity_id"]]
    assert len(set(captured)) < len(captured), "some were seen twice"
    killer.kill_at(sample(killer.points, SAMPLED))


@pytest.mark.soak
@pytest.mark.parametrize("killer", ["first", "later"], indirect=True)
def test_killed_at_every_point(killer: Killer) -> None:
    killer.kill_at(list(range(1, killer.points + 1)))


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.parametrize("postgres_killer", ["first", "later"], indirect=True)
def test_killed_at_every_point_on_postgresql(postgres_killer: Killer) -> None:
    postgres_killer.kill_at(list(range(1, postgres_killer.points + 1)))
