"""The deals of a hard world: what each shape of firm buys, who works on it, and what of that the CRM tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random

from autocapture.evaluate.world import Deal, StageChange, User
from autocapture.testing.world.hard.cast import colleague_of
from autocapture.testing.world.hard.model import DAYS, Book, Firm, Person, Sale, on_day

PRODUCTS = (
    "Atlas Core", "Atlas Field", "Boreal Scan", "Cinder Gate", "Delta Yard", "Ember Sort", "Fjord Pack", "Garnet Line",
    "Halo Desk", "Indigo Fleet", "Juniper Care", "Kestrel Map",
)  # fmt: skip
_SITES = ("Utrecht", "Leeds", "Kassel", "Zwolle", "Bristol", "Bremen")
_RENEWAL: Mapping[str, str] = {"en": "renewal", "nl": "verlenging", "de": "Verlängerung"}
_STAGES = ("qualification", "demo", "proposal", "negotiation")
_ALIKE = ("same everything",)
_WITHOUT_ROLES = 0.22
_HAND_OVER = timedelta(days=9)
"""How long after a deal closed it is still spoken of as such."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A deal to be made. Days count from the world's beginning; `closed` None: still open. `ahead`: how many days it is talked
    about before anybody enters it."""

    owner: User
    people: Sequence[Person]
    product: str
    opened: float
    closed: float | None = None
    outcome: str = ""
    site: str = ""
    pipeline: str = "new business"
    roles: float = 0.65
    """The share of the people whom the CRM names."""
    ahead: float = 0.0
    cases: tuple[str, ...] = ()


def sales(book: Book) -> None:
    """Every firm's deals, by its shape."""
    for firm in book.firms:
        rng = book.stream("sales", firm.company.key)
        for plan in _PLANS[firm.shape](book, firm, rng):
            _enter(book, firm, plan, rng)


def _enter(book: Book, firm: Firm, plan: Plan, rng: Random) -> None:
    key = book.key("D")
    opened = on_day(plan.opened)
    closed = None if plan.closed is None else max(on_day(plan.closed), opened + timedelta(days=2))
    words = f"{plan.product} {plan.site}".strip()
    name = rng.choice((f"{firm.company.name} {words}", words, f"{words} - {firm.company.name}"))
    if plan.cases == _ALIKE:
        name = words
    elif not plan.site and rng.random() < 0.15:
        name = f"{firm.company.name} {rng.choice(('2026', 'Q2', 'expansion', 'project'))}"
    share = 0.0 if rng.random() < _WITHOUT_ROLES and plan.roles < 1 else plan.roles
    named = [person for person in plan.people if person.key and rng.random() < share]
    if share and not named:
        named = [person for person in plan.people if person.key][:1]
    deal = Deal(
        key=key,
        name=name,
        company=firm.company.key,
        owner=plan.owner.email,
        created_at=opened,
        pipeline=plan.pipeline,
        closed_at=closed,
        outcome=plan.outcome if closed else "",
        amount=Decimal(rng.randrange(20, 900) * 100),
        currency="GBP" if firm.language == "en" else "EUR",
        products=(plan.product,),
        references=(f"Q-{rng.randrange(10_000, 99_999)}",) if rng.random() < 0.7 else (),
    )
    cases = plan.cases if named else (*plan.cases, "deal without roles")
    book.add_sale(
        Sale(
            deal=deal,
            firm=firm,
            owner=plan.owner,
            people=list(plan.people),
            roles=frozenset(person.key for person in named),
            words=words,
            begins=opened - timedelta(days=plan.ahead),
            ends=(closed or on_day(DAYS)) + (_HAND_OVER if closed else timedelta(0)),
            cases=cases,
        )
    )
    _stages(book, deal, rng)


def _stages(book: Book, deal: Deal, rng: Random) -> None:
    end = deal.closed_at or on_day(DAYS)
    reached = len(_STAGES) if deal.outcome == "won" else rng.randrange(1, len(_STAGES) + 1)
    steps = sorted(rng.random() for _ in range(reached - 1))
    moments = [deal.created_at, *(deal.created_at + (end - deal.created_at) * step for step in steps)]
    for stage, at in zip(_STAGES, moments, strict=False):
        book.changes.append(StageChange(deal.key, stage, at.replace(microsecond=0)))
    if deal.closed_at is not None:
        book.changes.append(StageChange(deal.key, deal.outcome, deal.closed_at))


def _some(rng: Random, people: Sequence[Person]) -> list[Person]:
    """One to three of them; whoever stands first is most in touch."""
    return rng.sample(list(people), k=min(len(people), rng.choice((1, 2, 2, 3))))


def _end(rng: Random, opened: float) -> tuple[float | None, str]:
    """When a deal that was opened then closes, and how; (None, '') where it is still open."""
    closed = opened + rng.uniform(35, 150)
    return (None, "") if closed > DAYS else (closed, rng.choice(("won", "won", "lost")))


