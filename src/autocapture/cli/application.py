"""How a command gets its application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from autocapture.application import Application


def open_application() -> Application:
    """The application over the settings in force, its database at the newest revision. Raises SetupError."""
    from autocapture.store import schema

    application = build_application()
    schema.require_head(application.engine)
    return application


def build_application() -> Application:
    """The application over the settings in force; its database may be missing or old."""
    import logging

    from autocapture.bootstrap import build
    from autocapture.service.logs import configure_logs
    from autocapture.settings import load_settings

    # What a command came to, it says itself; beside that only defects are logged.
    configure_logs(least=logging.ERROR)
    return build(load_settings())


def organization_zone(application: Application) -> ZoneInfo:
    """The zone in which tables tell times."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(application.settings.organization.time_zone)
