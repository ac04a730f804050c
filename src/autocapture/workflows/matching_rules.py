"""The organisation's matching rules, read from its file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from autocapture.errors import SetupError
from autocapture.match.rules import parse_rules, shipped_rules
from autocapture.model.matching import MatchingRules


def load_matching_rules(path: Path | None) -> MatchingRules:
    """The rules in force; those that are shipped where no file is configured. Raises SetupError for a file that is missing or
    wrong."""
    if path is None:
        return shipped_rules()
    try:
        return parse_rules(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise SetupError(f"the matching file {path} cannot be read: {problem.strerror}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SetupError(f"the matching file {path} is not valid TOML: {problem}") from problem
