"""How a command gets its application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autocapture.application import Application


def open_application() -> Application:
    """The application over the settings in force, its database at the newest revision. Raises SetupError."""
    from autocapture.store import schema

    application = build_application()
    schema.require_head(application.engine)
    return application


def build_application() -> Application:
    """The application over the settings in force; its database may be missing or old."""
    from autocapture.bootstrap import build
    from autocapture.settings import load_settings

    return build(load_settings())
