"""Hard rules H1 and H2: what a person said beats everything that is found out by itself.

What was said of the activity itself comes first, then of its thread or series, of a person who takes part, of their domain; in
each of these the newest word. Whoever speaks of less is believed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autocapture.formats.domains import organization_domains
from autocapture.match.people import Person, said_person
from autocapture.model.corrections import Lock
from autocapture.model.directory import Directory, untagged
from autocapture.model.draft import Draft, Link, Matched, Party

_WIDTH = {"item": 1, "thread": 1, "person": 2, "domain": 3}


@dataclass(frozen=True, slots=True)
class Word:
    """What people said of one activity's matter: `lock` holds, its deal, that it has none, or that it is no business.

    `torn` are words of one rank on different people that contradict each other, of which none holds.
    """

    lock: Lock | None = None
    torn: tuple[Lock, ...] = ()


NOTHING_SAID = Word()


def people_said(
    activity_id: int, draft: Draft, handles: Iterable[str], directory: Directory
) -> Mapping[str, Person]:
    """Those of the handles outside of which somebody said who they are, in this activity."""
    return {
        handle: said_person(handle, lock.contact_id, lock.company_id, directory)
        for handle, lock in who_said(activity_id, draft, handles, directory).items()
    }


def who_said(
    activity_id: int, draft: Draft, handles: Iterable[str], directory: Directory
) -> Mapping[str, Lock]:
    """The word that holds on who a handle is, of those handles of which there is one."""
    if not directory.locks:
        return {}
    near = _near(activity_id, draft, directory)
    found: dict[str, Lock] = {}
    for handle in handles:
        names = (handle, untagged(handle))
        words = [*near, *_on_handle(handle, activity_id, draft, directory)]
        lock = _first([each for each in words if each.said == "person" and each.handle in names], activity_id)
        if lock is not None:
            found[handle] = lock
    return found


def word_on(activity_id: int, draft: Draft, people: Sequence[Person], directory: Directory) -> Word:
    """What holds of all that was said of an activity in which these people from outside take part."""
    if not directory.locks:
        return NOTHING_SAID
    near = [each for each in _near(activity_id, draft, directory) if each.said != "person"]
    if near:
        return Word(_first(near, activity_id))
    found = [_on_person(person, activity_id, draft, directory) for person in people]
    if found and all(lock is not None and lock.said == "not_business" for lock in found):
        return Word(max((lock for lock in found if lock is not None), key=_newest))
    speaking = [lock for lock in found if lock is not None and lock.said != "not_business"]
    speaking = [lock for lock in speaking if lock.scope == "person"] or speaking
    if len({(lock.said, lock.deal_id) for lock in speaking}) > 1:
        return Word(torn=tuple(sorted(set(speaking), key=_newest)))
    return Word(max(speaking, key=_newest, default=None))


def as_said(
    word: Word, parties: tuple[Party, ...], companies: Mapping[int, tuple[str, str]], directory: Directory
) -> Matched | None:
    """The answer that follows from a word: None where nothing was said. `parties` have their contacts."""
    if word.torn:
        return Matched(parties, _company_links(companies, None, directory), _question(word.torn, directory))
    lock = word.lock
    if lock is None:
        return None
    if lock.said == "not_business":
        unnamed = tuple(
            Party(each.role, each.address, each.name, each.response, each.resource, each.user_id)
            for each in parties
        )
        return Matched(unnamed, business=False)
    links = _company_links(companies, lock.deal_id, directory)
    if lock.deal_id is None:
        return Matched(parties, links)
    deal = Link("deal", lock.deal_id, "correction", evidence={"correction": lock.correction_id})
    return Matched(parties, (*links, deal))


def _company_links(
    companies: Mapping[int, tuple[str, str]], deal_id: int | None, directory: Directory
) -> tuple[Link, ...]:
    found = dict(companies)
    deal = None if deal_id is None else directory.deals[deal_id]
    if deal is not None and deal.company_id is not None:
        found.setdefault(deal.company_id, ("deal", str(deal_id)))
    return tuple(
        Link("company", company_id, method, evidence={"by": by})
        for company_id, (method, by) in sorted(found.items())
    )


def _question(torn: Sequence[Lock], directory: Directory) -> str:
    said = ["no deal" if each.deal_id is None else directory.deals[each.deal_id].name for each in torn]
    return f"what was said of those who take part differs: {', '.join(dict.fromkeys(said))}"


def _near(activity_id: int, draft: Draft, directory: Directory) -> list[Lock]:
    """What was said of the activity itself, or of its thread or series."""
    found = directory.locks.of_activity.get(activity_id, ())
    return [lock for lock in found if _reaches(lock, activity_id, draft, directory)]


def _on_handle(handle: str, activity_id: int, draft: Draft, directory: Directory) -> list[Lock]:
    found = directory.locks.of_handle
    return [
        lock
        for name in dict.fromkeys((handle, untagged(handle)))
        for lock in found.get(name, ())
        if _reaches(lock, activity_id, draft, directory)
    ]


def _on_person(person: Person, activity_id: int, draft: Draft, directory: Directory) -> Lock | None:
    """What somebody's activities were said to be about: the newest word on themselves, else on their domain."""
    locks, handle = directory.locks, person.handle
    words = [each for each in _on_handle(handle, activity_id, draft, directory) if each.said != "person"]
    of_contact = locks.of_contact.get(person.contact_id or 0, ())
    words += [each for each in of_contact if _reaches(each, activity_id, draft, directory)]
    if words or "@" not in handle:
        return max(words, key=_newest, default=None)
    for domain in organization_domains(handle.rpartition("@")[2]):
        of_domain = locks.of_domain.get(domain, ())
        if words := [each for each in of_domain if _reaches(each, activity_id, draft, directory)]:
            return max(words, key=_newest)
    return None


def _reaches(lock: Lock, activity_id: int, draft: Draft, directory: Directory) -> bool:
    """Whether a lock that was found for an activity holds for it: by whose it is, and by its time."""
    if lock.is_lost or (lock.deal_id is not None and lock.deal_id not in directory.deals):
        return False
    if lock.activity_id == activity_id:
        return True
    ours = {part.user_id for part in draft.parts}
    if lock.said == "not_business":
        # nobody speaks for colleagues for whom it counts
        counting = {part.user_id for part in draft.parts if part.counts} or ours
        return bool(counting) and counting <= lock.for_users
    if ours.isdisjoint(lock.for_users):
        return False
    if lock.scope == "thread" or lock.said == "person":
        return True
    if lock.since is not None and draft.occurred_at < lock.since:
        return False
    closed_at = None if lock.deal_id is None else directory.deals[lock.deal_id].closed_at
    return closed_at is None or draft.occurred_at <= closed_at


def _first(locks: Sequence[Lock], activity_id: int) -> Lock | None:
    """The one of the narrowest, and of those the newest."""
    return min(locks, key=lambda each: (_width(each, activity_id), -each.correction_id), default=None)


def _width(lock: Lock, activity_id: int) -> int:
    return 0 if lock.activity_id == activity_id else _WIDTH[lock.scope]


def _newest(lock: Lock) -> int:
    return lock.correction_id
