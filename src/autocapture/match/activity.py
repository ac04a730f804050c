"""The door of matching: which people, companies and deals the activities of a thread or series belong to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from autocapture.match.answer import answer_without_deal, answers_of
from autocapture.match.cast import Cast, casts_of
from autocapture.match.decide import Decision, decided, options_of
from autocapture.match.evidence import Evidence, evidence_of
from autocapture.match.live import life_of, live_at
from autocapture.match.locks import as_said, word_on
from autocapture.match.matters import Matter, Seen, contents_of, matters_of
from autocapture.match.named import is_thread_only, named_by, without_unnamed
from autocapture.match.people import known_person, outside_handles, with_contacts
from autocapture.match.references import referred_to
from autocapture.match.rules import rules_of
from autocapture.match.words import NOTHING
from autocapture.model.directory import Directory
from autocapture.model.draft import Draft, Matched
from autocapture.model.matching import MatchingRules, Occurrence

NO_CHOICE = Decision({}, False, ())
"""Where there is no deal to choose."""


def match(group: Sequence[Occurrence], directory: Directory) -> dict[int, Matched]:
    """The contacts, companies and deals of each activity of one thread or series, or of one that has neither; by activity.

    What a person said of an activity holds before all else (`locks`). People are found by exact handle, companies by contact,
    then by domain, partners aside while another company takes part.
    The group is cut into matters (`matters`); all that the messages of one tell is evidence for each deal live at the time, and
    for none (`evidence`). A deal is taken that is likely enough by the rules' weights and thresholds, else none, with a
    `review` that says what there was to choose from. The order of the group does not matter, and the directory may hold more
    than is needed.
    """
    rules = rules_of(directory)
    with_casts = _with_casts(group, directory, rules)
    # most often nobody said anything, there is no deal, and everybody is known by company: nothing is to be decided
    if not (directory.locks or directory.by_key or directory.by_reference) and not any(
        cast.lives or cast.is_unclear for _, cast in with_casts
    ):
        return {
            each.activity_id: Matched(with_contacts(each.draft.parties, cast.contacts), cast.links)
            for each, cast in with_casts
        }
    seen = [_one_seen(*each, directory, rules) for each in with_casts]
    said = _said(seen, directory)
    answers: dict[int, Matched] = {}
    about_deals = _about_deals(seen, said)
    for matter, decision in _judged(about_deals, directory, rules) if _is_open(about_deals) else ():
        answers.update(answers_of(matter, decision, directory, rules))
    for each in seen:
        if (key := each.occurrence.activity_id) not in answers:
            answers[key] = answer_without_deal(each)
    return {**answers, **said} if said else answers


def reaches_deals(draft: Draft, directory: Directory) -> bool:
    """Whether somebody who takes part could be on a deal of the directory, at whatever time."""
    people = [known_person(each, directory) for each in outside_handles(draft.parties, directory)]
    return any(
        person.contact_id in directory.deals_of_contact
        or person.undecided
        or not directory.deals_of_company.keys().isdisjoint(person.companies)
        for person in people
    )


def judged(group: Sequence[Occurrence], directory: Directory) -> list[tuple[Matter, Decision]]:
    """The matters of a thread or series, each with the probability of every option and what speaks for it: also of what a person
    decided, for who is to be told what else there was."""
    rules = rules_of(directory)
    seen = _seen(group, directory, rules)
    return list(_judged(_about_deals(seen, _said(seen, directory)), directory, rules))


def weighed(
    group: Sequence[Occurrence], directory: Directory
) -> list[tuple[Matter, dict[int, Evidence], Evidence]]:
    """The matters of a thread or series about which there is something to decide, each with the evidence for its candidates and
    for no deal, as it is before the weights."""
    rules = rules_of(directory)
    seen = _seen(group, directory, rules)
    return [
        (matter, *evidence_of(matter, directory, rules))
        for matter in matters_of(_about_deals(seen, _said(seen, directory)), directory, rules)
        if _is_to_decide(matter)
    ]


def _said(seen: Sequence[Seen], directory: Directory) -> dict[int, Matched]:
    """The answers that people gave themselves."""
    if not directory.locks:
        return {}
    found: dict[int, Matched] = {}
    for each in seen:
        key = each.occurrence.activity_id
        word = word_on(key, each.draft, each.people, directory)
        if (answer := as_said(word, each.parties, each.companies, directory)) is not None:
            found[key] = answer
    return found


def _about_deals(seen: Sequence[Seen], said: Mapping[int, Matched]) -> list[Seen]:
    """Those that may be about a deal: not what is among ourselves, no business, a mass mailing, or said to an audience."""
    return [
        each
        for each in seen
        if each.cast.is_for_deals
        and each.draft.nature == "human"
        and ((answer := said.get(each.occurrence.activity_id)) is None or answer.business)
    ]


def _is_open(seen: Sequence[Seen]) -> bool:
    """Whether there is a deal to choose, or somebody of whom only the others tell for which company they stand."""
    return any(each.candidates or each.cast.is_unclear for each in seen)


def _judged(
    seen: Sequence[Seen], directory: Directory, rules: MatchingRules
) -> Iterator[tuple[Matter, Decision]]:
    for matter in matters_of(seen, directory, rules) if seen else ():
        if _is_to_decide(matter):
            options = options_of(*evidence_of(matter, directory, rules), rules)
            yield matter, decided(options, rules, asks=matter.asks, several=len(matter.pointed) > 1)
        else:
            yield matter, NO_CHOICE


def _is_to_decide(matter: Matter) -> bool:
    return bool(matter.candidates) and (bool(matter.named) or not matter.undecided)


def _seen(group: Sequence[Occurrence], directory: Directory, rules: MatchingRules) -> list[Seen]:
    """The activities, oldest first, with whom they mean."""
    return [_one_seen(*each, directory, rules) for each in _with_casts(group, directory, rules)]


def _with_casts(
    group: Sequence[Occurrence], directory: Directory, rules: MatchingRules
) -> list[tuple[Occurrence, Cast]]:
    in_order = sorted(group, key=_chronology) if len(group) > 1 else group
    return list(zip(in_order, casts_of(in_order, directory, rules), strict=True))


def _chronology(occurrence: Occurrence) -> tuple[datetime, int]:
    return occurrence.draft.occurred_at, occurrence.activity_id


def _one_seen(occurrence: Occurrence, cast: Cast, directory: Directory, rules: MatchingRules) -> Seen:
    parties = with_contacts(occurrence.draft.parties, cast.contacts)
    named = named_by(occurrence, directory, rules)
    referred = referred_to(occurrence.draft, occurrence.text, directory) if directory.by_reference else ()
    if not (cast.lives or named or referred):
        return Seen(occurrence, parties, cast, {})
    lives = cast.lives
    if named or referred:
        others = {*named, *[each.deal_id for each in referred]} - {each.deal.deal_id for each in lives}
        lives = (*lives, *[life_of(directory.deals[each], rules) for each in sorted(others)])
    candidates = live_at(occurrence.draft.occurred_at, lives)
    content, own = contents_of(occurrence, candidates, directory, rules) if candidates else (NOTHING, NOTHING)
    if any(is_thread_only(deal, rules) for deal in candidates.values()):
        candidates = without_unnamed(candidates, named, content, directory, rules)
    given = {deal_id: by for deal_id, by in named.items() if deal_id in candidates}
    return Seen(occurrence, parties, cast, candidates, content, own, given)
