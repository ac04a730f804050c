"""The never-log list: addresses, numbers and domains with which nothing is ever captured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from autocapture.errors import SetupError
from autocapture.formats.handles import canonical_email


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Canonical handles and domains (a domain stands for those below it too).

    `when` says how many listed parties it takes. ``any``: one is enough, whoever else takes part. ``all``: everybody from
    outside must be listed, so a mail to a listed and an unlisted person is still captured.
    """

    handles: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    when: Literal["any", "all"] = "any"
    version: int = 1
    """Stands beside every item that the list keeps out."""
    _empty: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_empty", not (self.handles or self.domains))

    @property
    def is_empty(self) -> bool:
        return self._empty

    @property
    def rule(self) -> str:
        return f"exclusions@{self.version}"

    def apply(self, inside: Iterable[str], outside: Sequence[str]) -> bool:
        """Whether the list keeps out an activity between these canonical handles of ours and of others."""
        if self._empty:
            return False
        if self.when == "all":
            return bool(outside) and all(map(self._names, outside))
        return any(map(self._names, outside)) or any(map(self._names, inside))

    def _names(self, handle: str) -> bool:
        if handle in self.handles:
            return True
        domain = handle.rpartition("@")[2] if "@" in handle else ""
        while domain:
            if domain in self.domains:
                return True
            domain = domain.partition(".")[2]
        return False


def parse_exclusions(settings: Mapping[str, Any]) -> Exclusions:
    """The list as ``config/exclusions.toml`` writes it: `version`, `addresses`, `numbers`, `domains`, `when`. Raises
    SetupError."""
    unknown = sorted(settings.keys() - {"version", "addresses", "numbers", "domains", "when"})
    if unknown:
        raise SetupError(f"exclusions: unknown setting {unknown[0]!r}")
    version = settings.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= 1_000_000:
        raise SetupError("exclusions: `version` must be a whole number from 1 to 1000000")
    when = settings.get("when", "any")
    if when not in ("any", "all"):
        raise SetupError("exclusions: `when` must be any or all")
    addresses = [canonical_email(each) for each in _texts(settings, "addresses")]
    if wrong := [each for each in addresses if "@" not in each]:
        raise SetupError(f"exclusions: {wrong[0]!r} in `addresses` is no mail address")
    numbers = _texts(settings, "numbers")
    if wrong := [each for each in numbers if not (each.startswith("+") and each[1:].isdigit())]:
        raise SetupError(f"exclusions: {wrong[0]!r} in `numbers` is not written like +4930123456")
    domains = [canonical_email(f"x@{each.removeprefix('@')}")[2:] for each in _texts(settings, "domains")]
    return Exclusions(frozenset((*addresses, *numbers)), frozenset(domains), when, version)


def _texts(settings: Mapping[str, Any], name: str) -> list[str]:
    values = settings.get(name, [])
    if not isinstance(values, list) or not all(isinstance(each, str) and each.strip() for each in values):
        raise SetupError(f"exclusions: `{name}` must be a list of texts")
    return values


def written_exclusions(exclusions: Exclusions) -> dict[str, Any]:
    """The list as its file has it: `parse_exclusions` reads it."""
    return {
        "version": exclusions.version,
        "addresses": sorted(each for each in exclusions.handles if "@" in each),
        "numbers": sorted(each for each in exclusions.handles if "@" not in each),
        "domains": sorted(exclusions.domains),
        "when": exclusions.when,
    }
