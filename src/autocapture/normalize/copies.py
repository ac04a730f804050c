"""One mail in several mailboxes: joining its copies, and telling apart what only looks like a copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from autocapture.model.draft import Direction, Draft, Nature, Party
from autocapture.normalize.parts import shared

_DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound", "internal")
_NATURES: tuple[Nature, ...] = ("human", "bulk", "auto")


def merge_emails(drafts: Sequence[Draft]) -> Draft:
    """The union of the copies of one mail: whatever their order, and whether joined at once or one by one, the same draft.

    Only the sender's copy knows Bcc, only a list's copy its rewritten parties, so parties and parts are united; the share
    is counted anew. The earliest time stays, and the shortest subject (lists put their name before it). All copies are
    taken for one mail: the dedupe key is the first in alphabetical order, which differs only for copies with rewritten ids.
    """
    if len(drafts) == 1:
        return drafts[0]
    first = min(drafts, key=lambda draft: draft.dedupe_key)
    return replace(
        first,
        occurred_at=min(draft.occurred_at for draft in drafts),
        direction=min((draft.direction for draft in drafts), key=_DIRECTIONS.index),
        parties=_parties(party for draft in drafts for party in draft.parties),
        parts=shared(part for draft in drafts for part in draft.parts),
        nature=max((draft.nature for draft in drafts), key=_NATURES.index),
        subject=min(
            (draft.subject for draft in drafts if draft.subject is not None),
            key=lambda subject: (len(subject), subject),
            default=None,
        ),
        external=any(draft.external for draft in drafts),
        thread_keys=_thread_keys(first.dedupe_key, drafts),
        provider_thread=min(
            (d.provider_thread for d in drafts if d.provider_thread is not None), default=None
        ),
        fingerprint=min((d.fingerprint for d in drafts if d.fingerprint is not None), default=None),
    )


def conflicts(one: Draft, other: Draft) -> bool:
    """Whether two drafts with one Message-ID are different mails: author, subject and time all differ.

    Some programs give every mail the same id, or send an edited draft again under its old one. A subject that was not kept
    cannot speak for them being the same.
    """
    if _authors(one) == _authors(other) or one.occurred_at == other.occurred_at:
        return False
    return one.subject is None or other.subject is None or one.subject != other.subject


def separated(draft: Draft) -> Draft:
    """The draft under an identity of its own, ``<Message-ID>#<hash>``, for a mail that conflicts with the stored one."""
    told = "\n".join((*sorted(_authors(draft)), draft.occurred_at.isoformat(), draft.subject or ""))
    key = f"{draft.dedupe_key}#{sha256(told.encode('utf-8', 'replace')).hexdigest()[:16]}"
    return replace(draft, dedupe_key=key, thread_keys=(key, *draft.thread_keys[1:]))


def is_same_rewritten(one: Draft, other: Draft) -> bool:
    """Whether drafts from two accounts are one mail whose Message-ID was rewritten on the way (a gateway, a list).

    Same author, Date and subject (the fingerprint), and somebody besides the author in common: a mail merge sends each
    addressee a mail of their own in the same second.
    """
    if one.fingerprint is None or one.fingerprint != other.fingerprint or one.dedupe_key == other.dedupe_key:
        return False
    return bool(_addressees(one) & _addressees(other))


def _parties(parties: Iterable[Party]) -> tuple[Party, ...]:
    found: dict[tuple[str, str], Party] = {}
    for party in parties:
        key = (party.role, party.address)
        known = found.get(key)
        if known is None:
            found[key] = party
        elif known != party:
            found[key] = max(known, party, key=lambda each: (len(each.name), each.name, each.user_id or 0))
    return tuple(found[key] for key in sorted(found))


def _thread_keys(own: str, drafts: Sequence[Draft]) -> tuple[str, ...]:
    if len({(draft.dedupe_key, draft.thread_keys) for draft in drafts}) == 1:
        return drafts[0].thread_keys
    keys = {key for draft in drafts for key in (draft.dedupe_key, *draft.thread_keys)}
    return (own, *sorted(keys - {own}))


def _authors(draft: Draft) -> frozenset[str]:
    return frozenset(party.address for party in draft.parties if party.role == "from")


def _addressees(draft: Draft) -> frozenset[str]:
    return frozenset(party.address for party in draft.parties if party.role != "from")
