"""What happens at the providers: mail arrives, meetings are moved, items leave, folders vanish, providers forget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from autocapture.records import Kind
from autocapture.testing.simulation.catalogue import DOMAINS, NEVER, PEOPLE, Catalogue, Item
from autocapture.testing.simulation.providers import Copy, Provider
from autocapture.testing.simulation.trace import Trace

LATE = 0.25
"""The share of copies that reach their mailbox or calendar only with a later change."""


class Changes:
    """Changes chosen by `rng`. `now` tells the world's true time."""

    def __init__(
        self,
        catalogue: Catalogue,
        providers: Sequence[Provider],
        rng: Random,
        trace: Trace,
        now: Callable[[], datetime],
        exclude: Callable[[], None],
    ) -> None:
        self.catalogue, self.providers, self._rng = catalogue, providers, rng
        self._trace, self._now, self._exclude = trace, now, exclude
        self._kinds: list[Kind] = sorted({provider.kind for provider in providers})
        self._can: list[tuple[Callable[[], str | None], int]] = [
            (self._arrives, 8),
            (self._is_edited, 5),
            (self._leaves_one, 3),
            (self._leaves_all, 1),
            (self._is_moved, 3),
            (self._returns, 1),
            (self._says_nothing_new, 1),
            (self._is_poisoned, 2),
            (self._is_healed, 1),
            (self._expires, 2),
            (self._vanishes, 1),
            (self._reappears, 2),
            (self._turns_private, 1),
            (self._gets_a_guest, 1),
            (self._is_excluded, 1),
            (self._catches_up, 3),
        ]
        self._left: list[tuple[Provider, int]] = []

    def happen(self) -> None:
        """One change, or, where there is nothing for it to change, an arrival."""
        (change,) = self._rng.choices([can for can, _ in self._can], [weight for _, weight in self._can])
        told = change()
        self._trace.tell(f"  {told or self._arrives()}")

    def begin(self, count: int) -> None:
        for _ in range(count):
            self._trace.tell(f"  {self._arrives()}")

    def catch_up(self) -> None:
        """Everything late arrives."""
        for provider in self.providers:
            while provider.late:
                self._deliver(provider)

    def heal(self) -> None:
        for provider in self.providers:
            provider.heal()

    def _arrives(self) -> str:
        rng, number = self._rng, len(self.catalogue.items) + 1
        kind = rng.choice(self._kinds)
        insiders = tuple(rng.sample(range(len(PEOPLE)), rng.choice((1, 1, 2, 3))))
        occurs_at = self._now() - timedelta(minutes=rng.randrange(72 * 60))
        item = Item(number, kind, insiders, f"buyer{number}@{rng.choice(DOMAINS)}", occurs_at)
        if kind == "call":
            item.outsider = f"+3130{2_000_000 + number}"
        else:
            item.author = rng.choice((None, insiders[0]))
        if kind == "email":
            earlier = [each for each in self.catalogue.items.values() if each.kind == "email"]
            item.answers = rng.choice(earlier).number if earlier and rng.random() < 0.3 else None
            item.rewritten = rng.random() < 0.08
        if kind == "event":
            item.occurs_at = occurs_at + timedelta(hours=rng.randrange(96))
            item.occurrences = rng.choice((1, 1, 1, 1, 1, 3))
        self.catalogue.items[number] = item
        return self._spread(item)

    def _spread(self, item: Item) -> str:
        """Copies of a new item: for whom it names, and sometimes for somebody else of ours (blind copies, shared logs)."""
        rng, told = self._rng, []
        concerned = [each for each in self.providers if each.kind == item.kind]
        holders = [each for each in concerned if each.user in item.insiders or rng.random() < 0.2]
        for provider in holders or concerned[:1]:
            if rng.random() < LATE:
                provider.late.append(item.number)
                told.append(f"{provider.username} (late)")
                continue
            place = rng.randrange(2)
            provider.put(item.number, item.version, place)
            if item.kind == "email" and rng.random() < 0.1:
                provider.put(item.number, item.version, place + 1)
            told.append(provider.username)
        return f"{item.kind} {item.number} of {item.outsider} arrives at {', '.join(told)}"

    def _is_edited(self) -> str | None:
        item = self._some_item(("event", "call"))
        return None if item is None else self._edit(item, "is edited")

    def _turns_private(self) -> str | None:
        item = self._some_item(("event",))
        if item is None or item.private_from is not None:
            return None
        item.private_from = item.version + 1
        return self._edit(item, "turns private")

    def _gets_a_guest(self) -> str | None:
        item = self._some_item(("event",))
        if item is None or item.guest_from is not None:
            return None
        item.guest_from = item.version + 1
        return self._edit(item, "is joined by an excluded guest")

    def _edit(self, item: Item, what: str) -> str:
        item.version += 1
        for provider in self._holding(item.number):
            if self._rng.random() < LATE:
                provider.late.append(item.number)
            else:
                self._put(provider, item)
        return f"{item.kind} {item.number} {what}: v{item.version}"

    def _put(self, provider: Provider, item: Item) -> None:
        provider.touched.add(item.number)
        provider.put(item.number, item.version, self._rng.randrange(2))

    def _leaves_one(self) -> str | None:
        provider, number = self._some_copy(lose=True)
        if provider is None:
            return None
        self._drop(provider, number)
        return f"{number} leaves {provider.username}"

    def _leaves_all(self) -> str | None:
        provider, number = self._some_copy(lose=True)
        if provider is None:
            return None
        for holder in self._holding(number):
            self._drop(holder, number)
        return f"{number} leaves everybody"

    def _drop(self, provider: Provider, number: int) -> None:
        provider.drop(number)
        provider.touched.add(number)
        provider.late = [each for each in provider.late if each != number]
        self._left.append((provider, number))

    def _returns(self) -> str | None:
        if not self._left:
            return None
        provider, number = self._left.pop(self._rng.randrange(len(self._left)))
        if number in provider.numbers():
            return None
        self._put(provider, self.catalogue.items[number])
        return f"{number} returns to {provider.username}"

    def _is_moved(self) -> str | None:
        provider, number = self._some_copy(lose=True)
        if provider is None:
            return None
        provider.drop(number)
        self._put(provider, self.catalogue.items[number])
        return f"{number} is moved within {provider.username}"

    def _says_nothing_new(self) -> str | None:
        provider, number = self._some_copy()
        if provider is None:
            return None
        provider.raise_etag(number)
        return f"{number} counts as changed at {provider.username}"

    def _is_poisoned(self) -> str | None:
        provider, number = self._some_copy()
        if provider is None or not provider.is_whole:
            return None
        provider.touched.add(number)
        provider.poison(number)
        return f"{number} cannot be read at {provider.username}"

    def _is_healed(self) -> str | None:
        provider = self._rng.choice(self.providers)
        provider.heal()
        return f"{provider.username} can be read again"

    def _expires(self) -> str | None:
        provider = self._rng.choice(self.providers)
        provider.touched |= provider.numbers()
        return f"{provider.username} forgets its cursors" if provider.expire() else None

    def _vanishes(self) -> str | None:
        provider = self._rng.choice(self.providers)
        before = provider.numbers()
        if not provider.vanish(self._rng.randrange(2)):
            return None
        provider.touched |= before
        return f"a part of {provider.username} vanishes"

    def _reappears(self) -> str | None:
        provider = self._rng.choice(self.providers)
        if not provider.reappear():
            return None
        copies = [copy for held in provider.places().values() for copy in held.values()]
        provider.late.extend(sorted({copy.number for copy in copies if self._is_stale(copy)}))
        return f"{provider.username} is whole again"

    def _is_stale(self, copy: Copy) -> bool:
        item = self.catalogue.items[copy.number]
        return item.kind != "email" and copy.version < item.version

    def _is_excluded(self) -> str | None:
        """Somebody new is never to be logged."""
        item = self._some_item(("email", "event", "call"))
        if item is None:
            return None
        never = self.catalogue.never
        domain = item.outsider.rpartition("@")[2]
        if item.kind == "call":
            never.numbers.add(item.outsider)
        elif domain in ("council.example", NEVER):
            never.domains.add(domain)
        else:
            return None
        never.added = True
        self._exclude()
        return f"{item.outsider} is never to be logged any more"

    def _catches_up(self) -> str | None:
        late = [provider for provider in self.providers if provider.late]
        if not late:
            return None
        provider = self._rng.choice(late)
        return f"{self._deliver(provider)} reaches {provider.username} at last"

    def _deliver(self, provider: Provider) -> int:
        number = provider.late.pop(0)
        if provider.kind != "email" or number not in provider.numbers():
            self._put(provider, self.catalogue.items[number])
        return number

    def _holding(self, number: int) -> list[Provider]:
        return [provider for provider in self.providers if number in provider.numbers()]

    def _some_item(self, kinds: Sequence[Kind]) -> Item | None:
        found = [item for item in self.catalogue.items.values() if item.kind in kinds]
        return self._rng.choice(found) if found else None

    def _some_copy(self, *, lose: bool = False) -> tuple[Provider | None, int]:
        found = [
            (each, n) for each in self.providers if each.can_lose or not lose for n in sorted(each.numbers())
        ]
        return self._rng.choice(found) if found else (None, 0)
