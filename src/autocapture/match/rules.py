"""The matching rules, read from TOML in the form of ``config/matching.toml``, and those that are shipped."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from autocapture.errors import SetupError
from autocapture.match.named import KEY
from autocapture.model.directory import Directory
from autocapture.model.matching import MatchingRules

T = TypeVar("T")

EVIDENCE = (
    "no deal", "several companies", "customer", "role on what was bought", "nothing said", "not in the subject",
    "not in the title", "mute", "unanswered", "another product", "bought under that name", "service", "perhaps service",
    "another matter", "role", "role, text unread", "more roles", "role on a rival", "others have roles", "owner",
    "owner of a rival", "words", "own words", "own words in the subject", "words of a rival", "number", "weeks before",
    "weeks after", "they have it", "key", "social", "terms", "partner", "of a closed deal", "only deal",
)  # fmt: skip
"""Every name of `match.evidence`: each needs a weight."""

_WORD_LISTS = (
    "service",
    "doubtful",
    "elsewhere",
    "social",
    "invited",
    "terms",
    "both",
    "aside",
    "denied",
    "common",
)
"""Every list of words of the rules."""
_LEAST, _MOST = -50.0, 50.0
_DAY = timedelta(days=1)


@cache
def shipped_rules() -> MatchingRules:
    """The rules that are in force where an operator names no file of their own."""
    return parse_rules(tomllib.loads(shipped_text()))


def rules_of(directory: Directory) -> MatchingRules:
    """Those in force in this organisation."""
    return directory.organization.matching or shipped_rules()


def parse_rules(data: Mapping[str, Any]) -> MatchingRules:
    """The rules as the file writes them. Raises SetupError, one line, naming the key that is missing, unknown or out of range."""
    _only(data, {"version", "weights", "decision", "windows", "audience", "words", "crm"}, "")
    weights = _table(data, "weights")
    _only(weights, set(EVIDENCE), "weights.")
    decision, windows = _table(data, "decision"), _table(data, "windows")
    audience, words, crm = _table(data, "audience"), _table(data, "words"), _table(data, "crm")
    _only(decision, {"attach", "margin", "share", "most"}, "decision.")
    _only(windows, {"grace_days", "pause_days"}, "windows.")
    _only(audience, {"people", "companies"}, "audience.")
    _only(words, set(_WORD_LISTS), "words.")
    _only(crm, {"deal_links", "thread_only_pipelines"}, "crm.")
    return MatchingRules(
        version=_whole(data, "version", "", 1, 1_000_000),
        weights={name: _number(weights, name, "weights.", _LEAST, _MOST) for name in EVIDENCE},
        attach=_number(decision, "attach", "decision.", 0.5, 1),
        margin=_number(decision, "margin", "decision.", 0, 1),
        share=_number(decision, "share", "decision.", 0.05, 0.5),
        most=_whole(decision, "most", "decision.", 1, 5),
        grace=timedelta(days=_number(windows, "grace_days", "windows.", 0, 365)),
        pause=timedelta(days=_number(windows, "pause_days", "windows.", 1, 3_650)),
        audience=_whole(audience, "people", "audience.", 1, 10_000),
        companies=_whole(audience, "companies", "audience.", 1, 10_000),
        **{name: _words(words, name) for name in _WORD_LISTS},
        deal_links=_links(crm, "deal_links"),
        thread_only=_words(crm, "thread_only_pipelines", "crm."),
    )


def _only(data: Mapping[str, Any], known: set[str], path: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise SetupError(
            f"matching rules: unknown key {path}{unknown[0]}; there are: {', '.join(sorted(known))}"
        )


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _value(data, name, "", lambda found: found if isinstance(found, dict) else None, "a table")


def _value(data: Mapping[str, Any], name: str, path: str, read: Callable[[Any], T | None], wanted: str) -> T:
    if name not in data:
        raise SetupError(f"matching rules: {path}{name} is missing; it must be {wanted}")
    found = read(data[name])
    if found is None:
        raise SetupError(f"matching rules: {path}{name} must be {wanted}, not {data[name]!r}")
    return found


def _number(data: Mapping[str, Any], name: str, path: str, least: float, most: float) -> float:
    def read(found: Any) -> float | None:
        fits = isinstance(found, int | float) and not isinstance(found, bool) and least <= found <= most
        return float(found) if fits else None

    return _value(data, name, path, read, f"a number from {least:g} to {most:g}")


def _whole(data: Mapping[str, Any], name: str, path: str, least: int, most: int) -> int:
    def read(found: Any) -> int | None:
        fits = isinstance(found, int) and not isinstance(found, bool) and least <= found <= most
        return found if fits else None

    return _value(data, name, path, read, f"a whole number from {least} to {most}")


def _links(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    def read(found: Any) -> tuple[str, ...] | None:
        if not isinstance(found, list) or not all(isinstance(each, str) and _is_link(each) for each in found):
            return None
        return tuple(dict.fromkeys(each.strip() for each in found))

    wanted = f"a list of addresses of pages such as https://crm.example.com/deals/{KEY}"
    return _value(data, name, "crm.", read, wanted)


def _is_link(text: str) -> bool:
    """Whether it begins with a host, and has the key once, behind it."""
    host, slash, rest = text.strip().removeprefix("https://").removeprefix("http://").partition("/")
    return "://" in text and bool(host and slash) and KEY not in host and rest.count(KEY) == 1


def _words(data: Mapping[str, Any], name: str, path: str = "words.") -> frozenset[str]:
    def read(found: Any) -> frozenset[str] | None:
        if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
            return None
        return frozenset([each.strip().casefold() for each in found])

    return _value(data, name, path, read, "a list of words")


def shipped_text() -> str:
    """The file of the shipped rules, with its comments."""
    return (files("autocapture.match") / "matching.toml").read_text(encoding="utf-8")


def written(rules: MatchingRules, text: str) -> str:
    """A file of rules with the version, weights and thresholds of these; everything else stays as `text` has it."""
    values = {
        "version": f"{rules.version}",
        **{f'"{name}"': f"{weight:.2f}" for name, weight in rules.weights.items()},
        "attach": f"{rules.attach:.2f}",
        "margin": f"{rules.margin:.2f}",
        "share": f"{rules.share:.2f}",
    }
    return "".join([_rewritten(line, values) for line in text.splitlines(keepends=True)])


def _rewritten(line: str, values: Mapping[str, str]) -> str:
    name, equals, rest = line.partition(" = ")
    if not equals or name not in values:
        return line
    value, comment, said = rest.rstrip("\n").partition("#")
    if not comment:
        return f"{name} = {values[name]}\n"
    told = f"{name} = {values[name]}"
    width = len(name) + len(equals) + len(value)
    return f"{told:<{max(width, len(told) + 1)}}#{said}\n"


def settings_of(rules: MatchingRules) -> dict[str, Any]:
    """The rules in the form of their file: `parse_rules` reads it."""
    return {
        "version": rules.version,
        "weights": dict(rules.weights),
        "decision": {
            "attach": rules.attach,
            "margin": rules.margin,
            "share": rules.share,
            "most": rules.most,
        },
        "windows": {"grace_days": rules.grace / _DAY, "pause_days": rules.pause / _DAY},
        "audience": {"people": rules.audience, "companies": rules.companies},
        "words": {name: sorted(getattr(rules, name)) for name in _WORD_LISTS},
        "crm": {
            "deal_links": list(rules.deal_links),
            "thread_only_pipelines": sorted(rules.thread_only),
        },
    }
