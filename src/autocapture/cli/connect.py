"""`connect`: one command for each installed connector, its flags made from the connector's options."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Adds nothing yet."""
