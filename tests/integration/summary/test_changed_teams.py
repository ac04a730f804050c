"""Who changes teams in a week is told of in both summaries, each with their days there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlmodel import col, select
from tests.integration.summary.beginning import deal
from tests.integration.summary.organization import WEEK
from tests.integration.summary.serving import shown

from autocapture.application import Application
from autocapture.model.measures import Publication
from autocapture.model.organization import Membership, Team
from autocapture.report.publication import summary_of
from autocapture.store.engine import writing
from autocapture.workflows.summarize import publish

ANNA = 2


def _changes_to_south(people: Application) -> None:
    """Anna belongs to North until Wednesday."""
    with writing(people.engine) as session:
        stay = session.exec(select(Membership).where(col(Membership.user_id) == ANNA)).one()
        stay.valid_to = date(2026, 11, 11)
        session.add(Team(id=2, name="South"))
        session.flush()
        session.add(Membership(user_id=ANNA, team_id=2, valid_from=date(2026, 11, 12)))


def _told(publication: Publication) -> tuple[int, Decimal | None]:
    """How many deals the team won in the week, and how many Anna did in it."""
    summary = summary_of(publication)
    [anna] = [person for person in summary.people if person.user_id == ANNA]
    [own] = [number for number in anna.numbers if number.metric == "deals_won"]
    return len(summary.wins), own.value


def test_the_numbers_of_people_are_those_of_their_days_in_the_team(people: Application) -> None:
    deal(people, 1, at=datetime(2026, 11, 9, 10, tzinfo=UTC), minor=100_000)
    deal(people, 2, at=datetime(2026, 11, 12, 10, tzinfo=UTC), minor=200_000)
    deal(people, 3, at=datetime(2026, 11, 13, 10, tzinfo=UTC), minor=300_000)
    _changes_to_south(people)
    north, south = (publish(people, team_id=team, week=WEEK) for team in (1, 2))
    assert _told(north) == (1, 1)
    assert _told(south) == (2, 2)


def test_the_rows_behind_such_a_number_are_those_of_these_days(people: Application) -> None:
    deal(people, 1, at=datetime(2026, 11, 9, 10, tzinfo=UTC), minor=100_000)
    deal(people, 2, at=datetime(2026, 11, 12, 10, tzinfo=UTC), minor=200_000)
    _changes_to_south(people)
    publication = publish(people, team_id=2, week=WEEK)
    [anna] = summary_of(publication).people
    [won] = [number for number in anna.numbers if number.metric == "deals_won"]
    page = shown(people, f"/n/{publication.id}/{won.metric}/{won.cell}")
    assert "Pumps 2" in page
    assert "Pumps 1" not in page
