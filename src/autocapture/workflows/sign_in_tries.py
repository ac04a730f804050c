"""How often somebody may try to sign in: enough for people who mistype, far too little for who guesses.

Token buckets in the database, so that a restart gives nobody new tries. Three slow down a password: one for the account from
this address, one for the address, one for the account from wherever it was never signed in from. The last alone crosses
addresses, and it does not hold where its owner signed in before: nobody can lock somebody else out of their own desk.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
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


def take(session: Session, buckets: Sequence[Bucket], now: datetime) -> timedelta | None:
    """One token of every bucket, in a writing transaction; or how long to wait, and nothing is taken."""
    rows, made = _rows(session, buckets, now)
    tokens = [_filled(row, bucket, now) for row, bucket in zip(rows, buckets, strict=True)]
    lacking = [(1 - has) / bucket.per_hour for has, bucket in zip(tokens, buckets, strict=True) if has < 1]
    if lacking:
        for row in made:  # who is slowed down does not fill the database with invented addresses
            session.delete(row)
        return timedelta(seconds=max(lacking) * _HOUR)
    for row, has in zip(rows, tokens, strict=True):
        row.tokens, row.at = has - 1, now
        session.add(row)
    session.exec(delete(TryBucket).where(col(TryBucket.at) < now - KNOWN_FOR))
    return None


def give_back(session: Session, buckets: Iterable[Bucket]) -> None:
    """The tokens of a try that succeeded: an office behind one address is not slowed down by its own people."""
    for bucket in buckets:
        row = session.get(TryBucket, bucket.key)
        if row is not None:
            row.tokens = min(row.tokens + 1, float(bucket.burst))
            session.add(row)


def remember(session: Session, email: str, source: str, now: datetime) -> None:
    """From `source`, `email` was signed in."""
    session.merge(TryBucket(key=_known(email, _place(source)).key, tokens=0, at=now))


def _rows(
    session: Session, buckets: Sequence[Bucket], now: datetime
) -> tuple[list[TryBucket], list[TryBucket]]:
    """The row of each bucket, and those of them that were made for it now."""
    new = [{"key": bucket.key, "tokens": float(bucket.burst), "at": now} for bucket in buckets]
    insert = insert_for(session)(TryBucket).values(new).on_conflict_do_nothing()
    made = set(session.scalars(insert.returning(col(TryBucket.key))))
    keys = sorted(bucket.key for bucket in buckets)
    wanted = (
        select(TryBucket).where(col(TryBucket.key).in_(keys)).order_by(col(TryBucket.key)).with_for_update()
    )
    found = {row.key: row for row in session.exec(wanted)}
    return [found[bucket.key] for bucket in buckets], [found[key] for key in sorted(made)]


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
