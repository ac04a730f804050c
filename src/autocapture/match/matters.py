"""A thread or series cut into matters: what is one conversation is decided as one, by all that is known of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from autocapture.formats.subjects import base_subject
from autocapture.match.cast import Cast, Companies
from autocapture.match.naming import Spoken, Written, spoken_of
from autocapture.match.people import Person
from autocapture.match.words import (
    NOTHING,
    Content,
    content_of_subject,
    content_of_text,
    deal_words,
    together,
    with_quantities,
)
from autocapture.match.writing import turns_away, written_in
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.draft import Draft, Party
from autocapture.model.matching import MatchingRules, Occurrence

_UNWRITTEN = (NOTHING, NOTHING._replace(has_subject=True))
"""What an activity without a text says itself under the subject of another one."""


@dataclass(slots=True)
class Seen:
    """An activity with whom it means. `candidates` are the deals that it may be about, live at its time."""

    occurrence: Occurrence
    parties: tuple[Party, ...]
    cast: Cast
    candidates: Mapping[int, KnownDeal]
    content: Content = NOTHING
    own: Content = NOTHING
    """What is written in it, without its subject."""
    named: Mapping[int, str] = field(default_factory=dict)
    """The candidates of which it gives the key in the CRM, with what gives it."""

    draft: Draft = field(init=False)
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.draft = self.occurrence.draft
        self.at = self.draft.occurred_at

    @property
    def written(self) -> Content:
        """What it says itself, where its subject is the one that it answers."""
        has_subject = self.content.has_subject
        return _UNWRITTEN[has_subject] if self.own is NOTHING else self.own._replace(has_subject=has_subject)

    @property
    def people(self) -> Sequence[Person]:
        return self.cast.people

    @property
    def companies(self) -> Companies:
        return self.cast.companies

    @property
    def contacts(self) -> frozenset[int]:
        return self.cast.speaking


@dataclass(slots=True)
class Matter:
    """Activities of one thread or series that are about the same, oldest first."""

    members: list[Seen]
    casts: list[Cast] = field(default_factory=list)
    """Of its members, each once."""
    handles: set[str] = field(default_factory=set)
    companies: dict[int, tuple[str, str]] = field(default_factory=dict)
    candidates: dict[int, KnownDeal] = field(default_factory=dict)
    pointed: frozenset[int] = frozenset()
    """The deals that its activities name."""
    named: dict[int, str] = field(default_factory=dict)
    """The deals of which it gives the key in the CRM, with what gives it."""
    hijacked: bool = False
    """Whether it began under the subject of another matter, which says nothing of this one."""
    touched: frozenset[int] = frozenset()
    """The deals of which they have words."""
    stays_unnamed: bool = False
    """Whether what is named later does not tell what was meant: it speaks of several, or the thread does."""
    asks: bool = False
    """Whether we ask in it which of several deals is meant."""
    content: Content = NOTHING
    undecided: Sequence[Person] = ()
    """Those who stand for one of several companies, none of which takes part otherwise."""

    @property
    def is_series(self) -> bool:
        return self.members[0].draft.kind == "meeting"

    def add(self, seen: Seen, spoken: Spoken | None = None) -> None:
        self.members.append(seen)
        if not any(cast is seen.cast for cast in self.casts):
            self.casts.append(seen.cast)
            self.handles.update(seen.cast.contacts)
            for company_id, evidence in seen.companies.items():
                self.companies.setdefault(company_id, evidence)
        self.candidates.update(seen.candidates)
        for deal_id, by in seen.named.items():
            self.named.setdefault(deal_id, by)
        if spoken is not None:
            self.pointed = self.pointed or spoken.deals
            self.touched |= spoken.touched
            self.asks = self.asks or spoken.asks
            self.stays_unnamed = self.stays_unnamed or spoken.of_all

    def close(self) -> None:
        """Nothing more comes to it."""
        self.content = together([each.content for each in self.members])
        self.undecided = [
            person
            for cast in self.casts
            if cast.is_unclear
            for person in cast.people
            if person.undecided and self.companies.keys().isdisjoint(person.undecided)
        ]


def matters_of(group: Sequence[Seen], directory: Directory, rules: MatchingRules) -> list[Matter]:
    """The matters of one thread or series, in the order in which they begin. `group` is oldest first.

    An activity goes on with the latest matter of which somebody takes part, unless another company joins, its subject changed
    after a long pause, or it names another deal. What is named later tells what was meant before where nothing was named yet, and
    the whole thread names one deal.
    """
    found: list[Matter] = []
    parts = [seen for seen in group if seen.occurrence.part_of is not None]
    if parts:
        group = [seen for seen in group if seen.occurrence.part_of is None]
    if len(group) == 1 and (group[0].occurrence.text is None or len(group[0].candidates) < 2):
        found.append(_begun(group[0], None))
        group = ()
    told = _spoken(group, directory, rules)
    is_mixed = len({deal for spoken in told if spoken.deals for deal in spoken.touched}) > 1
    for seen, spoken in zip(group, told, strict=True):
        _place(seen, spoken, found, rules, is_mixed=is_mixed)
    for seen in parts:  # a call in a meeting's slot is about what the meeting is about
        whole = next((matter for matter in found if _holds(matter, seen.occurrence.part_of)), None)
        if whole is None:
            found.append(_begun(seen, None))
        else:
            whole.add(seen)
    for matter in found:
        matter.close()
    return found


def _place(seen: Seen, spoken: Spoken, found: list[Matter], rules: MatchingRules, *, is_mixed: bool) -> None:
    """Into the matter that it goes on with, or into one that it begins. `is_mixed`: the thread names several deals."""
    is_answer = spoken.new is not seen.content
    turned = is_answer and turns_away([seen.occurrence.text], spoken.new.words, rules.elsewhere)
    near = _nearest_first(found, seen)
    matter = next((each for each in near if _goes_on(seen, spoken, each, rules, turned=turned)), None)
    if matter is None:
        matter = _begun(seen, spoken)
        matter.stays_unnamed = matter.stays_unnamed or is_mixed
        matter.hijacked = spoken.is_new or turned or (is_answer and bool(found) and bool(spoken.deals))
        found.append(matter)
    else:
        matter.add(seen, spoken)
    seen.content = spoken.new if spoken.is_new or (is_answer and matter.hijacked) else spoken.content


def _spoken(group: Sequence[Seen], directory: Directory, rules: MatchingRules) -> list[Spoken]:
    """What each of them names."""
    news = _news_of(group)
    # where only one of them says anything, and that in its subject, there is none to tell from another
    may_differ = len([seen for seen, new in zip(group, news, strict=True) if seen.named or new.words]) > 1
    found: list[Spoken] = []
    latest: datetime | None = None
    for seen, new in zip(group, news, strict=True):
        paused = latest is not None and seen.at - latest > rules.pause
        latest = seen.at
        if seen.named:
            keys = frozenset(seen.named)
            found.append(Spoken(keys, seen.content, new, keys))
        elif may_differ or seen.own is not NOTHING:
            written = Written(seen.candidates, seen.occurrence, seen.content, new, paused)
            found.append(spoken_of(written, directory, rules))
        else:
            found.append(Spoken(frozenset(), seen.content, new))
    return found


def _news_of(group: Sequence[Seen]) -> list[Content]:
    """What each of them says itself: where its subject is the one that it answers, its text alone."""
    found: list[Content] = []
    subjects: set[str] = set()
    for seen in group:
        subject = base_subject(seen.draft.subject or "")
        found.append(seen.written if _is_inherited(seen, subject, subjects) else seen.content)
        subjects.add(subject)
    return found


def _is_inherited(seen: Seen, subject: str, before: Collection[str]) -> bool:
    """Whether the subject is that of what it answers: said before, or with a mark of answers beside a text."""
    if subject in before:
        return True
    if not seen.content.has_text or seen.draft.subject is None:
        return False
    return subject != " ".join(seen.draft.subject.split()).casefold()


def _holds(matter: Matter, activity_id: int | None) -> bool:
    return any(each.occurrence.activity_id == activity_id for each in matter.members)


def _nearest_first(matters: Sequence[Matter], seen: Seen) -> Sequence[Matter]:
    """A matter of the same companies comes before one that another company joined, then the latest."""
    if len(matters) < 2:
        return matters

    def nearness(matter: Matter) -> tuple[bool, datetime]:
        return matter.companies.keys() == seen.companies.keys(), matter.members[-1].at

    return sorted(matters, key=nearness, reverse=True)


def _begun(seen: Seen, spoken: Spoken | None) -> Matter:
    matter = Matter([])
    matter.add(seen, spoken)
    return matter


def _goes_on(seen: Seen, spoken: Spoken, matter: Matter, rules: MatchingRules, *, turned: bool) -> bool:
    if turned or matter.handles.isdisjoint(seen.cast.contacts):
        return False
    if matter.companies and not seen.companies.keys() <= matter.companies.keys():
        return False
    if spoken.deals and spoken.deals != matter.pointed and (matter.pointed or matter.stays_unnamed):
        return False
    if spoken.deals and matter.touched and matter.touched.isdisjoint(spoken.deals):
        return False
    return matter.is_series or not _is_another_subject(seen, matter, rules)


def _is_another_subject(seen: Seen, matter: Matter, rules: MatchingRules) -> bool:
    last = matter.members[-1]
    if seen.draft.subject is None or last.draft.subject is None:
        return False
    if abs(seen.at - last.at) <= rules.pause:
        return False
    return base_subject(seen.draft.subject) != base_subject(last.draft.subject)


def contents_of(
    occurrence: Occurrence, candidates: Mapping[int, KnownDeal], directory: Directory, rules: MatchingRules
) -> tuple[Content, Content]:
    """What an activity says, and what of that stands in its text."""
    subject, text = occurrence.draft.subject, written_in(occurrence)
    called = (
        [deal_words(each, directory, rules) for each in candidates.values()] if len(candidates) > 1 else ()
    )
    title = with_quantities(content_of_subject(subject), subject, called) if subject else NOTHING
    if not text:
        return title, NOTHING
    own = with_quantities(content_of_text(text), text, called)
    return together([title, own]), own
