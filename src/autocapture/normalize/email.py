"""Mail: one copy to a draft of its activity, the copies of one mail joined, and what only looks like a copy told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from autocapture.connector import CaptureLevel
from autocapture.errors import RecordUnusable
from autocapture.formats.envelope import author_of, occurred_at
from autocapture.formats.handles import canonical_email
from autocapture.formats.machine_mail import header_sign
from autocapture.formats.subjects import base_subject
from autocapture.model.columns import stable_id
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Direction, Draft, Nature, Part, Party, Role
from autocapture.normalize.missed_meeting import said_in_subject
from autocapture.normalize.parts import is_weightier, local_date, shared
from autocapture.records import Address, EmailRecord

BULK_RECIPIENTS = 25
"""A mail of ours to more outsiders than this is a mass mailing, not somebody's outreach."""

REDATED = timedelta(hours=1)
"""Copies of one mail hardly ever differ in their Date header, and then by less: a program's clock, a gateway's."""

_DEAL_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HEADERS_HASHED = "h:"
_ESCAPED = "mail:"
_NOT_OF_MAIL = ("event:", "call:", _HEADERS_HASHED, _ESCAPED)
"""How the keys begin that are no Message-ID. Whoever writes a mail chooses its id, and every guest knows a meeting's key."""

_CONSTANT_IDS = frozenset(
    {
        "", "@", "-", "0", "1", "null", "nil", "none", "undefined", "unknown", "noid", "message-id", "messageid", "localhost",
        "@localhost", "null@null", "unknown@unknown", "undefined@undefined", "none@none",
    }
)  # fmt: skip

_party = lru_cache(maxsize=16_384)(Party)
_part = lru_cache(maxsize=16_384)(Part)
"""Most mails name the same few people on the same few days: one value for all of them is made, sent and held once."""

_DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound", "internal")
_NATURES: tuple[Nature, ...] = ("human", "bulk", "auto")


def draft_email(
    record: EmailRecord, owner: Colleague, organization: Organization, *, level: CaptureLevel
) -> Draft:
    """The activity as the copy in a mailbox of `owner` tells it; `merge_emails` joins it with other copies.

    `occurred_at` as `formats.envelope` says. Outbound is what an address of ours wrote to somebody outside, inbound what
    somebody outside wrote. It counts for the sender of an outbound mail, for the users in To of an inbound one; users in
    Cc, colleagues told of an outbound mail, and an owner whom no field names (Bcc, a list) only saw it. What a shared
    address of ours sent counts for whom Sender names, else for nobody. The subject is kept unless `level` is metadata.
    Raises RecordUnusable when the mail has no time at all.
    """
    instant = occurred_at(record)
    if instant is None:
        raise RecordUnusable("the mail has neither a date nor a time of receipt")
    author = author_of(record)
    author_handle = canonical_email(author.email) if author else ""
    parties = _parties(record, author, author_handle, organization)
    outside = {party.address for party in parties if not _is_ours(party, organization)}
    direction = _direction(author_handle, outside, organization)
    key = _dedupe_key(record, author_handle, owner)
    return Draft(
        dedupe_key=key,
        kind="email",
        occurred_at=instant,
        direction=direction,
        parties=parties,
        parts=_parts(
            instant,
            _credits(parties, direction, (owner.user_id,), _signers(record, organization)),
            organization,
        ),
        nature=_nature(record, direction, len(outside), organization),
        subject=None if level == "metadata" else record.subject.strip(),
        remark=None if level == "metadata" else said_in_subject(record.subject),
        deal_key=_deal_key(record) if direction == "outbound" else None,
        external=bool(outside),
        thread_keys=_thread_keys(key, record),
        provider_thread=record.provider_thread,
        fingerprint=_fingerprint(record, author_handle),
    )


def _deal_key(record: EmailRecord) -> str | None:
    """The key that a CRM which sends mail for our people writes into a header."""
    found = _DEAL_KEY.fullmatch(record.headers.get("x-crm-deal", "").strip())
    return found[0].lower() if found else None


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
        parties=_united(party for draft in drafts for party in draft.parties),
        parts=shared(part for draft in drafts for part in draft.parts),
        nature=max((draft.nature for draft in drafts), key=_NATURES.index),
        subject=min(
            (draft.subject for draft in drafts if draft.subject is not None),
            key=lambda subject: (len(subject), subject),
            default=None,
        ),
        external=any(draft.external for draft in drafts),
        thread_keys=_united_keys(first.dedupe_key, drafts),
        provider_thread=min(
            (d.provider_thread for d in drafts if d.provider_thread is not None), default=None
        ),
        fingerprint=min((d.fingerprint for d in drafts if d.fingerprint is not None), default=None),
        remark=min((d.remark for d in drafts if d.remark is not None), default=None),
        deal_key=min((d.deal_key for d in drafts if d.deal_key is not None), default=None),
    )


