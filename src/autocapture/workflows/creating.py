"""Contacts, and companies by their domain, of people whom the CRM does not know but our people do.

Looked for in what changed since the last time, and in everything once a day, when thresholds changed, or when asked. What is
created is written together with its company; then all that it took part in is matched anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from autocapture.admit.contact import Judged, is_free_mail, judge, obstacle_of
from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.formats.handles import canonical_email
from autocapture.model.accounts import LONG_AGO
from autocapture.model.created import COMPANY, CONTACT, Created, CreationBatch, CreationMark, Stranger
from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle
from autocapture.model.directory import Organization, untagged
from autocapture.settings import ContactsSettings
from autocapture.store import created, strangers
from autocapture.store.bulk import among, in_chunks, insert, insert_missing, upsert
from autocapture.store.engine import reading, take_turn, writing
from autocapture.store.unreachable import unreachable
from autocapture.workflows.company_of_person import Belongs, company_of, domains_of
from autocapture.workflows.exclusions import load_exclusions
from autocapture.workflows.header_names import called, keep_names, names_by_address
from autocapture.workflows.matching import rematch_in_batches
from autocapture.workflows.people import our_people
from autocapture.workflows.signatures import read_again
from autocapture.workflows.taking_back import finish_taking_back, let_go
from autocapture.workflows.twins import twins

WHOLE_EVERY = timedelta(days=1)
BATCH = 200
KEY = "autocapture:"
"""What the `source_id` of a contact or company of ours begins with; the address or domain follows."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to be created: why, and what they belong to."""

    address: str
    name: str
    reason: str
    count: int
    belongs: Belongs


@dataclass(frozen=True, slots=True)
class CreationReport:
    newcomers: Sequence[Newcomer]
    batch_id: int | None
    rematched: int
    company_names: Mapping[int, str]


def create_contacts(app: Application) -> CreationReport:
    """Creates whom the thresholds ask for, names whom later mail names, and finishes what was being taken back. Does nothing
    where nothing changed since the last time."""
    finish_taking_back(app)
    thresholds, now = app.settings.contacts, app.clock.now()
    with reading(app.engine) as session:
        newest, mark = strangers.newest_change(session) or LONG_AGO, session.get(CreationMark, 1)
        since = _since(mark, thresholds, now)
        if since is not None and newest <= since:
            return CreationReport((), None, 0, {})
        unknown = strangers.unknown_addresses(session, since) if thresholds.create else set()
        touched = strangers.addresses_of_created(session, since)
        known = strangers.known_handles(session, unknown | {untagged(each) for each in unknown})
        own = set(created.ours_of(session, known).values())
    strays = {each for each in unknown if untagged(each) in own}  # a run before was killed half-way
    newcomers, names = _newcomers(app, _without(unknown, known))
    batch_id = _write(app, newcomers)
    with writing(app.engine) as session:
        keep_names(session, touched)
    rematched = _match(app, newcomers, strays)
    if since is None:
        let_go(app, our_people(app))
    whole_at = now if since is None or mark is None else mark.whole_at
    with writing(app.engine) as session:
        row = {"id": 1, "seen_until": newest, "whole_at": whole_at, "thresholds": in_words(thresholds)}
        upsert(session, CreationMark, [row])
    return CreationReport(newcomers, batch_id, rematched, names)


def would_create(app: Application) -> CreationReport:
    """Whom `create_contacts` would create, were everything looked through now; writes nothing."""
    with reading(app.engine) as session:
        unknown = strangers.unknown_addresses(session, None)
        known = strangers.known_handles(session, unknown | {untagged(each) for each in unknown})
    newcomers, names = _newcomers(app, _without(unknown, known))
    return CreationReport(newcomers, None, 0, names)


def create_these(app: Application, addresses: Sequence[str]) -> CreationReport:
    """Creates contacts of these addresses, whatever thresholds and obstacles say, also of what was taken back. Raises
    InputError for one that is ours, no address, one that nothing was captured of, or that a contact has."""
    organization = our_people(app)
    wanted = [untagged(canonical_email(each)) for each in addresses]
    with reading(app.engine) as session:
        found = {each.address: each for each in strangers.strangers(session, wanted)}
        known = strangers.known_handles(session, wanted)
    for address in wanted:
        if "@" not in address or organization.is_inside(address):
            raise InputError(f"{address} is no address of somebody outside")
        if address in known:
            raise InputError(f"a contact has {address} already")
        if address not in found:
            raise InputError(
                f"nothing was captured of {address}; `autocapture contacts staged` lists whom there is"
            )
    asked = [(found[each], Judged(None)) for each in dict.fromkeys(wanted)]
    newcomers, names = _placed(app, asked)
    with writing(app.engine) as session:
        created.forget_tombstones(session, CONTACT, wanted)
    batch_id = _write(app, newcomers)
    return CreationReport(newcomers, batch_id, _match(app, newcomers, ()), names)


