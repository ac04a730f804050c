"""How often somebody may try to sign in: enough for people who mistype, far too little for who guesses.

Token buckets in the database, so that a restart gives nobody new tries. Three slow down a password: one for the account from
this address, one for the address, one for the account from wherever it was never signed in from. The last alone crosses
addresses, and it does not hold where its owner signed in before: nobody can lock somebody else out of their own desk.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, col, delete, select

from autocapture.model.sign_in import TryBucket
from autocapture.store.engine import insert_for

KNOWN_FOR = timedelta(days=30)
_HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """`burst` tries at once, and `per_hour` more as time goes by."""

    name: str
    burst: int
    per_hour: int

    @property
    def key(self) -> str:
        return sha256(self.name.encode("utf-8", "replace")).hexdigest()


def password_buckets(session: Session, email: str, source: str, now: datetime) -> tuple[Bucket, ...]:
    """What a try of a password for `email` from the address `source` takes one token of each."""
    place = _place(source)
    found = (Bucket(f"password {email} {place}", 10, 60), Bucket(f"passwords from {place}", 60, 300))
    known = session.get(TryBucket, _known(email, place).key)
    if known is not None and known.at > now - KNOWN_FOR:
        return found
    return (*found, Bucket(f"password {email}", 60, 60))


def link_buckets(email: str, source: str) -> tuple[Bucket, ...]:
    """What asking for a new password takes one token of each."""
    return (
        Bucket(f"link {email}", 3, 3),
        Bucket(f"links from {_place(source)}", 20, 60),
    )


def provider_buckets(source: str) -> tuple[Bucket, ...]:
    """What a sign-in with a provider takes one token of."""
    return (Bucket(f"providers from {_place(source)}", 60, 300),)


def connect_buckets(user_id: int | None) -> tuple[Bucket, ...]:
    """What connecting with a password takes one token of: our server asks others, and nobody is to guess through it."""
    return (Bucket(f"connecting of user {user_id}", 20, 30),)


def refusal_buckets(user_id: int | None) -> tuple[Bucket, ...]:
    """What writing down that somebody was refused takes one token of."""
    return (Bucket(f"noted refusals of user {user_id}", 60, 20),)


def take(session: Session, buckets: Sequence[Bucket], now: datetime) -> timedelta | None:
    """One token of every bucket, in a writing transaction; or how long to wait, and nothing is taken."""
    rows = _rows(session, buckets, now)
    tokens = [_filled(row, bucket, now) for row, bucket in zip(rows, buckets, strict=True)]
    lacking = [(1 - has) / bucket.per_hour for has, bucket in zip(tokens, buckets, strict=True) if has < 1]
    if lacking:
        for row, has, bucket in zip(rows, tokens, buckets, strict=True):
            if has >= bucket.burst:  # as if it were not there: invented addresses do not fill the database
                session.delete(row)
        return timedelta(seconds=max(lacking) * _HOUR)
    for row, has in zip(rows, tokens, strict=True):
        row.tokens, row.at = has - 1, now
        session.add(row)
    _forget(session, now - KNOWN_FOR)
    return None


def give_back(session: Session, buckets: Sequence[Bucket], now: datetime) -> None:
    """The tokens of a try that succeeded: an office behind one address is not slowed down by its own people."""
    for row, bucket in zip(_rows(session, buckets, now), buckets, strict=True):
        row.tokens = min(row.tokens + 1, float(bucket.burst))
        session.add(row)


def remember(session: Session, email: str, source: str, now: datetime) -> None:
    """From `source`, `email` was signed in."""
    known = {"key": _known(email, _place(source)).key, "tokens": 0.0, "at": now}
    insert = insert_for(session)(TryBucket).values(known)
    session.exec(insert.on_conflict_do_update(index_elements=[col(TryBucket.key)], set_={"at": now}))


def _rows(session: Session, buckets: Sequence[Bucket], now: datetime) -> list[TryBucket]:
    """The row of each bucket, made where there is none. All are this transaction's until it ends, locked in one order."""
    wanted = sorted(buckets, key=lambda bucket: bucket.key)
    new = [{"key": bucket.key, "tokens": float(bucket.burst), "at": now} for bucket in wanted]
    insert = insert_for(session)(TryBucket).values(new)
    held = insert.on_conflict_do_update(
        index_elements=[col(TryBucket.key)], set_={"key": insert.excluded.key}
    ).returning(TryBucket)
    found = {row.key: row for row in session.scalars(held, execution_options={"populate_existing": True})}
    return [found[bucket.key] for bucket in buckets]


def _forget(session: Session, before: datetime) -> None:
    """Rows not used since `before`, but for those that somebody uses at this moment."""
    unused = select(TryBucket.key).where(col(TryBucket.at) < before).with_for_update(skip_locked=True)
    session.exec(delete(TryBucket).where(col(TryBucket.key).in_(unused)))


def _filled(row: TryBucket, bucket: Bucket, now: datetime) -> float:
    waited = max((now - row.at).total_seconds(), 0.0)
    return min(row.tokens + waited * bucket.per_hour / _HOUR, float(bucket.burst))


def _known(email: str, place: str) -> Bucket:
    return Bucket(f"known {email} {place}", 1, 1)


def _place(source: str) -> str:
    """Who has one IPv6 address has 2**64 of them, so their network counts."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