def joined(
    copies: Sequence[Draft], stored: Draft | None, owners: Iterable[int], organization: Organization
) -> Draft:
    """The mail as its copies and what is stored of it tell it, judged as a whole by our people as they are now.

    Who is ours, the direction and what counts for whom follow from the united addresses, not from what each copy was judged
    as: it may have been read when other people, aliases or time zones were known. `owners` are the users in whose mailboxes
    it was seen. Only whom Sender named is taken over as it is, from the copies first: that address is not kept.
    """
    united = merge_emails(copies if stored is None else [stored, *copies])
    parties = tuple([_of_now(party, organization) for party in united.parties])
    outside = {party.address for party in parties if not _is_ours(party, organization)}
    authors = _authors(united) or {""}
    direction = min((_direction(author, outside, organization) for author in authors), key=_DIRECTIONS.index)
    signers = _named_by_sender(copies) or _named_by_sender(() if stored is None else (stored,))
    credits = _credits(parties, direction, owners, signers)
    mass = direction == "outbound" and len(outside) > BULK_RECIPIENTS
    return replace(
        united,
        direction=direction,
        parties=parties,
        parts=_parts(united.occurred_at, credits, organization),
        nature="bulk" if mass else united.nature,
        external=bool(outside),
    )


def conflicts(one: Draft, other: Draft) -> bool:
    """Whether two drafts with one Message-ID are different mails.

    Some programs give every mail the same id, send an edited draft again under its old one, or reuse the id of a mail that
    they got. Mails of one author are different when time and subject both differ, or when their Date headers lie more than
    `REDATED` apart. What another author wrote is a copy only where a list put itself in the author's place.
    """
    if one.fingerprint is not None and one.fingerprint == other.fingerprint:
        return False
    if not _is_same_author(one, other):
        return not _is_list_rewrite(one, other)
    if one.occurred_at == other.occurred_at:
        return False
    if _differ_in_subject(one, other):
        return True
    dated = one.fingerprint is not None and other.fingerprint is not None
    return dated and abs(one.occurred_at - other.occurred_at) > REDATED


def own_key(draft: Draft) -> str:
    """An identity beside the mail that already has this Message-ID: the id with what makes this one another mail, told alike
    at every capture level."""
    told = draft.fingerprint
    if told is None:
        told = stable_id("\n".join((*sorted(_authors(draft)), draft.occurred_at.isoformat())))
    return f"{draft.dedupe_key}#{told}"


def is_derived(dedupe_key: str) -> bool:
    """Whether the key is made of what the mail says, which changes when the mail is corrected, not of its Message-ID alone."""
    return dedupe_key.startswith(_HEADERS_HASHED) or "#" in dedupe_key


def is_same_rewritten(one: Draft, other: Draft) -> bool:
    """Whether drafts from two accounts are one mail whose Message-ID was rewritten on the way (a gateway, a list).

    Same author, Date and subject (the fingerprint), and somebody besides the author in common: a mail merge sends each
    addressee a mail of their own in the same second.
    """
    if one.fingerprint is None or one.fingerprint != other.fingerprint or one.dedupe_key == other.dedupe_key:
        return False
    return bool(_addressees(one) & _addressees(other))


def _parties(
    record: EmailRecord, author: Address | None, author_handle: str, organization: Organization
) -> tuple[Party, ...]:
    """Each address once a role, in the order of roles and addresses (the order in which they are stored)."""
    found: dict[tuple[Role, str], Party] = {}
    if author is not None:
        found["from", author_handle] = _named("from", author_handle, author, organization)
    for role, addresses in (("to", record.to), ("cc", record.cc), ("bcc", record.bcc)):
        _add_parties(found, role, addresses, organization)  # type: ignore[arg-type]
    return tuple(found[key] for key in sorted(found))


def _add_parties(
    found: dict[tuple[Role, str], Party], role: Role, addresses: Sequence[Address], organization: Organization
) -> None:
    for address in addresses:
        handle = canonical_email(address.email)
        if (role, handle) not in found:
            found[role, handle] = _named(role, handle, address, organization)


def _named(role: Role, handle: str, address: Address, organization: Organization) -> Party:
    return _party(role, handle, address.name, None, False, organization.user_of(handle))


def _is_ours(party: Party, organization: Organization) -> bool:
    return party.user_id is not None or organization.is_inside(party.address)


def _direction(author: str, outside: set[str], organization: Organization) -> Direction:
    if not outside:
        return "internal"
    return "outbound" if author and author not in outside and organization.is_inside(author) else "inbound"


def _credits(
    parties: Sequence[Party], direction: Direction, owners: Iterable[int], signers: Iterable[int]
) -> dict[int, tuple[str, bool]]:
    """By user of whom the mail is known to have reached them: their weightiest role, and whether it counts for them."""
    found: dict[int, tuple[str, bool]] = dict.fromkeys(owners, ("copied", False))
    signed = False
    for party in parties:
        if party.user_id is None:
            continue
        role, counts = "copied", False
        if party.role == "from":
            role, counts, signed = "sender", True, True
        elif party.role == "to":
            role, counts = "recipient", direction == "inbound"
        known = found.get(party.user_id)
        if known is None or is_weightier(counts, role, known[1], known[0]):
            found[party.user_id] = (role, counts)
    if direction != "inbound" and not signed:
        found.update(dict.fromkeys(signers, ("sender", True)))
    return found


