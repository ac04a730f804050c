"""What matching is asked and by what it decides: an activity with its text, an option with its evidence, the rules.

`match.rules` reads the rules from a file in the form of ``config/matching.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from autocapture.model.draft import Draft
from autocapture.values import value


@value(frozen=True, slots=True)
class Occurrence:
    """An activity as `match` is asked about it. `text` is what its writer wrote, without quotations; None where none is kept.
    `part_of`: the meeting of which a call is a part, in the same series."""

    activity_id: int
    draft: Draft
    text: str | None = None
    part_of: int | None = None


@value(frozen=True, slots=True)
class Option:
    """One answer to what a matter is about: a deal, or None: no deal, the company alone. `p` is its probability; `evidence` has
    what speaks for it or against it, by name, in log-odds."""

    deal_id: int | None
    p: float
    evidence: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """`weights` are log-odds by the name of an evidence (`match.evidence`); `version` stands beside every link.

    A deal is taken whose probability is at least `attach` and `margin` above that of any other option. Where several deals have
    words of their own and at least `share` each, it is split between at most `most`.
    """

    version: int
    weights: Mapping[str, float]
    attach: float
    margin: float
    share: float
    most: int
    grace: timedelta
    """How long before its creation and after its close a deal may still be what an activity is about."""
    pause: timedelta
    """After this much silence a changed subject means another matter."""
    audience: int
    companies: int
    """More outsiders or companies than these make an audience: such an activity is about no deal."""
    service: frozenset[str]
    """Words of what is no sale: bills, tickets, passwords, invitations to fairs. Case-folded."""
    doubtful: frozenset[str]
    """Words that what is no sale has, and sales too: support, delivery, maintenance. Case-folded."""
    elsewhere: frozenset[str]
    """What is written before another matter is begun: ``off topic``. Case-folded, words with one space between."""
    deal_links: tuple[str, ...]
    """Addresses of the pages of deals in the CRM, with ``{key}`` where the key stands."""
    thread_only: frozenset[str]
    """Pipelines, folded, whose deals are meant only where they are named."""
    social: frozenset[str]
    """Words of invitations that are no business: dinners, farewells. Case-folded."""
    invited: frozenset[str]
    """Words of an invitation, be it to business, in the subject of a mail. Case-folded."""
    terms: frozenset[str]
    """Words of what holds for a year rather than for a deal: price lists, conditions. Case-folded."""
    both: frozenset[str]
    """Words for several at once: ``both``. Case-folded."""
    aside: frozenset[str]
    """What is said of that which is not meant now: ``unaffected``, ``later``. Case-folded, words with one space between."""
    denied: frozenset[str]
    """Words that deny what follows them: ``not``. Case-folded."""
    common: frozenset[str]
    """Words in names of deals that tell none of them from others. Case-folded."""
