"""The organisation's never-log list, read from its file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from autocapture.admit.exclusions import Exclusions, parse_exclusions
from autocapture.errors import SetupError


def load_exclusions(path: Path | None) -> Exclusions:
    """The exclusions in force; none where no file is configured. Raises SetupError for a file that is missing or wrong:
    capturing what was meant to be left out cannot be undone in anybody's mind."""
    if path is None:
        return Exclusions()
    try:
        return parse_exclusions(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise SetupError(f"the exclusions file {path} cannot be read: {problem.strerror}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SetupError(f"the exclusions file {path} is not valid TOML: {problem}") from problem