def _signers(record: EmailRecord, organization: Organization) -> tuple[int, ...]:
    """Who of ours sent it in another's name."""
    if not record.sender:
        return ()
    user_id = organization.user_of(canonical_email(record.sender[0].email))
    return () if user_id is None else (user_id,)


def _named_by_sender(drafts: Iterable[Draft]) -> set[int]:
    """The users who count as senders of these without being their author."""
    found: set[int] = set()
    for draft in drafts:
        authors = {party.user_id for party in draft.parties if party.role == "from"}
        found.update(
            part.user_id for part in draft.parts if part.role == "sender" and part.user_id not in authors
        )
    return found


def _parts(
    instant: datetime, credits: Mapping[int, tuple[str, bool]], organization: Organization
) -> tuple[Part, ...]:
    return shared(
        [
            _part(
                user_id,
                local_date(instant, organization.colleagues[user_id].time_zone),
                role,
                counts,
                float(counts),
            )
            for user_id, (role, counts) in credits.items()
        ]
    )


def _of_now(party: Party, organization: Organization) -> Party:
    user_id = organization.user_of(party.address)
    return party if party.user_id == user_id else replace(party, user_id=user_id)


def _nature(record: EmailRecord, direction: Direction, outside: int, organization: Organization) -> Nature:
    if direction == "outbound" and outside > BULK_RECIPIENTS:
        return "bulk"
    sign = header_sign(record, organization.domains)
    if sign is None:
        return "human"
    return "bulk" if sign == "newsletter" else "auto"


def _dedupe_key(record: EmailRecord, author: str, owner: Colleague) -> str:
    """The Message-ID; without a usable one a hash of the headers, within the mailboxes of one user (two users may hold two
    mails that look alike)."""
    if record.message_id and record.message_id.lower() not in _CONSTANT_IDS:
        return key_of(record.message_id)
    recipients = sorted(canonical_email(each.email) for each in (*record.to, *record.cc))
    told = (
        owner.user_id,
        author,
        record.sent_at.isoformat() if record.sent_at else "",
        base_subject(record.subject),
        *recipients,
        record.size,
    )
    return _HEADERS_HASHED + sha256("\n".join(map(str, told)).encode("utf-8", "replace")).hexdigest()


def key_of(message_id: str) -> str:
    """What a Message-ID is stored under; marked where it reads like the key of something else."""
    return _ESCAPED + message_id if message_id.startswith(_NOT_OF_MAIL) else message_id


def _thread_keys(own: str, record: EmailRecord) -> tuple[str, ...]:
    if not record.references and not record.in_reply_to:
        return (own,)
    keys = dict.fromkeys((own, *map(key_of, (*record.references, *record.in_reply_to))))
    return tuple([key for key in keys if key == own or key.lower() not in _CONSTANT_IDS])


def _fingerprint(record: EmailRecord, author: str) -> int | None:
    """What stays the same when a gateway rewrites the Message-ID: author, Date, subject. None without a Date."""
    if record.sent_at is None or not author:
        return None
    return stable_id(f"{author}\n{int(record.sent_at.timestamp())}\n{base_subject(record.subject)}")


def _united(parties: Iterable[Party]) -> tuple[Party, ...]:
    found: dict[tuple[str, str], Party] = {}
    for party in parties:
        key = (party.role, party.address)
        known = found.get(key)
        if known is None:
            found[key] = party
        elif known != party:
            found[key] = max(known, party, key=lambda each: (len(each.name), each.name, each.user_id or 0))
    return tuple(found[key] for key in sorted(found))


def _united_keys(own: str, drafts: Sequence[Draft]) -> tuple[str, ...]:
    if len({(draft.dedupe_key, draft.thread_keys) for draft in drafts}) == 1:
        return drafts[0].thread_keys
    keys = {key for draft in drafts for key in (draft.dedupe_key, *draft.thread_keys)}
    return (own, *sorted(keys - {own}))


def _authors(draft: Draft) -> frozenset[str]:
    return frozenset(party.address for party in draft.parties if party.role == "from")


def _differ_in_subject(one: Draft, other: Draft) -> bool:
    """False where a subject was not kept."""
    if one.subject is None or other.subject is None:
        return False
    return base_subject(one.subject) != base_subject(other.subject)


def _is_same_author(one: Draft, other: Draft) -> bool:
    """By address or by user; a copy that names no author cannot speak for another one."""
    authors = [
        {each for party in draft.parties if party.role == "from" for each in (party.address, party.user_id)}
        - {None}
        for draft in (one, other)
    ]
    return not all(authors) or bool(authors[0] & authors[1])


def _is_list_rewrite(one: Draft, other: Draft) -> bool:
    """Whether the author of one copy is the list to which both were written, at the same time and on the same subject."""
    if one.occurred_at != other.occurred_at or _differ_in_subject(one, other):
        return False
    lists = _addressees(one) & _addressees(other)
    return bool(lists & (_authors(one) ^ _authors(other)))


def _addressees(draft: Draft) -> frozenset[str]:
    return frozenset(party.address for party in draft.parties if party.role != "from")
