"""Cases that rules must satisfy: short threads, the deals there are, and what they are to be put down to. Read from TOML in the
form of ``config/rules-cases.toml``, judged without a database."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from autocapture.application import Application
from autocapture.errors import InputError, SetupError
from autocapture.formats.handles import canonical_email
from autocapture.match import match
from autocapture.model.corrections import NO_LOCKS
from autocapture.model.directory import Colleague, Directory, KnownContact, KnownDeal, Organization
from autocapture.model.draft import Draft, Matched, Part, Party
from autocapture.model.matching import Occurrence
from autocapture.workflows.kept_out import is_kept_out
from autocapture.workflows.people import judged_by
from autocapture.workflows.rules_in_force import Rules

OURS = "ours.example"
NO_DEAL, ASKED, NEVER_LOG = "no deal", "asked", "never log"
_CASE = {"name", "deals", "mails", "meetings", "about", "partners"}
_DEAL = {"name", "company", "owner", "contacts", "created", "closed", "products", "references"}
_MAIL = {"at", "from", "to", "cc", "subject", "text"}


@dataclass(frozen=True, slots=True)
class Case:
    """`about`: the name of a deal, or `NO_DEAL`, `ASKED` or `NEVER_LOG`; of each activity of the thread."""

    name: str
    about: str
    group: tuple[Occurrence, ...]
    directory: Directory


@dataclass(frozen=True, slots=True)
class Failed:
    """A case that rules do not satisfy: what it wants, and what they give."""

    name: str
    wanted: str
    given: str


def shipped_cases() -> tuple[Case, ...]:
    return parse_cases(tomllib.loads((files("autocapture.match") / "cases.toml").read_text(encoding="utf-8")))


def load_cases(path: Path) -> tuple[Case, ...]:
    """Raises SetupError for a file that is missing or wrong."""
    try:
        return parse_cases(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise SetupError(f"the file of cases {path} cannot be read: {problem.strerror}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SetupError(f"the file of cases {path} is not valid TOML: {problem}") from problem


def cases_of(app: Application) -> tuple[Case, ...]:
    """Those that are shipped, and the organisation's own."""
    own = app.settings.capture.cases_file
    return (*shipped_cases(), *(load_cases(own) if own is not None else ()))


def failing(cases: Sequence[Case], rules: Rules) -> tuple[Failed, ...]:
    """The cases that these rules do not satisfy."""
    return tuple(
        Failed(case.name, case.about, " and ".join(sorted(given)))
        for case in cases
        if (given := judged(case, rules)) != {case.about}
    )


def judged(case: Case, rules: Rules) -> set[str]:
    """What the rules make of the activities of a case."""
    organization = judged_by(case.directory.organization, rules)
    directory = replace(case.directory, organization=organization)
    answers = match(case.group, directory)
    return {
        NEVER_LOG if is_kept_out(each.draft, organization) else _told(answers[each.activity_id], directory)
        for each in case.group
    }


def require_cases(app: Application, rules: Rules) -> None:
    """Raises InputError where a case fails."""
    if found := failing(cases_of(app), rules):
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise InputError(
            f"the rules fail the case {found[0].name!r}: {found[0].given} instead of {found[0].wanted}{more}; "
            "`autocapture rules check` lists them"
        )


def _told(matched: Matched, directory: Directory) -> str:
    on = [directory.deals[link.target_id].name for link in matched.links if link.target == "deal"]
    if on:
        return " and ".join(sorted(on))
    return ASKED if matched.review is not None else NO_DEAL


def parse_cases(data: Mapping[str, Any]) -> tuple[Case, ...]:
    """Raises SetupError, one line, naming the case and what is wrong with it."""
    if unknown := sorted(data.keys() - {"case"}):
        raise SetupError(f"cases: unknown key {unknown[0]!r}; a file of cases has [[case]] alone")
    return tuple(_case(number, each) for number, each in enumerate(_tables(data, "case", "the file"), 1))


def _case(number: int, data: Mapping[str, Any]) -> Case:
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise SetupError(f"cases: case {number} has no `name`")
    where = f"case {name!r}"
    _only(data, _CASE, where)
    about = data.get("about")
    deals = _tables(data, "deals", where)
    names = [str(each.get("name", "")) for each in deals]
    if about not in (*names, NO_DEAL, ASKED, NEVER_LOG):
        raise SetupError(
            f"cases: {where}: `about` names one of its deals, or is {NO_DEAL!r}, {ASKED!r} or {NEVER_LOG!r}"
        )
    told = [
        (kind, each)
        for key, kind in (("mails", "email"), ("meetings", "meeting"))
        for each in _tables(data, key, where)
    ]
    if not told:
        raise SetupError(f"cases: {where} has neither `mails` nor `meetings`")
    organization = _organization(told, deals, where)
    group = tuple(
        _occurrence(place, kind, each, organization, where) for place, (kind, each) in enumerate(told, 1)
    )
    partners = _texts(data, "partners", where)
    return Case(name, about, group, _directory(deals, group, organization, partners, where))


