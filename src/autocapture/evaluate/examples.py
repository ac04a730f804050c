"""What there was to decide in a world, with the truth about it: by this weights are fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from autocapture.connector import CaptureLevel
from autocapture.evaluate.answers import stored_as
from autocapture.evaluate.harness import lived
from autocapture.evaluate.world import AMBIGUOUS, World
from autocapture.match import weighed
from autocapture.model.activities import Activity
from autocapture.model.crm import Deal
from autocapture.store import activities
from autocapture.store.bulk import table_of
from autocapture.store.engine import reading
from autocapture.workflows.matching import groups_of
from autocapture.workflows.people import our_people


class Example(NamedTuple):
    """A matter: the evidence for each option, the last of which is no deal; which of them is right, None where nobody could
    tell; of how many activities that is so."""

    options: Sequence[Mapping[str, float]]
    right: int | None
    activities: int


def examples_of(world: World, level: CaptureLevel) -> list[Example]:
    """Every matter of the world with a deal to choose, when the product keeps as much as `level` lets it."""
    with lived(world, level) as app, reading(app.engine) as session:
        organization = our_people(app)
        ids = session.scalars(select(table_of(Activity).c.id)).all()
        items = list(activities.load(session, ids).values())
        groups, directory = groups_of(session, organization, items)
        truth, deals = _truth(session, world), _deals(session)
        found: list[Example] = []
        for group in groups:
            for matter, of_deals, for_none in weighed(group, directory):
                options = [*of_deals.values(), for_none]
                places: dict[int | None, int] = {key: place for place, key in enumerate(of_deals)}
                told = [each.occurrence.activity_id for each in matter.members]
                about = Counter(
                    None if truth[key] == AMBIGUOUS else places.get(deals.get(truth[key]), len(of_deals))
                    for key in told
                    if key in truth
                )
                found += [Example(options, right, number) for right, number in about.items()]
        return found


def _truth(session: Session, world: World) -> dict[int, str]:
    """By stored activity, what the world says that it is about."""
    told = {each.activity: each.deal for each in world.truth if each.admitted}
    stored = stored_as(session, world)
    return {number: told[key] for key, number in stored.items() if number is not None and key in told}


def _deals(session: Session) -> dict[str, int]:
    deal = table_of(Deal).c
    return dict(session.execute(select(deal.source_id, deal.id)).all())
