"""How much of what lies at the sources is here is told with every summary, and whose account stands still."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import col, select
from tests.integration.summary.organization import MONDAY, WEEK
from tests.integration.summary.serving import shown
from tests.integration.summary.walking import words

from autocapture.application import Application
from autocapture.model.accounts import Account
from autocapture.model.watching import Census, Stall
from autocapture.store.engine import writing
from autocapture.workflows.summarize import publish


@pytest.fixture
def page(copy: Callable[..., Application], written: object) -> Callable[..., str]:
    """The week's page, after censuses that found so many items and missed so many of them."""

    def made(*counts: tuple[int, int], stalled: bool = False) -> str:
        app = copy(written)
        with writing(app.engine) as session:
            accounts = [each.id or 0 for each in session.exec(select(Account).order_by(col(Account.id)))]
            for account_id, (listed, missing) in zip(accounts, counts, strict=False):
                census = Census(account_id=account_id, due_at=MONDAY, counted_at=MONDAY)
                census.listed, census.missing = listed, missing
                session.add(census)
            if stalled:
                session.add(Stall(account_id=accounts[0], sign="newest", checked_at=MONDAY, since=MONDAY))
        publish(app, team_id=1, week=WEEK)
        return shown(app, f"/summary/north/{WEEK}")

    return made


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([(800, 0), (200, 0)], "reps; 100% of what is at the sources."),
        ([(800, 1), (200, 0)], "reps; 99.9% of what is at the sources."),
        ([(99_999, 1)], "reps; 99.99% of what is at the sources."),
        ([], "reps."),
    ],
)
def test_the_share_of_the_last_censuses_is_told(
    page: Callable[..., str], counts: list[tuple[int, int]], told: str
) -> None:
    """Less than all is never told as all."""
    text = words(page(*counts))
    assert told in text
    assert ("Not all that the sources hold is here" in text) == any(missing for _, missing in counts)


def test_who_has_an_account_that_stands_still_is_named(page: Callable[..., str]) -> None:
    assert "An account of Anna Berg stands still" in page(stalled=True)
