"""Numbers of quotes and orders written out in full, ``VG-2026-118/3``, sought among all deals of the rep, whoever writes."""

from __future__ import annotations

import re
from collections.abc import Collection

from autocapture.formats.words import joined
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.draft import Draft

_WRITTEN = re.compile(r"(?<![\w/-])[^\W\d_]{1,8}(?:[-/][0-9]{1,8}){2,4}(?![\w])")
"""Letters and at least two numbers, with dashes or slashes: no date is that, and no price."""
_READ_LIMIT = 20_000


def references_in(draft: Draft, text: str | None) -> frozenset[str]:
    """The references, joined, that an activity gives in full."""
    texts = [each for each in (draft.subject, text) if each]
    found = [each for written in texts for each in _WRITTEN.findall(written[:_READ_LIMIT])]
    return frozenset(map(joined, found)) if found else frozenset()


def referred_to(draft: Draft, text: str | None, directory: Directory) -> Collection[KnownDeal]:
    """The deals of those of us who take part whose references it gives."""
    ours = {party.user_id for party in draft.parties if party.user_id is not None}
    found = [directory.by_reference.get(each, ()) for each in references_in(draft, text)]
    deals = [directory.deals[deal_id] for ids in found for deal_id in ids]
    return [deal for deal in deals if deal.owner_id in ours]