def _one(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    opened = rng.uniform(-80, 140)
    closed, outcome = _end(rng, opened)
    ahead = rng.uniform(1, 9) if rng.random() < 0.3 else 0.0
    people = _some(rng, firm.people)
    return [
        Plan(
            firm.rep,
            people,
            rng.choice(PRODUCTS),
            opened,
            closed,
            outcome,
            ahead=ahead,
            cases=("one deal",),
        )
    ]


def _later(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    """Entered days after it was first spoken of; of every other firm, weeks after."""
    late = rng.random() < 0.5
    opened, product = rng.uniform(45, 150), rng.choice(PRODUCTS)
    ahead, case = (rng.uniform(25, 40), "late deal") if late else (rng.uniform(9, 13), "opens 10 days later")
    return [Plan(firm.rep, _some(rng, firm.people), product, opened, ahead=ahead, cases=(case,))]


def _customer(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    opened = rng.uniform(-420, -250)
    people, product = _some(rng, firm.people), rng.choice(PRODUCTS)
    return [Plan(firm.rep, people, product, opened, opened + rng.uniform(60, 150), "won", cases=("none",))]


def _buys_again(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    """A customer, whose questions go on, and a seller with something new for them."""
    bought, new = rng.sample(PRODUCTS, k=2)
    opened = rng.uniform(-60, 110)
    users, people = _some(rng, firm.people), _some(rng, firm.people)
    closed, outcome = _end(rng, opened)
    return [
        Plan(firm.rep, users, bought, -420, -300, "won", cases=("none",)),
        Plan(firm.rep, people, new, opened, closed, outcome, cases=("customer buys again",)),
    ]


def _one_after_another(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    first, second = rng.sample(PRODUCTS, k=2)
    opened = rng.uniform(-120, -40)
    closed = rng.uniform(5, 50)
    again = closed + rng.uniform(30, 70)
    people = _some(rng, firm.people)
    return [
        Plan(
            firm.rep, people, first, opened, closed, rng.choice(("won", "lost")), cases=("one after another",)
        ),
        Plan(firm.rep, _some(rng, firm.people), second, again, cases=("one after another",)),
    ]


def _closed_in_between(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    closed = rng.uniform(40, 130)
    people, product = _some(rng, firm.people), rng.choice(PRODUCTS)
    return [Plan(firm.rep, people, product, closed - rng.uniform(50, 90), closed, "won", cases=("one deal",))]


def _beside(rng: Random) -> tuple[float, float]:
    """When two deals that run beside each other are opened."""
    opened = rng.uniform(-50, 70)
    return opened, opened + rng.uniform(0, 25)


def _two_owners(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    first, second = rng.sample(PRODUCTS, k=2)
    one, other = _beside(rng)
    case = ("two deals, two owners",)
    return [
        Plan(firm.rep, _some(rng, firm.people), first, one, cases=case),
        Plan(colleague_of(book, firm.rep, rng), _some(rng, firm.people), second, other, cases=case),
    ]


def _different_contacts(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    first, second = rng.sample(PRODUCTS, k=2)
    one, other = _beside(rng)
    half = len(firm.people) // 2
    case = ("same owner, different contacts",)
    return [
        Plan(firm.rep, firm.people[:half], first, one, roles=1.0, cases=case),
        Plan(firm.rep, firm.people[half:], second, other, roles=1.0, cases=case),
    ]


def _different_words(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    """Two products, or one product for two sites."""
    people = _some(rng, firm.people)
    one, other = _beside(rng)
    case = ("same owner and contact, different product words",)
    if rng.random() < 0.5:
        product, (east, west) = rng.choice(PRODUCTS), rng.sample(_SITES, k=2)
        return [
            Plan(firm.rep, people, product, one, site=east, cases=case),
            Plan(firm.rep, people, product, other, site=west, cases=case),
        ]
    first, second = rng.sample(PRODUCTS, k=2)
    return [Plan(firm.rep, people, first, one, cases=case), Plan(firm.rep, people, second, other, cases=case)]


def _same_everything(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    people, product = _some(rng, firm.people), rng.choice(PRODUCTS)
    one, other = _beside(rng)
    return [Plan(firm.rep, people, product, at, roles=1.0, cases=_ALIKE) for at in (one, other)]


def _renewal(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    """What was bought a year ago is to be renewed, by whoever keeps the customer; a seller offers something else."""
    bought, new = rng.sample(PRODUCTS, k=2)
    case = ("renewal and new business",)
    users, one = _some(rng, firm.people), rng.uniform(-20, 60)
    buyers = users if rng.random() < 0.4 else _some(rng, firm.people)
    return [
        Plan(firm.rep, users, bought, -400, -300, "won", cases=("none",)),
        Plan(
            firm.manager,
            users,
            bought,
            one,
            *_end(rng, one),
            site=_RENEWAL[firm.language],
            pipeline="renewal",
            cases=case,
        ),
        Plan(firm.rep, buyers, new, one + rng.uniform(-20, 20), cases=case),
    ]


def _none(book: Book, firm: Firm, rng: Random) -> list[Plan]:
    return []


_PLANS: Mapping[str, Callable[[Book, Firm, Random], list[Plan]]] = {
    "one deal": _one,
    "opens later": _later,
    "customer": _customer,
    "customer buys again": _buys_again,
    "one after another": _one_after_another,
    "closed in between": _closed_in_between,
    "two deals, two owners": _two_owners,
    "different contacts": _different_contacts,
    "different product words": _different_words,
    "same everything": _same_everything,
    "renewal and new business": _renewal,
    "prospect": _none,
    "partner": _none,
}