def judged(
    app: Application, found: Sequence[Stranger], organization: Organization
) -> list[tuple[Stranger, Judged]]:
    """What would become of each of them."""
    exclusions = load_exclusions(app.settings.capture.exclusions_file)
    thresholds = app.settings.contacts
    addresses = [each.address for each in found]
    with reading(app.engine) as session:
        bounced = unreachable(session, addresses)
        stones = created.tombstones(session, CONTACT, addresses)
        beside = strangers.companies_beside(session, [each for each in addresses if is_free_mail(each)])
    result = []
    for each in found:
        obstacle = obstacle_of(each.address, organization, exclusions)
        if obstacle is None and each.address in bounced:
            obstacle = "bounced"
        if obstacle is None and each.address in stones:
            obstacle = "taken_back"
        is_alone = not beside.get(each.address)
        found_out = (
            judge(each, thresholds, is_alone=is_alone) if obstacle is None else Judged(None, 0, obstacle)
        )
        result.append((each, found_out))
    with reading(app.engine) as session:
        others = twins(session, [each.address for each, verdict in result if verdict.obstacle is None])
    return [
        (each, Judged(None, 0, "twin", others[each.address]) if each.address in others else verdict)
        for each, verdict in result
    ]


def in_words(thresholds: ContactsSettings) -> str:
    if not thresholds.create:
        return "nobody"
    return f"sent_to {thresholds.sent_to}, two_way {thresholds.two_way}, met {thresholds.met}"


def _since(mark: CreationMark | None, thresholds: ContactsSettings, now: datetime) -> datetime | None:
    """From when on changes are looked at; None for all: the first time, once a day, and where the clock ran ahead."""
    if mark is None or mark.thresholds != in_words(thresholds):
        return None
    fresh = mark.whole_at <= now < mark.whole_at + WHOLE_EVERY and mark.seen_until <= now
    return mark.seen_until if fresh else None


def _without(unknown: Collection[str], known: Collection[str]) -> list[str]:
    return [each for each in unknown if each not in known and untagged(each) not in known]


def _newcomers(app: Application, unknown: Collection[str]) -> tuple[list[Newcomer], dict[int, str]]:
    organization = our_people(app)
    exclusions = load_exclusions(app.settings.capture.exclusions_file)
    possible = [each for each in unknown if obstacle_of(each, organization, exclusions) is None]
    with reading(app.engine) as session:
        found = strangers.strangers(session, possible)
    return _placed(app, [pair for pair in judged(app, found, organization) if pair[1].obstacle is None])


def _placed(
    app: Application, wanted: Sequence[tuple[Stranger, Judged]]
) -> tuple[list[Newcomer], dict[int, str]]:
    """The people with their names and companies, and the names of those companies."""
    addresses = [stranger.address for stranger, _ in wanted]
    if not wanted:
        return [], {}
    with reading(app.engine) as session:
        domains = {domain for each in addresses for domain in domains_of(each)}
        by_domain = created.companies_by_domain(session, domains)
        beside = strangers.companies_beside(session, addresses)
        untouchable = created.tombstones(session, COMPANY, domains)
        names = names_by_address(strangers.names_of(session, addresses))
        newcomers = [
            Newcomer(
                stranger.address,
                called(stranger.address, names),
                found.reason or "asked",
                found.count,
                company_of(stranger.address, by_domain, beside.get(stranger.address, ()), untouchable),
            )
            for stranger, found in wanted
        ]
        ids = {each.belongs.company_id for each in newcomers} - {None}
        rows = session.execute(
            select(col(Company.id), col(Company.name)).where(among(session, col(Company.id), ids))
        )
        return newcomers, {company_id: name for company_id, name in rows if company_id is not None}


