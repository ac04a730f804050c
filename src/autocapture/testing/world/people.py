"""Who there is: our teams, the companies they sell to, the people there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from random import Random

from autocapture.testing.world.dates import Diary, stream
from autocapture.testing.world.language import phrases
from autocapture.testing.world.model import Company, Contact, Language, Size, User
from autocapture.testing.world.names import FREE_MAIL, PersonName, company, person, phone

ORGANISATION = "Halvorin Systems"
DOMAINS = ("halvorin.example", "halvorin-systems.example")
_TEAMS = ("Continent", "Overseas", "Partners", "North", "South", "Enterprise")
# (locale, zone) of the reps, team after team; a larger organisation goes round again
_SEATS: tuple[tuple[Language, str], ...] = (
    ("nl", "Europe/Amsterdam"),
    ("nl", "Europe/Amsterdam"),
    ("de", "Europe/Berlin"),
    ("de", "Europe/Vienna"),
    ("sv", "Europe/Stockholm"),
    ("en", "Europe/London"),
    ("en", "America/New_York"),
    ("zh", "Asia/Taipei"),
)
# (pace, luck) of the reps: who is over quota, who is under, who is on leave (in the last week but one)
_FORM = ((1.25, 0.7), (1.0, 0.45), (0.9, 0.45), (0.65, 0.2), (1.0, 0.4), (1.1, 0.5), (0.95, 0.35), (1.0, 0.4))
_ON_LEAVE = 4
_MANAGERS: tuple[tuple[Language, str], ...] = (("nl", "Europe/Amsterdam"), ("en", "Europe/London"))


def users(seed: int, size: Size, anchor: date) -> tuple[User, ...]:
    """The managers' teams in order: manager first, then the reps."""
    rng = stream(seed, "users")
    taken: set[str] = set()
    found: list[User] = []
    leave = (anchor - timedelta(weeks=2), anchor - timedelta(weeks=2) + timedelta(days=4))
    for team_number in range(size.teams):
        team = _TEAMS[team_number % len(_TEAMS)]
        if team_number >= len(_TEAMS):
            team = f"{team} {team_number // len(_TEAMS) + 1}"
        locale, zone = _MANAGERS[team_number % len(_MANAGERS)]
        manager = _user(rng, taken, len(found), team, locale, zone, manager=None)
        found.append(manager)
        for seat in range(size.reps_per_team):
            number = team_number * size.reps_per_team + seat
            locale, zone = _SEATS[number % len(_SEATS)]
            pace, luck = _FORM[number % len(_FORM)]
            found.append(
                _user(
                    rng,
                    taken,
                    len(found),
                    team,
                    locale,
                    zone,
                    manager=manager.email,
                    pace=pace,
                    luck=luck,
                    leave=leave if number % len(_FORM) == _ON_LEAVE else None,
                )
            )
    return tuple(found)


def _user(
    rng: Random,
    taken: set[str],
    number: int,
    team: str,
    locale: Language,
    zone: str,
    *,
    manager: str | None,
    pace: float = 0.5,
    luck: float = 0.4,
    leave: tuple[date, date] | None = None,
) -> User:
    name = _new_person(rng, locale, taken)
    line = phone(locale, 40 + number)
    return User(
        email=f"{name.local_part}@{DOMAINS[0]}",
        name=name.full,
        team=team,
        manager=manager,
        role="rep" if manager else "manager",
        time_zone=zone,
        locale=locale,
        aliases=(f"{name.local_part}@{DOMAINS[1]}",) if rng.random() < 0.6 else (),
        phones=(line,) if line else (),
        extension=str(201 + number),
        title="Account executive" if manager else "Sales manager",
        pace=pace,
        luck=luck,
        leave=leave,
    )


def _new_person(rng: Random, language: Language, taken: set[str], others: Collection[str] = ()) -> PersonName:
    """A name that is none of `others` and whose local part nobody of `taken` has; adds it."""
    name = person(rng, language)
    for _ in range(30):
        if name.local_part not in taken and name.full not in others:
            break
        name = person(rng, language)
    else:
        number = 2
        while f"{name.local_part}{number}" in taken:
            number += 1
        name = PersonName(name.full, name.first, f"{name.local_part}{number}")
    taken.add(name.local_part)
    return name


def companies(seed: int, size: Size, reps: Sequence[User]) -> tuple[Company, ...]:
    """Companies go round the reps. Every 9th has a second domain, every 11th is a subsidiary, every 14th a partner."""
    made: list[Company] = []
    per_language: dict[Language, int] = {}
    for number in range(size.companies):
        owner = reps[number % len(reps)]
        index = per_language.get(owner.locale, 0)
        per_language[owner.locale] = index + 1
        name, label = company(index, owner.locale)
        domains: tuple[str, ...] = (f"{label}.example",)
        parent: Company | None = None
        if number % 9 == 4:
            domains += (f"{label}-group.example",)
        if number % 11 == 10 and number >= len(reps):
            parent = made[number - len(reps)]
            name = f"{parent.name} {('Service', 'Nordic', 'International')[number // 11 % 3]}"
            domains = (f"service{number}.{parent.domains[0]}",)
        made.append(
            Company(
                key=f"ACC-{1001 + number}",
                name=name,
                domains=domains,
                language=owner.locale,
                owner=owner.email,
                partner=number % 14 == 13,
                parent=parent.key if parent else None,
            )
        )
    return tuple(made)


def contacts(
    seed: int, size: Size, staff: Sequence[User], everyone: Sequence[Company], diaries: dict[str, Diary]
) -> tuple[Contact, ...]:
    """People at the companies, in turn. Some use a second address or free mail, some have no number or two.

    None is called as one of our `staff`, whom readers would take them for. Telephone numbers are unique, except that
    colleagues sometimes have only the company's switchboard.
    """
    ours = {user.name for user in staff}
    taken: dict[str, set[str]] = {company.key: set() for company in everyone}
    switchboards: dict[str, str] = {}
    lines: dict[Language, int] = {}
    made: list[Contact] = []
    for number in range(size.contacts):
        rng = stream(seed, "contact", number)
        home = everyone[number % len(everyone)]
        name = _new_person(rng, home.language, taken[home.key], ours)

        def line(language: Language = home.language) -> tuple[str, ...]:
            lines[language] = lines.get(language, 99) + 1
            found = phone(language, lines[language])
            return (found,) if found else ()

        own = line() if rng.random() < 0.85 else ()
        if rng.random() < 0.12:
            own += line()
        if not own and home.key in switchboards:
            own = (switchboards[home.key],)
        if own:
            switchboards.setdefault(home.key, own[0])
        made.append(
            Contact(
                key=f"CON-{20001 + number}",
                name=name.full,
                first_name=name.first,
                emails=_addresses(rng, name, home, number),
                phones=own,
                company=home.key,
                title=rng.choice(phrases(home.language).titles),
                language=home.language,
                created_at=diaries[home.owner].at(
                    -rng.randrange(27, 60), rng.randrange(5), 9 + rng.randrange(8)
                ),
                eager=rng.uniform(0.4, 0.9),
            )
        )
    return tuple(made)


def _addresses(rng: Random, name: PersonName, home: Company, number: int) -> tuple[str, ...]:
    """Business address first, except for the few who only use free mail."""
    business = tuple(f"{name.local_part}@{domain}" for domain in home.domains)
    private = f"{name.local_part}.{number}@{rng.choice(FREE_MAIL)}"
    draw = rng.random()
    if draw < 0.05:
        return (private,)
    if draw < 0.12:
        return (*business, private)
    return business
