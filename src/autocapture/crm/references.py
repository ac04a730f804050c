"""Whom a cell means: companies, contacts, products, leads, deals and owners by key, address or name. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from autocapture.crm.cells import Unreadable
from autocapture.crm.fields import ALIAS_OF_TARGET
from autocapture.crm.rows import KnownUser, Mirror, Place

_TABLES = {
    "companies": "company",
    "contacts": "contact",
    "products": "product",
    "leads": "lead",
    "deals": "deal",
}


class References:
    """What may be referred to: rows of this import, then rows of earlier ones. A refused row refuses those that name it."""

    def __init__(self, mirror: Mirror) -> None:
        self._keys: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._refused: dict[str, dict[str, Place]] = defaultdict(dict)
        self._owners: dict[str, str] = {}
        self._users = mirror.users
        self._user_names = _by_name(mirror.users.values())
        self._user_aliases = {alias: user.email for user in mirror.users.values() for alias in user.aliases}
        for section, table in _TABLES.items():
            for key, values in mirror.rows(table).items():
                name = values.get("name")
                emails = values.get("emails")
                self.add(section, key[0], name if isinstance(name, str) else None, _texts(emails))

    def add(self, section: str, key: str, name: str | None = None, emails: Iterable[str] = ()) -> None:
        """The row `key` exists; an earlier refusal of the same key (a duplicate) no longer counts."""
        self._keys[section].add(key)
        self._refused[section].pop(key, None)
        for word in (name, *emails):
            if word:
                self._names[section][_folded(word)].add(key)

    def add_owner(self, key: str, email: str) -> None:
        """The CRM's owner `key` is the user with `email`. Raises Unreadable for an unknown user."""
        self._owners[key] = self._user(email)

    def refuse(self, section: str, key: str, place: Place) -> None:
        if key:
            self._refused[section].setdefault(key, place)

    def find(self, section: str, word: str) -> str:
        """The key that `word` means. Raises Unreadable with the reason."""
        if section == "owners":
            return self._owner(word)
        singular = ALIAS_OF_TARGET[section]
        if word in self._refused[section]:
            raise Unreadable(f"{singular} {word!r} was refused ({self._refused[section][word]})")
        if word in self._keys[section]:
            return word
        found = self._names[section].get(_folded(word), set())
        if len(found) > 1:
            raise Unreadable(f"ambiguous {singular} {word!r}: {len(found)} have this name")
        for key in found:
            if key in self._refused[section]:
                raise Unreadable(f"{singular} {word!r} was refused ({self._refused[section][key]})")
            return key
        raise Unreadable(f"unknown {singular} {word!r}")

    def _owner(self, word: str) -> str:
        if word in self._owners:
            return self._owners[word]
        if word in self._refused["owners"]:
            raise Unreadable(f"owner {word!r} was refused ({self._refused['owners'][word]})")
        return self._user(word)

    def _user(self, word: str) -> str:
        folded = _folded(word)
        if folded in self._users:
            return folded
        if folded in self._user_aliases:
            return self._user_aliases[folded]
        found = self._user_names.get(folded, set())
        if len(found) > 1:
            raise Unreadable(f"ambiguous owner {word!r}: {len(found)} users have this name")
        for email in found:
            return email
        raise Unreadable(f"unknown owner {word!r}: no user has this address or name")


def _folded(word: str) -> str:
    return " ".join(word.casefold().split())


def _by_name(users: Iterable[KnownUser]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = defaultdict(set)
    for user in users:
        names[_folded(user.name)].add(user.email)
    return names


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()
