"""What the pure stages may know: our people, and the contacts, companies and deals that a batch touches.

`store.directory` loads it for the handles of one batch; `admit`, `normalize` and `match` only read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Colleague:
    """One of our people, as far as the stages need them. `region` is the ISO 3166 code by which their numbers are read."""

    user_id: int
    email: str
    name: str
    time_zone: str
    region: str


@dataclass(frozen=True, slots=True)
class Organization:
    """Our own people and domains. Small: loaded once a capture. `handles` maps canonical emails, numbers and extensions."""

    colleagues: Mapping[int, Colleague]
    handles: Mapping[str, int]
    domains: frozenset[str]
    """Mail domains that are ours: those of users' addresses, free-mail domains excepted."""
    hash_key: bytes = field(default=b"", repr=False)
    """Key of the hash that stands for a skipped item's Message-ID."""


@dataclass(frozen=True, slots=True)
class KnownContact:
    contact_id: int
    company_id: int | None
    name: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownDeal:
    """A deal with the interval in which it was live: [created_at, closed_at), None while it is open.

    `contacts` are contact ids with a role on it.
    """

    deal_id: int
    company_id: int | None
    owner_id: int | None
    created_at: datetime
    closed_at: datetime | None
    outcome: str
    name: str = ""
    contacts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Precedent:
    """How an earlier activity of the same thread or series was matched: deal ids with weights, companies, who took part."""

    activity_id: int
    occurred_at: datetime
    deals: tuple[tuple[int, float], ...]
    companies: tuple[int, ...]
    external_handles: frozenset[str]
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything of the CRM that one batch may match to. Handles and domains are canonical."""

    organization: Organization
    contacts: Mapping[str, tuple[KnownContact, ...]] = field(default_factory=dict)
    """By handle; several when the CRM holds duplicates or a shared line."""
    companies: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By mail domain."""
    company_names: Mapping[int, str] = field(default_factory=dict)
    """For the sentences in which a person reads what stayed undecided."""
    partners: frozenset[int] = frozenset()
    deals: Mapping[int, KnownDeal] = field(default_factory=dict)
    """By deal id: every deal of a company or contact that the batch can reach."""
    precedents: Mapping[int, tuple[Precedent, ...]] = field(default_factory=dict)
    """By thread id or series id, oldest first."""