def _write(app: Application, newcomers: Sequence[Newcomer]) -> int | None:
    """Writes them, unless somebody else did meanwhile; the batch."""
    batch_id = None
    for chunk in in_chunks(newcomers, BATCH):
        with writing(app.engine) as session:
            take_turn(session)
            taken = strangers.known_handles(session, [each.address for each in chunk])
            fresh = [each for each in chunk if each.address not in taken]
            if fresh:
                batch_id = _batch(session, app)
                _insert(session, fresh, batch_id, app.clock.now())
    return batch_id


def _batch(session: Session, app: Application) -> int:
    """Today's open batch under these thresholds, or a new one."""
    now, words = app.clock.now(), in_words(app.settings.contacts)
    found = session.exec(
        select(CreationBatch)
        .where(CreationBatch.thresholds == words, col(CreationBatch.undone_at).is_(None))
        .order_by(col(CreationBatch.id).desc())
    ).first()
    if found is None or found.created_at.date() != now.date():
        found = CreationBatch(created_at=now, thresholds=words)
        session.add(found)
        session.flush()
    assert found.id is not None  # noqa: S101  a stored row has its key
    return found.id


def _insert(session: Session, newcomers: Sequence[Newcomer], batch_id: int, now: datetime) -> None:
    companies = _companies(session, newcomers, batch_id, now)
    insert_missing(
        session,
        Contact,
        [
            {
                "source_id": KEY + each.address,
                "name": each.name,
                "company_id": each.belongs.company_id or companies.get(each.belongs.new_domain or ""),
            }
            for each in newcomers
        ],
    )
    ids = _ids(session, Contact, [KEY + each.address for each in newcomers])
    handles = [
        {"kind": "email", "value": each.address, "contact_id": ids[KEY + each.address]} for each in newcomers
    ]
    insert(session, ContactHandle, handles)
    insert(
        session,
        Created,
        [
            {
                "batch_id": batch_id, "target": CONTACT, "target_id": ids[KEY + each.address], "value": each.address,
                "reason": each.reason, "count": each.count, "created_at": now,
            }
            for each in newcomers
        ],
    )  # fmt: skip
    addresses = [each.address for each in newcomers]
    keep_names(session, addresses)
    read_again(session, addresses)


def _companies(
    session: Session, newcomers: Sequence[Newcomer], batch_id: int, now: datetime
) -> dict[str, int]:
    """The companies of the domains that need one, made where there is none yet."""
    people: dict[str, int] = {}
    for each in newcomers:
        if each.belongs.new_domain is not None:
            people[each.belongs.new_domain] = people.get(each.belongs.new_domain, 0) + 1
    known = _ids(session, Company, [KEY + domain for domain in people])
    fresh = [domain for domain in people if KEY + domain not in known]
    insert(session, Company, [{"source_id": KEY + domain, "name": domain} for domain in fresh])
    ids = known | _ids(session, Company, [KEY + domain for domain in fresh])
    insert_missing(
        session,
        CompanyDomain,
        [{"domain": domain, "company_id": ids[KEY + domain]} for domain in fresh],
    )
    insert(
        session,
        Created,
        [
            {
                "batch_id": batch_id, "target": COMPANY, "target_id": ids[KEY + domain], "value": domain,
                "reason": "contact", "count": people[domain], "created_at": now,
            }
            for domain in fresh
        ],
    )  # fmt: skip
    return {domain: ids[KEY + domain] for domain in people}


def _ids(session: Session, model: type[Contact] | type[Company], keys: Sequence[str]) -> dict[str, int]:
    rows = session.execute(
        select(col(model.source_id), col(model.id)).where(among(session, col(model.source_id), keys))
    )
    return {key: number for key, number in rows if number is not None}


def _match(app: Application, newcomers: Sequence[Newcomer], strays: Collection[str]) -> int:
    """Has everything matched anew that these people took part in, or whom a contact has by now; the number that changed."""
    people = {each.address for each in newcomers}
    if not people and not strays:
        return 0
    domains = {each.belongs.new_domain for each in newcomers if each.belongs.new_domain}
    with reading(app.engine) as session:
        tagged = strangers.tagged_forms(session, people) if people else set()
        colleagues = strangers.addresses_on(session, domains) if domains else set()
        concerned = strangers.activities_with(session, {*people, *tagged, *colleagues, *strays})
    return rematch_in_batches(app, concerned)
