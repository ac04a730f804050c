"""What a single activity names itself: which deals, and what of what is written counts for that."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from autocapture.match.words import (
    Content,
    DealWords,
    Said,
    content_of_subject,
    content_of_text,
    deal_words,
    said_of,
    together,
    with_quantities,
)
from autocapture.match.writing import without_asides, written_in
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.matching import MatchingRules, Occurrence

_TOLD = 0.99
"""Said of a deal whose own words, or those of one of its products, are all there."""
_HINTED = 0.5
"""So much of its own words is enough where no other deal has any, or beside another that is named."""
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")


class Written(NamedTuple):
    """What is written in an activity. `new` is what it says itself: its `content`, unless its subject is that of
    what it answers."""

    candidates: Mapping[int, KnownDeal]
    occurrence: Occurrence
    content: Content
    new: Content
    after_pause: bool

    @property
    def inherited(self) -> bool:
        return self.new is not self.content

    @property
    def subject(self) -> str:
        return self.occurrence.draft.subject or ""

    @property
    def is_ours(self) -> bool:
        return self.occurrence.draft.direction == "outbound"

    @property
    def ours(self) -> Collection[int]:
        return [party.user_id for party in self.occurrence.draft.parties if party.user_id is not None]


class Spoken(NamedTuple):
    """`deals` are those that an activity names itself, by words or numbers that no other candidate has, `touched` all of which it
    has such a word. `content` is what counts of what it says, `new` that without an inherited subject.

    `is_new`: its subject is that of another matter. `asks`: we ask which of several is meant. `of_all`: it speaks of several at
    once, in words that they share."""

    deals: frozenset[int]
    content: Content
    new: Content
    touched: frozenset[int] = frozenset()
    is_new: bool = False
    asks: bool = False
    of_all: bool = False


def spoken_of(written: Written, directory: Directory, rules: MatchingRules) -> Spoken:
    """What is newly written comes before an inherited subject. What is only mentioned beside, as that which stays as it is or
    comes later, counts where nothing else is named. Nothing is named where there is one deal to name."""
    if len(written.candidates) < 2 or not written.content.words:
        return Spoken(frozenset(), written.content, written.new)
    called = {key: deal_words(deal, directory, rules) for key, deal in written.candidates.items()}
    new = written.new
    said = said_of(written.content, called)
    touched = frozenset([key for key, each in said.items() if each.alone or each.number])
    if written.inherited:
        said = said_of(new, called)
    return _named(written, new, said, called, rules)._replace(touched=touched)


def _named(
    written: Written,
    new: Content,
    said: Mapping[int, Said],
    called: Mapping[int, DealWords],
    rules: MatchingRules,
) -> Spoken:
    content = written.content
    deals = _mentioned(said, alone=written.inherited or written.after_pause)
    if not deals:
        return Spoken(deals, content, new, of_all=_is_of_all(new, said, rules))
    text = written_in(written.occurrence) if len(deals) > 1 else None
    if text:
        if written.is_ours and _asks_which(text, deals, called):
            return Spoken(deals, content, new, asks=True)
        spared = _read(without_asides(text, rules), called)
        if not written.inherited:
            spared = together([_titled(written, called), spared])
        if spared.words != new.words and (left := _mentioned(said_of(spared, called), alone=True) & deals):
            deals, new = left, spared._replace(has_subject=content.has_subject, has_text=content.has_text)
            content = together([_titled(written, called), new])
    return _beside_subject(written, Spoken(deals, content, new), said, called)


def _read(text: str, called: Mapping[int, DealWords]) -> Content:
    return with_quantities(content_of_text(text), text, called.values())


def _titled(written: Written, called: Mapping[int, DealWords]) -> Content:
    return with_quantities(content_of_subject(written.subject), written.subject, called.values())


def _mentioned(said: Mapping[int, Said], *, alone: bool) -> frozenset[int]:
    """The deals of which all own words are there, or a number, with those of which half are; one of these `alone` where it may
    be."""
    told = frozenset([key for key, each in said.items() if each.alone >= _TOLD or each.number])
    hinted = frozenset([key for key, each in said.items() if each.alone >= _HINTED])
    if told:
        return told | hinted
    if len(hinted) != 1:
        return frozenset()
    return hinted if alone and sum(each.alone > 0 for each in said.values()) == 1 else frozenset()


def _is_of_all(new: Content, said: Mapping[int, Said], rules: MatchingRules) -> bool:
    return sum(each.at_all > 0 for each in said.values()) > 1 and not rules.both.isdisjoint(new.words)


def _asks_which(text: str, deals: Collection[int], called: Mapping[int, DealWords]) -> bool:
    """Whether one question names several of the deals: ``the cranes or the winch?``"""
    asked = [each for each in _SENTENCE.findall(text) if "?" in each]
    return any(
        sum(said[key].alone > 0 or said[key].number > 0 for key in deals) > 1
        for said in [said_of(_read(each, called), called) for each in asked]
    )


def _begun_with(written: Written, deals: Collection[int], called: Mapping[int, DealWords]) -> frozenset[int]:
    """Those of the deals that the first sentence names which names any."""
    for sentence in _SENTENCE.findall(written_in(written.occurrence) or ""):
        said = said_of(_read(sentence, called), called)
        if found := frozenset([key for key in deals if said[key].alone or said[key].number]):
            return found
    return frozenset(deals)


def _beside_subject(
    written: Written, spoken: Spoken, said: Mapping[int, Said], called: Mapping[int, DealWords]
) -> Spoken:
    """With what a subject says that is not the same. Of several deals the one is meant whose number is given, else the one that
    the subject names, where an answer begins with it too. Of another deal than the text the subject says
    nothing, unless the text names its own in part only and the owner of the subject's takes part, and not that one's."""
    title = said_of(_titled(written, called), called) if written.subject else {}
    meant = {key: each for key, each in title.items() if each.alone or each.number}
    if len(spoken.deals) > 1:
        chosen = frozenset([key for key in spoken.deals if said[key].number])
        if len(chosen) != 1:
            chosen = spoken.deals & _mentioned(title, alone=True)
        if len(chosen) != 1 or (
            written.inherited and not chosen & _begun_with(written, spoken.deals, called)
        ):
            return spoken
        return spoken._replace(deals=chosen)
    if not written.inherited or not meant or not spoken.deals.isdisjoint(meant):
        return spoken
    (deal,) = spoken.deals
    strongest = max(max(each.alone, each.number) for each in meant.values())
    if strongest > max(said[deal].alone, said[deal].number) and not written.after_pause:
        return Spoken(frozenset(), written.content, spoken.new)
    owners = {written.candidates[key].owner_id for key in meant}
    is_in_part = said[deal].at_all < _TOLD and not said[deal].number
    if (
        is_in_part
        and written.candidates[deal].owner_id not in written.ours
        and not owners.isdisjoint(written.ours)
    ):
        return Spoken(frozenset(meant), written.content, spoken.new)
    return spoken._replace(is_new=True)
