"""What the pure stages may know: our people, and the contacts, companies and deals that a batch touches.

`store.directory` loads it for the handles of one batch; `admit`, `normalize` and `match` only read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from autocapture.model.corrections import NO_LOCKS, Locks
from autocapture.model.matching import MatchingRules
from autocapture.values import value


def untagged(address: str) -> str:
    """The canonical address without its tag (RFC 5233): ``anna+news@acme.com`` gives ``anna@acme.com``."""
    if "+" not in address:
        return address
    local, at, domain = address.rpartition("@")
    base = local.partition("+")[0]
    return f"{base}@{domain}" if at and base else address


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
    unknown_meetings_count: bool = False
    """Whether a meeting of which nobody knows whether it took place is taken for held."""
    hash_key: bytes = field(default=b"", repr=False)
    """Key of the hash that stands for a skipped item's Message-ID."""
    matching: MatchingRules | None = field(default=None, repr=False)
    """By what deals are matched; None: by what is shipped."""
    rules_batch: int | None = field(default=None, repr=False, compare=False)
    """The batch of rules of which these are; None: nobody asks whether they are in force."""
    keeps_out: Callable[[Iterable[str], Sequence[str]], bool] | None = field(default=None, repr=False)
    """Whether the never-log list that was applied to history names who takes part, of ours and of others; None: nobody."""
    read_text: Callable[[int, bytes], str | None] | None = field(default=None, repr=False, compare=False)
    """Gives what the writer of a mail wrote, by activity and its sealed text."""
    _sides: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Which mail domains were found to be ours or not: asked for every address of every mail."""

    def user_of(self, handle: str) -> int | None:
        """Which of our people a canonical handle belongs to, its tag aside."""
        found = self.handles.get(handle)
        return self.handles.get(untagged(handle)) if found is None and "+" in handle else found

    def is_inside(self, handle: str) -> bool:
        """Whether a canonical handle is ours: a user's, an extension, or an address on one of our domains or below it."""
        if handle in self.handles:
            return True
        at = handle.rfind("@")
        if at < 0:
            return handle.startswith("ext:")
        domain = handle[at + 1 :]
        inside = self._sides.get(domain)
        if inside is None:
            inside = self._sides[domain] = any(
                domain == own or domain.endswith(f".{own}") for own in self.domains
            )
        return inside or ("+" in handle and self.user_of(handle) is not None)


@value(frozen=True, slots=True)
class KnownContact:
    """A contact as it is known by one handle. `moved`: the CRM has another address of theirs at their company, while this one is
    on the domain of another, for which they wrote from here. `created_at`: when the CRM got them, where it says so."""

    contact_id: int
    company_id: int | None
    name: str
    moved: bool = False
    created_at: datetime | None = None


@value(frozen=True, slots=True)
class KnownDeal:
    """A deal with the interval in which it was live: [created_at, closed_at), None while it is open.

    `contacts` are contact ids with a role on it, `guessed` those of them that a product entered itself, not a person.
    `references` are numbers of quotes and orders. `thread_only`: the CRM says that it is meant only where it is named.
    """

    deal_id: int
    company_id: int | None
    owner_id: int | None
    created_at: datetime
    closed_at: datetime | None
    outcome: str
    name: str = ""
    contacts: frozenset[int] = frozenset()
    products: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    guessed: frozenset[int] = frozenset()
    pipeline: str = ""
    thread_only: bool = False


class _Sides(dict[str, bool]):
    """Answers like a dictionary that has every handle: asked for everybody of every activity, mostly of the same people."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    def __missing__(self, handle: str) -> bool:
        found = self[handle] = self._organization.is_inside(handle)
        return found


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything of the CRM that one batch may match to. Handles and domains are canonical."""

    organization: Organization
    contacts: Mapping[str, tuple[KnownContact, ...]] = field(default_factory=dict)
    """By handle; several when the CRM holds duplicates or a shared line."""
    companies: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By mail domain."""
    learned: frozenset[str] = frozenset()
    """Those of these domains that the CRM does not tell: contacts of the company write from there."""
    company_names: Mapping[int, str] = field(default_factory=dict)
    """For the sentences in which a person reads what stayed undecided."""
    partners: frozenset[int] = frozenset()
    deals: Mapping[int, KnownDeal] = field(default_factory=dict)
    """By deal id: every deal of a company or contact that the batch can reach."""
    switchboards: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Numbers on which several people of a company were reached, though the CRM has them under one or nobody: with its id."""
    blocks: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Numbers that nobody has and that lie among those of one company: with its id, and the block."""
    on_line: Mapping[tuple[int, str], int] = field(default_factory=dict)
    """By call and number that several contacts share: the only one of them with whom its rep was in touch around it."""
    products: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict)
    """What we sell, each as the set of its words, by one of those."""
    by_key: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The deals whose keys in the CRM the batch gives, by the key, folded; they are among `deals`."""
    by_reference: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The deals of our people whose numbers of quotes and orders the batch gives in full, by the number, joined; they are among
    `deals`."""
    locks: Locks = NO_LOCKS
    """What people said that may hold for the batch."""
    inside: Mapping[str, bool] = field(init=False, repr=False, compare=False)
    """Whether a handle is ours (`Organization.is_inside`), found out once for each."""
    deals_of_company: Mapping[int, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    deals_of_contact: Mapping[int, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    """The deals by company and by contact with a role, ascending: derived from `deals`."""
    people: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `match` found of a handle: asked for every activity of everybody."""
    words: dict[int, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `match` found that a deal is called."""

    def __post_init__(self) -> None:
        by_company: dict[int, tuple[int, ...]] = {}
        by_contact: dict[int, tuple[int, ...]] = {}
        for deal_id in sorted(self.deals):
            deal = self.deals[deal_id]
            if deal.company_id is not None:
                by_company[deal.company_id] = (*by_company.get(deal.company_id, ()), deal_id)
            for contact_id in deal.contacts:
                by_contact[contact_id] = (*by_contact.get(contact_id, ()), deal_id)
        object.__setattr__(self, "inside", _Sides(self.organization))
        object.__setattr__(self, "deals_of_company", by_company)
        object.__setattr__(self, "deals_of_contact", by_contact)
