"""The review queue: what stayed undecided, thread by thread, with the deals to choose from. Answering is correcting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.activities import Activity
from autocapture.model.corrections import Scope
from autocapture.model.directory import Organization
from autocapture.model.organization import User
from autocapture.store.engine import reading
from autocapture.workflows.alternatives import NONE, Alternatives, alternatives, consider
from autocapture.workflows.answerable import is_answerable
from autocapture.workflows.correct import Corrected, Saying, correct
from autocapture.workflows.leading import with_those_led
from autocapture.workflows.people import our_people_as_known
from autocapture.workflows.spot_checks import found_deal

TOP = 3
_MOST = 5_000
"""Activities looked at for one queue: nobody answers more before they look again."""


@dataclass(frozen=True, slots=True)
class Question:
    """The newest undecided activity of a thread or series, or one that has neither. `alike` is how many of the thread are
    undecided, itself included; `has_thread` whether there may be more of it than this one."""

    activity_id: int
    kind: str
    at: datetime
    direction: str
    subject: str | None
    outside: tuple[str, ...]
    ours: tuple[str, ...]
    why: str
    alike: int
    has_thread: bool
    alternatives: Alternatives


@dataclass(frozen=True, slots=True)
class Queue:
    """Questions, the newest first, of `total` in all about `undecided` activities."""

    questions: tuple[Question, ...]
    total: int
    undecided: int


def queue(app: Application, user_id: int, *, team: bool = False, start: int = 0, most: int = 20) -> Queue:
    """What is undecided of a user's activities; with `team` also of those whom they lead."""
    organization = our_people_as_known(app)
    with reading(app.engine) as session:
        user = session.get_one(User, user_id)
        people = with_those_led(session, user) if team else frozenset({user_id})
        heads, alike = _threads(session, people)
        shown = list(heads)[start : start + most]
        return Queue(
            tuple(_questions(session, organization, shown, alike, people)), len(heads), sum(alike.values())
        )


def answer(app: Application, by: int, activity_id: int, choice: str, scope: Scope = "thread") -> Corrected:
    """Answers a question: `choice` is 1, 2 or 3 of the deals that `queue` names, ``none``, ``not-business``, or a deal's key or
    name; or ``yes``: it is right as it is, which is said of this activity alone. Raises InputError."""
    if choice == "yes":
        return correct(app, by, activity_id, Saying("deal", "item", deal=found_deal(app, activity_id, by)))
    if choice == "none":
        return correct(app, by, activity_id, Saying("no_deal", scope))
    if choice == "not-business":
        return correct(app, by, activity_id, Saying("not_business", scope))
    if choice in ("1", "2", "3"):
        choice = _numbered(app, by, activity_id, int(choice))
    return correct(app, by, activity_id, Saying("deal", scope, deal=choice))


def _numbered(app: Application, by: int, activity_id: int, number: int) -> str:
    organization = our_people_as_known(app)
    with reading(app.engine) as session:
        led = with_those_led(session, session.get_one(User, by))
        theirs = select(Activity.id).where(Activity.id == activity_id, *is_answerable(led))
        if session.exec(theirs).first() is None:
            raise InputError(f"there is no activity {activity_id} of yours, or of those whom you lead")
        found = alternatives(session, consider(session, organization, [activity_id]))
        deals = found.get(activity_id, NONE).deals[:TOP]
    if number > len(deals):
        raise InputError(f"there are {len(deals)} deals to choose from; say its key or name instead")
    return deals[number - 1].key


def _threads(session: Session, people: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """The newest undecided activity of each thread, with the thread; and how many are undecided, by thread."""
    rows = session.exec(
        select(Activity.id, Activity.thread_id, Activity.series_id)
        .where(col(Activity.review).is_not(None), *is_answerable(people))
        .order_by(col(Activity.occurred_at).desc(), col(Activity.id))
        .limit(_MOST)
    )
    heads: dict[int, int] = {}
    alike: dict[int, int] = {}
    for activity_id, thread_id, series_id in rows:
        group = thread_id or series_id or activity_id
        if group not in alike:
            heads[activity_id] = group
        alike[group] = alike.get(group, 0) + 1
    return heads, {head: alike[group] for head, group in heads.items()}


def _questions(
    session: Session,
    organization: Organization,
    ids: Sequence[int],
    alike: dict[int, int],
    people: Collection[int],
) -> list[Question]:
    considered = consider(session, organization, ids)
    choices = alternatives(session, considered)
    questions = []
    for activity_id in ids:
        item = considered.items.get(activity_id)
        if item is None:
            continue
        draft = item.draft
        outside = [each for each in draft.parties if each.user_id is None and not each.resource]
        questions.append(
            Question(
                activity_id=activity_id,
                kind=draft.kind,
                at=draft.occurred_at,
                direction=draft.direction,
                subject=draft.subject,
                outside=tuple(dict.fromkeys(each.name or each.address for each in outside)),
                ours=tuple(
                    organization.colleagues[part.user_id].name
                    for part in draft.parts
                    if part.user_id in people
                ),
                why=item.matched.review or "",
                alike=alike[activity_id],
                has_thread=item.thread_id is not None or item.series_id is not None,
                alternatives=choices.get(activity_id, NONE),
            )
        )
    return questions
