"""The settings of the sample organisation: where it is, so that days, weeks and telephone numbers are read there."""

from __future__ import annotations

from pathlib import Path

from autocapture.settings import SETTINGS_FILE
from autocapture.testing.world.people import ORGANISATION

_TEXT = f"""\
# Written with the sample organisation, for it alone: your own data belongs in a home of its own.
[organization]
name = "{ORGANISATION}"
time_zone = "Europe/Amsterdam"
region = "NL"
"""


def ensure_settings(home: Path) -> bool:
    """Writes the sample's settings into a home that has none; whether it did. They hold from the next start on."""
    path = home / SETTINGS_FILE
    if path.exists():
        return False
    path.write_text(_TEXT, encoding="utf-8")
    return True
