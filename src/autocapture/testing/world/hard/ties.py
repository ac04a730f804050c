"""What makes people and firms hard to tell apart: groups, second domains, free mail, duplicates, moves from firm to firm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from autocapture.testing.world.hard.cast import new_person
from autocapture.testing.world.hard.model import DAYS, Book, Firm, Person, Sale, on_day
from autocapture.testing.world.names import FREE_MAIL


def ties_between_people(book: Book) -> None:
    """Done before the deals are: about a third of the firms get one tie."""
    customers = [firm for firm in book.firms if firm.shape != "partner"]
    for firm in customers:
        rng = book.stream("ties", firm.company.key)
        draw = rng.random()
        if draw < 0.05:
            _join_group(book, firm, rng.choice([each for each in customers if each is not firm]))
        elif draw < 0.12:
            _write_from_another_domain(book, firm, rng)
        elif draw < 0.21:
            _use_free_mail(book, firm, rng)
        elif draw < 0.27:
            _enter_twice(book, firm, rng)
        elif draw < 0.30:
            _share_an_address(book, firm)
        elif draw < 0.33:
            _merge(book, firm, rng)
        elif draw < 0.35:
            _write_with_umlauts(book, firm)


def _readdress(
    book: Book, firm: Firm, place: int, address: str, case: str, *, in_crm: str | None = None
) -> None:
    """The person at `place` writes from `address`; the CRM has `in_crm`, by default the same."""
    person = replace(firm.people[place], address=address)
    book.contacts[person.key] = replace(book.contacts[person.key], emails=(in_crm or address,))
    book.cases[address] = case
    firm.people[place] = person


def _local(person: Person) -> str:
    return person.address.partition("@")[0]


def _join_group(book: Book, firm: Firm, parent: Firm) -> None:
    """The firm belongs to another one, and its people write from the domain of the group."""
    taken = {_local(person) for person in parent.people}
    for place, person in enumerate(firm.people):
        local = (
            _local(person) if _local(person) not in taken else f"{_local(person)}.{firm.company.key.lower()}"
        )
        _readdress(
            book, firm, place, f"{local}@{parent.company.domains[0]}", "subsidiary on its parent's domain"
        )


def _write_from_another_domain(book: Book, firm: Firm, rng: Random) -> None:
    """The CRM has one domain of the firm; two people write from another ending of the same name, or from below it."""
    domain = firm.company.domains[0]
    other = f"{domain.removesuffix('.example')}.test" if rng.random() < 0.5 else f"eu.{domain}"
    for place in range(2):
        person = firm.people[place]
        _readdress(
            book,
            firm,
            place,
            f"{_local(person)}@{other}",
            "domain that the CRM does not have",
            in_crm=person.address,
        )


def _use_free_mail(book: Book, firm: Firm, rng: Random) -> None:
    """A consultant without a domain of their own; of every other one the CRM does not know the company."""
    person = firm.people[0]
    address = f"{_local(person)}.{firm.company.key.lower()}@{rng.choice(FREE_MAIL)}"
    _readdress(book, firm, 0, address, "consultant on free mail")
    if rng.random() < 0.5:
        book.contacts[person.key] = replace(book.contacts[person.key], company="")


def _enter_twice(book: Book, firm: Firm, rng: Random) -> None:
    """The first contact stands there a second time: at the same company, or as the lead that was converted into it."""
    person = firm.people[0]
    lead = rng.random() < 0.5
    entered = book.contacts[person.key].created_at or on_day(-60)
    book.add_contact(person, "" if lead else firm.company.key, entered - timedelta(days=rng.randrange(5, 90)))
    book.cases[person.address] = "converted lead" if lead else "duplicated contact"


def _share_an_address(book: Book, firm: Firm) -> None:
    """Two people write from one address; the name says who."""
    address = f"sales-desk@{firm.company.domains[0]}"
    for place in range(2):
        _readdress(book, firm, place, address, "two people on one address")


def _merge(book: Book, firm: Firm, rng: Random) -> None:
    """Two companies have become one, with both domains."""
    label = firm.company.domains[0].removesuffix(".example")
    domain = f"{label}-{rng.choice(('holding', 'partners', 'systems'))}.example"
    firm.company = replace(firm.company, domains=(*firm.company.domains, domain))
    book.companies[book.firms.index(firm)] = firm.company
    _readdress(book, firm, 0, f"{_local(firm.people[0])}@{domain}", "merged accounts")


def _write_with_umlauts(book: Book, firm: Firm) -> None:
    """The CRM writes the domain as people do, mail in ASCII (RFC 5891)."""
    label = firm.company.domains[0].removesuffix(".example")
    spelled = f"grün-{label}.example"
    firm.company = replace(firm.company, domains=(spelled,))
    book.companies[book.firms.index(firm)] = firm.company
    ascii_domain = spelled.encode("idna").decode()
    for place, person in enumerate(firm.people):
        _readdress(
            book,
            firm,
            place,
            f"{_local(person)}@{ascii_domain}",
            "international domain",
            in_crm=f"{_local(person)}@{spelled}",
        )


def people_who_moved(book: Book) -> None:
    """Done after the deals are: some who worked on a deal that ended go to a firm where one begins, and work on that.

    Of every other one the CRM has a second contact at the new firm, else the old one with both addresses and both roles.
    """
    rng = book.stream("moves")
    ended = [sale for firm in book.firms for sale in firm.sales if _is_left(sale)]
    begun = [sale for firm in book.firms for sale in firm.sales if sale.deal.created_at > on_day(DAYS * 0.45)]
    rng.shuffle(ended)
    rng.shuffle(begun)
    for old, new in list(zip(ended, begun, strict=False))[: max(2, len(book.firms) // 25)]:
        if old.firm is not new.firm:
            _move(book, rng, old, new)


def _is_left(sale: Sale) -> bool:
    closed = sale.deal.closed_at
    if closed is None or not on_day(5) < closed < on_day(DAYS * 0.4):
        return False
    return bool(sale.roles) and sale.people[0].key in sale.roles


def _move(book: Book, rng: Random, old: Sale, new: Sale) -> None:
    person = old.people[0]
    moved = replace(new_person(rng, new.firm), name=person.name, phone="")
    if rng.random() < 0.5:
        moved = book.add_contact(moved, new.firm.company.key, new.deal.created_at)
    else:
        known = book.contacts[person.key]
        book.contacts[person.key] = replace(
            known, emails=(*known.emails, moved.address), company=new.firm.company.key
        )
        moved = replace(moved, key=person.key)
    book.cases[person.address] = book.cases[moved.address] = "buyer changed employer"
    new.people.insert(0, moved)
    new.firm.people.append(moved)
    new.roles |= {moved.key}
    book.add_role(new, moved.key)