def _organization(
    told: Sequence[tuple[str, Mapping[str, Any]]], deals: Sequence[Mapping[str, Any]], where: str
) -> Organization:
    """Everybody on `OURS` is one of ours."""
    named = {each for _, one in told for each in _addresses(one, where)}
    named |= {canonical_email(str(deal["owner"])) for deal in deals if "owner" in deal}
    ours = sorted(each for each in named if each.endswith(f"@{OURS}"))
    people = {
        number: Colleague(number, each, each.partition("@")[0].title(), "Europe/Amsterdam", "NL")
        for number, each in enumerate(ours, 1)
    }
    handles = {each.email: number for number, each in people.items()}
    return Organization(people, handles, frozenset({OURS}))


def _directory(
    deals: Sequence[Mapping[str, Any]],
    group: Sequence[Occurrence],
    organization: Organization,
    partners: Sequence[str],
    where: str,
) -> Directory:
    for deal in deals:
        _only(deal, _DEAL, f"{where}, a deal")
    domains = sorted({_text(deal, "company", where) for deal in deals} | set(partners))
    company_of = {domain: number for number, domain in enumerate(domains, 1)}
    people = sorted({canonical_email(each) for deal in deals for each in _texts(deal, "contacts", where)})
    contact_of = {each: number for number, each in enumerate(people, 1)}
    return Directory(
        organization=organization,
        contacts={
            each: (
                KnownContact(number, company_of.get(each.partition("@")[2]), each.partition("@")[0].title()),
            )
            for each, number in contact_of.items()
        },
        companies={domain: (number,) for domain, number in company_of.items()},
        company_names={number: domain for domain, number in company_of.items()},
        partners=frozenset(company_of[each] for each in partners),
        deals={
            number: _deal(number, deal, company_of, contact_of, organization, where)
            for number, deal in enumerate(deals, 1)
        },
        locks=NO_LOCKS,
    )


def _deal(
    number: int,
    data: Mapping[str, Any],
    company_of: Mapping[str, int],
    contact_of: Mapping[str, int],
    organization: Organization,
    where: str,
) -> KnownDeal:
    closed = _moment(data, "closed", where) if "closed" in data else None
    owner = canonical_email(_text(data, "owner", where)) if "owner" in data else ""
    contacts = frozenset(contact_of[canonical_email(each)] for each in _texts(data, "contacts", where))
    return KnownDeal(
        deal_id=number,
        company_id=company_of[_text(data, "company", where)],
        owner_id=organization.user_of(owner),
        created_at=_moment(data, "created", where),
        closed_at=closed,
        outcome="open" if closed is None else "won",
        name=_text(data, "name", where),
        contacts=contacts,
        products=tuple(_texts(data, "products", where)),
        references=tuple(_texts(data, "references", where)),
    )


def _occurrence(
    number: int, kind: str, data: Mapping[str, Any], organization: Organization, where: str
) -> Occurrence:
    _only(data, _MAIL, f"{where}, {kind} {number}")
    at = _moment(data, "at", where)
    author, *others = _addresses(data, where)
    roles = ("organizer", "attendee") if kind == "meeting" else ("from", "to")
    parties = [Party(cast(Any, roles[0]), author, user_id=organization.user_of(author))]
    parties += [Party(cast(Any, roles[1]), each, user_id=organization.user_of(each)) for each in others]
    direction: Literal["outbound", "inbound"] = "outbound" if parties[0].user_id is not None else "inbound"
    parts = tuple(
        Part(user_id, at.date(), "sender" if place == 0 else "recipient")
        for place, party in enumerate(parties)
        if (user_id := party.user_id) is not None
    )
    draft = Draft(
        dedupe_key=f"{where} {number}",
        kind=cast(Any, kind),
        occurred_at=at,
        direction=direction,
        parties=tuple(parties),
        parts=parts,
        status="held" if kind == "meeting" else None,
        subject=str(data.get("subject", "")) or None,
    )
    return Occurrence(number, draft, data.get("text"))


def _addresses(data: Mapping[str, Any], where: str) -> list[str]:
    """Who wrote or invited first."""
    found = [_text(data, "from", where), *_texts(data, "to", where), *_texts(data, "cc", where)]
    return list(dict.fromkeys(canonical_email(each) for each in found))


def _only(data: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(data.keys() - known):
        raise SetupError(f"cases: {where}: unknown key {unknown[0]!r}; there are: {', '.join(sorted(known))}")


def _tables(data: Mapping[str, Any], name: str, where: str) -> list[Mapping[str, Any]]:
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SetupError(f"cases: {where}: `{name}` must be a list of tables")
    return found


def _text(data: Mapping[str, Any], name: str, where: str) -> str:
    found = data.get(name)
    if not isinstance(found, str) or not found:
        raise SetupError(f"cases: {where}: `{name}` must be a text")
    return found


def _texts(data: Mapping[str, Any], name: str, where: str) -> list[str]:
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
        raise SetupError(f"cases: {where}: `{name}` must be a list of texts")
    return found


def _moment(data: Mapping[str, Any], name: str, where: str) -> datetime:
    found = data.get(name)
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(found, date):
        return datetime.combine(found, time(), UTC)
    raise SetupError(f"cases: {where}: `{name}` must be a day or a moment, such as 2026-11-02")
